/**
 * The sections that every report has.
 * @module
 */
import { type Block, data, facts, formatNumber, type Section, type Table, text, warning } from '../document.ts'
import type { DurationSummary } from '../durations.ts'
import type { Summary } from '../summary.ts'
import type { Tallied } from '../tally.ts'

/** What was counted by name, as bars. */
export function tallyTable(caption: string, of: string, tallied: Tallied, unit = 'events'): Table {
  const rest = tallied.others > 0 ? [[`others${tallied.overflow ? ' (too many to tell apart)' : ''}`, tallied.others]] : []
  const none = tallied.without > 0 && tallied.names.length > 0 ? [['(none)', tallied.without]] : []
  return {
    kind: 'table',
    caption,
    columns: [{ title: of }, { title: unit, as: 'bar' }],
    rows: [...tallied.names.map(({ name, count }) => [{ data: name }, count]), ...rest, ...none],
    empty: 'none.',
  }
}

/** Of a member that most events have no use for: those without it say nothing. */
const namedOnly = (tallied: Tallied): Tallied => ({ ...tallied, without: 0 })

export function percent(share: number | null): string {
  return share === null ? '–' : `${formatNumber(share * 100)} %`
}

export function duration(ms: number | null): string {
  if (ms === null) return '–'
  return ms < 1000 ? `${formatNumber(ms)} ms` : ms < 600_000 ? `${formatNumber(ms / 1000)} s` : `${formatNumber(ms / 3_600_000)} h`
}

function durationFacts(of: DurationSummary): readonly (readonly [string, string | number])[] {
  return [
    ['measured', of.count],
    ['mean', duration(of.avg_duration_ms)],
    ['p50', duration(of.p50_duration_ms)],
    ['p95', duration(of.p95_duration_ms)],
    ['p99', duration(of.p99_duration_ms)],
    ['most', duration(of.max_duration_ms)],
  ]
}

export function summarySections(summary: Summary): Section[] {
  return [
    { title: 'Activity', level: 2, blocks: activity(summary) },
    { title: 'Calls and decisions', level: 2, blocks: calls(summary) },
    { title: 'Approvals', level: 2, blocks: approvals(summary) },
    { title: 'Sensitive data', level: 2, blocks: dlp(summary) },
    { title: 'Budgets and usage', level: 2, blocks: budgets(summary) },
    { title: 'Sessions', level: 2, blocks: sessions(summary) },
    { title: 'Coverage', level: 2, blocks: coverage(summary) },
  ]
}

function activity(s: Summary): Block[] {
  const { steps, step_hours: hours, unplaced, ahead } = s.timeline
  const step = hours % 24 === 0 ? `${hours / 24} d` : `${hours} h`
  return [
    facts(
      ['events', s.total_events],
      ["the ledger's own records", s.total_entries - s.total_events],
      ['of severity error or critical', s.error_count],
      ['error rate', percent(s.error_rate)],
      ['users', s.events_by_user.distinct],
      ['agents', s.events_by_agent.distinct],
    ),
    {
      kind: 'chart',
      caption: `Events over time, a column is ${step}`,
      steps: steps.map(({ from }) => (hours % 24 === 0 ? from.slice(0, 10) : `${from.slice(0, 16)}Z`)),
      series: [
        { title: 'events', values: steps.map(({ events }) => events) },
        { title: 'failed', values: steps.map(({ failed }) => failed) },
        { title: 'denied', values: steps.map(({ denied }) => denied) },
      ],
    },
    ...(ahead > 0
      ? [warning(ahead, ' events say a time after this report was made, which no clock that is right does. They stand in no column.')]
      : []),
    ...(unplaced > 0 ? [text(unplaced, ' events have no time that can be placed.')] : []),
    tallyTable('By type', 'event_type', s.events_by_type),
    tallyTable('By user', 'user', s.events_by_user),
    tallyTable('By agent', 'agent', s.events_by_agent),
    tallyTable('By tool', 'tool', s.events_by_tool),
    tallyTable('By severity', 'severity', s.events_by_severity),
    tallyTable('By risk', 'risk_level', namedOnly(s.events_by_risk)),
  ]
}

function calls({ calls: c, events_by_decision: decisions, events_by_reason_code: reasons, duration: all }: Summary): Block[] {
  return [
    facts(
      ['allowed', c.allowed],
      ['denied', c.denied],
      ['ended well', c.ok],
      ['failed', c.failed],
      ['failed, of those that ended', percent(c.failure_rate)],
      ['outcome unknown', c.outcome_unknown],
      ['let through against the policy', c.let_through],
      ['dry runs', c.dry_run],
      ['methods blocked', c.methods_blocked],
    ),
    ...(c.outcome_unknown > 0 ? [warning(c.outcome_unknown, ' calls were allowed or begun and have no recorded end in this period.')] : []),
    ...(c.outcome_not_followed > 0 ? [text(c.outcome_not_followed, ' calls could not be followed to their end.')] : []),
    tallyTable('By decision', 'decision', namedOnly(decisions)),
    tallyTable('By reason', 'reason_code', namedOnly(reasons)),
    text('How long all events took that say so:'),
    facts(...durationFacts(all)),
    {
      kind: 'table',
      caption: 'Tools: calls and how long they took',
      columns: [
        { title: 'tool' },
        ...['ok', 'failed', 'denied', 'mean', 'p50', 'p95', 'p99', 'most'].map((title) => ({ title, as: 'number' as const })),
      ],
      rows: c.tools.map((tool) => [
        { data: tool.tool },
        ...[tool.ok, tool.failed, tool.denied],
        ...[tool.avg_duration_ms, tool.p50_duration_ms, tool.p95_duration_ms, tool.p99_duration_ms, tool.max_duration_ms].map(duration),
      ]),
      empty: 'none.',
    },
    ...(c.other_tools > 0 ? [text(c.other_tools, ' calls of other tools.')] : []),
    ...(c.models.ok + c.models.failed > 0
      ? [text('Models:'), facts(['answered', c.models.ok], ['failed', c.models.failed], ...durationFacts(c.models))]
      : []),
  ]
}

function approvals({ approvals: a }: Summary): Block[] {
  if (a.requested + a.approved + a.denied === 0) return [text('Nobody was asked.')]
  return [
    facts(
      ['asked', a.requested],
      ['approved', a.approved],
      ['denied', a.denied],
      ['timed out', a.approval_timeout],
      ['nobody could be asked', a.approval_unavailable],
      ['refused in a cool-down', a.approval_cooldown],
      ['answers that came too late', a.late_answers],
      ['not settled in this period', a.open],
    ),
    text('From the question shown to the answer:'),
    facts(...durationFacts(a.response_time)),
    tallyTable('By approver', 'approver', a.by_approver, 'answers'),
    tallyTable('By channel', 'channel', a.by_channel, 'answers'),
  ]
}

function dlp({ dlp: d }: Summary): Block[] {
  if (d.events + d.calls_blocked === 0) return [text('None was found.')]
  return [
    facts(['findings', d.events], ['matches', d.matches], ['findings redacted', d.redacted], ['calls refused', d.calls_blocked]),
    tallyTable('By pattern', 'pattern', d.by_pattern, 'matches'),
    tallyTable('By direction', 'direction', d.by_direction, 'matches'),
    tallyTable('By action', 'dlp_action', d.by_action, 'matches'),
  ]
}

function budgets({ budgets: b }: Summary): Block[] {
  return [
    facts(
      ['calls over budget', b.budget_exceeded],
      ['calls over a rate', b.rate_limited],
      ['used by ended sessions', b.used],
      ['sessions with nothing left', b.sessions_used_up],
      ['sessions without limit', b.sessions_unlimited],
      ['input tokens', b.input_tokens],
      ['output tokens', b.output_tokens],
      ['cost, USD', b.cost_usd],
    ),
    ...(b.budget_exceeded > 0 ? [tallyTable('Over budget, by user', 'user', b.exceeded_by_user, 'calls')] : []),
    ...(b.tokens_by_model.names.length > 0 ? [tallyTable('Tokens by model', 'model', b.tokens_by_model, 'tokens')] : []),
  ]
}

function sessions({ sessions: s }: Summary): Block[] {
  const { allowed, denied, approvals: asked, dry_run: dry, budget_exceeded: over, dlp_blocked: blocked, dlp_masked: masked } = s.stats
  return [
    facts(
      ['sessions', `${formatNumber(s.by_session.distinct)}${s.by_session.overflow ? ' or more' : ''}`],
      ['began', s.started],
      ['ended', s.ended],
      ['not ended in this period', s.open],
    ),
    ...(s.ended > 0
      ? [
          text('What the sessions that ended count of themselves:'),
          facts(
            ['allowed', allowed],
            ['denied', denied],
            ['approvals', asked],
            ['dry runs', dry],
            ['over budget', over],
            ['blocked for data', blocked],
            ['masked data', masked],
          ),
        ]
      : []),
    tallyTable('Events by session', 'session_id', s.by_session),
  ]
}

function coverage({ coverage: c }: Summary): Block[] {
  const { gaps, instrumentation, unseen, silent_hooks: silent } = c
  return [
    facts(
      ['known gaps', gaps.count],
      ['events known to be lost', gaps.dropped],
      ['calls without an outcome', unseen.no_outcome],
      ['calls that a model asked for without a record', unseen.announced_not_recorded],
      ['sessions whose hooks are silent', silent.reduce((sum, { sessions }) => sum + sessions, 0)],
      ['events without a user', c.without_user],
      ['starts of the recorder', c.recorder_starts],
      ['after an unclean end', c.unclean_starts],
      ['nothing recorded before starts', duration(c.paused_ms)],
    ),
    text('inline: could have been stopped. observed: was seen. reported: somebody told us. What no layer saw is not here.'),
    tallyTable('By vantage', 'vantage', c.by_vantage),
    tallyTable('By source', 'source', c.by_source),
    {
      kind: 'table',
      caption: 'Calls of which nothing more was seen: run without a record, or never run',
      columns: [{ title: 'seq', as: 'number' }, { title: 'finding' }, { title: 'tool' }, { title: 'session_id' }, { title: 'timestamp' }],
      rows: unseen.newest.map(({ seq, finding, tool, session_id, timestamp }) => [
        `${seq}`,
        finding,
        data(tool),
        data(session_id),
        data(timestamp),
      ]),
      empty: 'none.',
    },
    {
      kind: 'table',
      caption: 'Clients with sessions that their telemetry tells of and no hook: nobody could stop them',
      columns: [
        { title: 'client' },
        { title: 'sessions', as: 'number' },
        { title: 'newest seq', as: 'number' },
        { title: 'hooks of other sessions' },
      ],
      rows: silent.map(({ client, sessions: count, seq, hooks_elsewhere: elsewhere }) => [
        data(client),
        count,
        `${seq}`,
        elsewhere ? 'recorded' : 'none',
      ]),
      empty: 'none.',
    },
    {
      kind: 'table',
      caption: `Times in which we know to have been blind${more(gaps)}`,
      columns: [
        { title: 'seq', as: 'number' },
        { title: 'type' },
        { title: 'from' },
        { title: 'to' },
        { title: 'reason' },
        { title: 'lost', as: 'number' },
      ],
      rows: gaps.newest.map((gap) => [
        `${gap.seq}`,
        data(gap.event_type),
        data(gap.from),
        data(gap.to),
        data(gap.reason),
        gap.dropped ?? '–',
      ]),
      empty: 'none was recorded.',
    },
    {
      kind: 'table',
      caption: 'Longest times without a recorder',
      columns: [{ title: 'from' }, { title: 'to' }, { title: 'ended before' }],
      rows: c.pauses.map(({ from, to, clean }) => [from, to, clean ? 'cleanly' : 'uncleanly']),
      empty: 'none.',
    },
    {
      kind: 'table',
      caption: `What is instrumented${more(instrumentation)}`,
      columns: [
        { title: 'seq', as: 'number' },
        { title: 'time' },
        { title: 'what' },
        { title: 'version' },
        { title: 'tested' },
        { title: 'can block' },
      ],
      rows: instrumentation.newest.map((one) => [
        `${one.seq}`,
        one.timestamp ?? '–',
        data(one.name),
        data(one.version),
        yesNo(one.tested),
        yesNo(one.can_block),
      ]),
      empty: 'nothing said so.',
    },
  ]
}

export const more = ({ count, newest }: { readonly count: number; readonly newest: readonly unknown[] }): string =>
  count > newest.length ? `, the newest ${newest.length} of ${formatNumber(count)}` : ''
const yesNo = (value: boolean | null): string => (value === null ? '–' : value ? 'yes' : 'no')
