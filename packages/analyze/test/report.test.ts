/** A report says what counting by hand says: over any ledger, through the index and through a scan. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { count as countFor } from '../../../testkit/src/suite.ts'
import { createEngine } from '../src/alerts/index.ts'
import { openIndexDatabase } from '../src/index/database.ts'
import { feedIndex } from '../src/index/feed.ts'
import { createIndexSource } from '../src/query/index-source.ts'
import { createScan } from '../src/query/scan.ts'
import { ACCURACY, createDurations } from '../src/report/durations.ts'
import { formatHtml } from '../src/report/html.ts'
import { formatMarkdown } from '../src/report/markdown.ts'
import { createOpenEnds, MAX_OPEN } from '../src/report/open-ends.ts'
import { toDocument } from '../src/report/pages/index.ts'
import { createReport, summarize } from '../src/report/report.ts'
import { createSummary, type Summary } from '../src/report/summary.ts'
import { createTally, MAX_LISTED, MAX_NAMES, type Tallied } from '../src/report/tally.ts'
import { events as alertEvents, NOW, RULES } from './support/alerts.ts'
import { anyEvent, linesOf, type Members, temporary, writeSegments } from './support/ledgers.ts'

const runs = { numRuns: countFor({ fast: 60, ci: 300, full: 2000 }) }
const T0 = Date.parse('2026-11-21T10:00:00Z')
const some = fc.constantFrom
const name = some('alice', 'bob', '<b>x</b>', '\u202eevil', '__proto__', 'constructor', '5', 5, null)

/** Events of the kinds that a report looks into, with members that may be of any type. */
const known: fc.Arbitrary<Members> = fc.record(
  {
    timestamp: fc.oneof(
      fc.integer({ min: 0, max: 5000 }).map((n) => new Date(T0 + n * 3_600_000).toISOString()),
      some('soon', 5),
    ),
    event_type: some(
      ...[
        'session_start',
        'session_end',
        'authorization_decision',
        'approval_requested',
        'tool_call_start',
        'tool_call_end',
        'tool_call_error',
      ],
      ...['method_blocked', 'model_response', 'dlp_match', 'security_alert', 'observation_gap', 'log.gap', 'log.start', 'log.recovered'],
    ),
    severity: some('info', 'error', 'critical'),
    decision: some('allow', 'deny', 'ask'),
    reason_code: some(
      'dry_run',
      'budget_exceeded',
      'rate_limited',
      'dlp_blocked',
      'approval_timeout',
      'approval_unavailable',
      'approval_late',
    ),
    violation: fc.boolean(),
    enforced: fc.boolean(),
    user: name,
    tool: name,
    session_id: some('s-1', 's-2', 's-3'),
    correlation_id: some('c-1', 'c-2', 'c-3', 7),
    is_error: fc.boolean(),
    duration_ms: fc.oneof(fc.integer({ min: -2, max: 5000 }), fc.double({ noNaN: true, min: 0, max: 9e4 }), some('long', 1e13)),
    human_decision: fc.record(
      { approved: fc.oneof(fc.boolean(), some('yes')), response_time_ms: fc.nat(9000), approver: name },
      { requiredKeys: [] },
    ),
    pattern: name,
    match_count: fc.oneof(fc.nat(9), some(-1, 'many')),
    redacted: fc.boolean(),
    usage: fc.record({ input_tokens: fc.nat(999), output_tokens: fc.oneof(fc.nat(99), some('few')) }, { requiredKeys: [] }),
    source: fc.oneof(
      fc.record({ kind: some('hook', 'sdk'), vantage: some('inline', 'observed', 'reported') }, { requiredKeys: [] }),
      some({ kind: 'hook', name: 'codex' }, { kind: 'otlp', name: 'codex_exec' }),
    ),
    previous_stop: some('clean', 'crash'),
    dropped: fc.nat(9),
    metadata: fc.oneof(
      fc.record({ budget: fc.record({ used: fc.nat(50), remaining: some(0, 5, null), unlimited: fc.boolean() }, { requiredKeys: [] }) }),
      fc.record({ stats: fc.record({ allowed: fc.nat(9), denied: fc.oneof(fc.nat(9), some('x')) }, { requiredKeys: [] }) }),
      fc.record({ rule: name, evidence: fc.array(fc.nat(40), { maxLength: 3 }) }),
      fc.record({ dropped: fc.nat(9), reason: some('queue_full') }),
      fc.record({ approval: fc.record({ id: some('q-1', 'q-2') }) }),
      fc.constant('text'),
    ),
  },
  { requiredKeys: ['event_type'] },
)
const ledger = fc.array(fc.oneof({ weight: 3, arbitrary: known }, anyEvent), { minLength: 1, maxLength: 60 })

type E = Members & { readonly seq: number }
const inObject = (value: unknown, member: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, member)
    ? Reflect.get(value, member)
    : undefined
const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.toWellFormed() : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const timeOf = (e: E): number => (typeof e.timestamp === 'string' ? Date.parse(e.timestamp) : Number.NaN)

/** Every name with its count, by the plainest means there are. */
function byHand(
  entries: readonly E[],
  read: (e: E) => string | undefined,
  weight: (e: E) => number = () => 1,
): Pick<Tallied, 'names' | 'without'> {
  const groups = Map.groupBy(entries, read)
  const named = [...groups].flatMap(([key, own]) => (key === undefined ? [] : [{ name: key, count: sum(own.map(weight)) }]))
  named.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  return { names: named, without: sum((groups.get(undefined) ?? []).map(weight)) }
}

function checkTally(ours: Tallied, hand: Pick<Tallied, 'names' | 'without'>): void {
  assert.deepEqual(ours, { ...hand, distinct: hand.names.length, others: 0, overflow: false })
}

/** Ids that began and did not end after it. */
function openByHand(entries: readonly E[], begins: (e: E) => unknown, ends: (e: E) => unknown): number {
  const begun = entries.flatMap((e, i) => (typeof begins(e) === 'string' ? [{ id: begins(e), i }] : []))
  const left = begun.filter(({ id, i }) => !entries.some((e, j) => j > i && ends(e) === id))
  return new Set(left.map(({ id }) => id)).size
}

function checkDurations(ours: Summary['duration'], given: readonly unknown[]): void {
  const all = given.filter((ms): ms is number => isAmount(ms) && ms <= 1e12)
  const sorted = all.toSorted((a, b) => a - b)
  assert.equal(ours.count, all.length)
  assert.equal(ours.avg_duration_ms, all.length === 0 ? null : sum(all) / all.length)
  assert.equal(ours.max_duration_ms, sorted.at(-1) ?? null)
  for (const [q, value] of [
    [0.5, ours.p50_duration_ms],
    [0.95, ours.p95_duration_ms],
    [0.99, ours.p99_duration_ms],
  ] as const) {
    const exact = sorted[Math.ceil(q * sorted.length) - 1]
    if (exact === undefined) assert.equal(value, null)
    else
      assert.ok(
        value !== null && Math.abs(value - exact) <= exact * ACCURACY + 1.1e-6,
        `p${q * 100}: ${exact} was expected, found ${value}`,
      )
  }
}

/** Compares a summary with counts made over the whole array at once. */
function checkByHand(s: Summary, all: readonly E[]): void {
  const isType =
    (...types: string[]) =>
    (e: E) =>
      types.includes(e.event_type as string) // compared only
  const log = (e: E): boolean => typeof e.event_type === 'string' && e.event_type.startsWith('log.')
  const events = all.filter((e) => !log(e))
  const decisions = all.filter(isType('authorization_decision'))
  const where = (list: readonly E[], member: string, value: unknown): number => list.filter((e) => e[member] === value).length
  assert.equal(s.total_entries, all.length)
  assert.equal(s.total_events, events.length)
  const times = events.map(timeOf).filter((t) => !Number.isNaN(t))
  assert.equal(s.first, times.length === 0 ? null : new Date(Math.min(...times)).toISOString())
  assert.equal(s.last, times.length === 0 ? null : new Date(Math.max(...times)).toISOString())
  const columns = {
    type: 'event_type',
    user: 'user',
    tool: 'tool',
    decision: 'decision',
    severity: 'severity',
    reason_code: 'reason_code',
  } as const
  for (const [column, member] of Object.entries(columns))
    checkTally(
      s[`events_by_${column as keyof typeof columns}`],
      byHand(events, (e) => asText(e[member])),
    )
  checkTally(
    s.events_by_agent,
    byHand(events, (e) => asText(e.agent_id) ?? asText(inObject(e.agent, 'name'))),
  )
  assert.equal(s.error_count, events.filter((e) => e.severity === 'error' || e.severity === 'critical').length)
  assert.equal(s.error_rate, events.length === 0 ? null : s.error_count / events.length)
  checkDurations(
    s.duration,
    events.map((e) => e.duration_ms),
  )
  checkCalls(s.calls, all, decisions)

  const asked = (e: E): unknown => {
    const id = inObject(inObject(e.metadata, 'approval'), 'id')
    return typeof id === 'string' ? id : e.correlation_id
  }
  const answered = decisions.filter((e) => typeof inObject(e.human_decision, 'approved') === 'boolean')
  assert.equal(s.approvals.requested, all.filter(isType('approval_requested')).length)
  assert.equal(s.approvals.approved, answered.filter((e) => inObject(e.human_decision, 'approved') === true).length)
  assert.equal(s.approvals.denied, answered.length - s.approvals.approved)
  assert.equal(s.approvals.approval_timeout, where(decisions, 'reason_code', 'approval_timeout'))
  assert.equal(s.approvals.approval_unavailable, where(decisions, 'reason_code', 'approval_unavailable'))
  assert.equal(s.approvals.late_answers, where(all, 'reason_code', 'approval_late'))
  const isDecision = isType('authorization_decision')
  assert.equal(
    s.approvals.open,
    openByHand(
      all,
      (e) => (isType('approval_requested')(e) ? asked(e) : undefined),
      (e) => (isDecision(e) ? asked(e) : undefined),
    ),
  )
  checkDurations(
    s.approvals.response_time,
    answered.map((e) => inObject(e.human_decision, 'response_time_ms')),
  )

  const matches = all.filter(isType('dlp_match'))
  const weight = (e: E): number => (isAmount(e.match_count) ? e.match_count : 1)
  assert.equal(s.dlp.matches, sum(matches.map(weight)))
  assert.equal(s.dlp.redacted, where(matches, 'redacted', true))
  assert.equal(s.dlp.calls_blocked, where(decisions, 'reason_code', 'dlp_blocked'))
  checkTally(
    s.dlp.by_pattern,
    byHand(matches, (e) => (typeof e.pattern === 'string' ? e.pattern : undefined), weight),
  )

  const ended = all.filter(isType('session_end'))
  const budgets = ended.map((e) => inObject(e.metadata, 'budget')).filter((b) => isAmount(inObject(b, 'used')))
  assert.equal(s.budgets.sessions, budgets.length)
  assert.equal(s.budgets.used, sum(budgets.map((b) => Number(inObject(b, 'used')))))
  assert.equal(
    s.budgets.sessions_used_up,
    budgets.filter((b) => inObject(b, 'remaining') === 0 && inObject(b, 'unlimited') !== true).length,
  )
  assert.equal(s.budgets.budget_exceeded, where(decisions, 'reason_code', 'budget_exceeded'))
  assert.equal(s.budgets.input_tokens, sum(all.map((e) => inObject(e.usage, 'input_tokens')).filter(isAmount)))
  assert.equal(s.sessions.started, all.filter(isType('session_start')).length)
  assert.equal(s.sessions.stats.denied, sum(ended.map((e) => inObject(inObject(e.metadata, 'stats'), 'denied')).filter(isAmount)))
  checkTally(
    s.sessions.by_session,
    byHand(
      events.filter((e) => e.session_id !== undefined),
      (e) => asText(e.session_id),
    ),
  )

  checkTally(
    s.coverage.by_vantage,
    byHand(events, (e) => asText(inObject(e.source, 'vantage'))),
  )
  const silent = s.coverage.silent_hooks.reduce((sessions, one) => sessions + one.sessions, 0)
  assert.equal(silent, silentByHand(all))
  assert.equal(s.coverage.without_user, events.filter((e) => e.user === undefined).length)
  assert.equal(s.coverage.gaps.count, all.filter(isType('observation_gap', 'log.gap')).length)
  assert.equal(s.coverage.unclean_starts, all.filter((e) => e.event_type === 'log.start' && e.previous_stop !== 'clean').length)
  const pauses = all.flatMap((e, i) => {
    const before = all
      .slice(0, i)
      .map(timeOf)
      .findLast((t) => !Number.isNaN(t))
    return e.event_type === 'log.start' && before !== undefined && timeOf(e) - before >= 1000 ? [timeOf(e) - before] : []
  })
  assert.equal(s.coverage.paused_ms, sum(pauses))
  assert.equal(s.coverage.pauses.length, Math.min(10, pauses.length))
  const alerts = all.filter(isType('security_alert'))
  checkTally(
    s.anomalies.by_rule,
    byHand(alerts, (e) => (typeof inObject(e.metadata, 'rule') === 'string' ? String(inObject(e.metadata, 'rule')) : undefined)),
  )
  assert.deepEqual(
    s.anomalies.newest.map(({ seq }) => seq),
    alerts.slice(-20).map(({ seq }) => seq),
  )
  assert.equal(sum(s.timeline.steps.map((step) => step.events)) + s.timeline.unplaced, events.length)
  assert.equal(
    sum(s.timeline.steps.map((step) => step.denied)),
    events.filter((e) => times.length > 0 && !Number.isNaN(timeOf(e)) && (e.decision === 'deny' || e.event_type === 'method_blocked'))
      .length,
  )
  for (const [i, { from, events: found }] of s.timeline.steps.entries()) {
    const [start, end] = [Date.parse(from), Date.parse(from) + s.timeline.step_hours * 3_600_000]
    assert.equal(found, events.filter((e) => timeOf(e) >= start && timeOf(e) < end).length, `step ${i}`)
  }
}

function checkCalls(calls: Summary['calls'], all: readonly E[], decisions: readonly E[]): void {
  const isEnd = (e: E): boolean => e.event_type === 'tool_call_end' || e.event_type === 'tool_call_error'
  const isFailed = (e: E): boolean => e.event_type === 'tool_call_error' || e.is_error === true
  const ends = all.filter(isEnd)
  assert.equal(calls.allowed, decisions.filter((e) => e.decision === 'allow').length)
  assert.equal(calls.denied, decisions.filter((e) => e.decision === 'deny').length)
  assert.equal(calls.let_through, decisions.filter((e) => e.decision === 'allow' && e.violation === true && e.enforced === false).length)
  assert.equal(calls.failed, ends.filter(isFailed).length)
  assert.equal(calls.ok, ends.length - calls.failed)
  const begins = (e: E): boolean =>
    e.event_type === 'tool_call_start' ||
    (e.event_type === 'authorization_decision' && e.decision === 'allow' && e.reason_code !== 'dry_run')
  assert.equal(
    calls.outcome_unknown,
    openByHand(
      all,
      (e) => (begins(e) ? e.correlation_id : undefined),
      (e) => (isEnd(e) ? e.correlation_id : undefined),
    ),
  )
  assert.equal(calls.outcome_not_followed, all.filter((e) => begins(e) && typeof e.correlation_id !== 'string').length)
  for (const { tool, ok, failed, denied, ...durations } of calls.tools) {
    const own = ends.filter((e) => asText(e.tool) === tool)
    assert.equal(failed, own.filter(isFailed).length)
    assert.equal(ok, own.length - failed)
    assert.equal(denied, decisions.filter((e) => e.decision === 'deny' && asText(e.tool) === tool).length)
    checkDurations(
      durations,
      own.map((e) => e.duration_ms),
    )
  }
  assert.equal(sum(calls.tools.map((t) => t.ok + t.failed)), ends.filter((e) => asText(e.tool) !== undefined).length)
}

test('a summary is what counting by hand gives, over any entries', () => {
  fc.assert(
    fc.property(ledger, (events) => {
      const entries: E[] = linesOf(events).map((line) => JSON.parse(line))
      const summary = createSummary()
      for (const entry of entries) summary.add(entry)
      checkByHand(summary.done(), entries)
    }),
    runs,
  )
})

function silentByHand(events: readonly Members[]): number {
  const sessionsOf = (kind: string, types?: readonly unknown[]) => {
    const of = events.filter((e) => inObject(e.source, 'kind') === kind && inObject(e.source, 'name') !== undefined)
    return new Set(
      of.filter((e) => types?.includes(e.event_type) ?? true).flatMap(({ session_id: id }) => (typeof id === 'string' ? [id] : [])),
    )
  }
  const told = sessionsOf('otlp', ['authorization_decision', 'tool_call_start', 'tool_call_end', 'tool_call_error'])
  return told.difference(sessionsOf('hook')).size
}

test('sessions that only telemetry tells of stand under Coverage, in every form', async () => {
  const of = (kind: string, name: string, session_id: string): Members => ({
    event_type: 'tool_call_end',
    timestamp: '2026-11-20T10:00:00.000Z',
    session_id,
    source: { kind, name, vantage: 'reported' },
  })
  const lines = linesOf([
    of('hook', 'codex', 'a'),
    of('otlp', 'codex_exec', 'a'),
    of('otlp', 'codex_exec', 'b'),
    of('otlp', 'codex_exec', 'c'),
  ])
  const files = writeSegments(temporary(), lines, [0])
  const report = await createReport(createScan(files), { integrity: null, now: Date.parse('2026-11-20T12:00:00.000Z') })
  assert.deepEqual(report.coverage.silent_hooks, [{ client: 'codex', sessions: 2, seq: 3, hooks_elsewhere: true }])
  const document = toDocument(report)
  assert.match(formatMarkdown(document), /sessions whose hooks are silent.*2[\s\S]*\| `codex` \| 2 \| 3 \| recorded/)
  assert.match(
    formatHtml(document).replaceAll(/<[^>]*>/g, ' '),
    /Clients with sessions that their telemetry tells of and no hook[^|]*codex +2 +3 +recorded/,
  )
})

test('a clock that is ahead is counted and said, and widens neither the period nor the chart', async () => {
  const at = (time: string): Members => ({ event_type: 'data_access', timestamp: time, user: 'alice' })
  const lines = linesOf([at('2026-11-20T10:00:00.000Z'), at('2026-11-20T12:30:00.000Z'), at('2199-12-31T23:59:00.000Z')])
  const files = writeSegments(temporary(), lines, [0])
  const now = Date.parse('2026-11-20T12:00:00.000Z')
  const report = await createReport(createScan(files), { integrity: null, now })
  assert.deepEqual([report.total_events, report.last, report.period_hours], [3, '2026-11-20T12:30:00.000Z', 2.5])
  assert.deepEqual([report.timeline.ahead, report.timeline.step_hours, report.timeline.steps.length], [1, 1, 3])
  assert.match(formatMarkdown(toDocument(report)), /1.* events say a time after this report was made/)
})

test('a report of a period is the same through the index and through a scan, and counts that period', async () => {
  const base = temporary()
  let run = 0
  await fc.assert(
    fc.asyncProperty(ledger, fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 }), async (events, a, b) => {
      const directory = join(base, String(run++))
      const lines = linesOf(events)
      const files = writeSegments(directory, lines, [0])
      const period = { since: T0 + Math.min(a, b) * 3_600_000, until: T0 + Math.max(a, b) * 3_600_000 }
      const index = await openIndexDatabase(directory)
      try {
        await feedIndex(index, files)
        const summary = await summarize(createIndexSource(index.db, files), period)
        assert.deepEqual(summary, await summarize(createScan(files), period))
        const entries: E[] = lines.map((line) => JSON.parse(line))
        checkByHand(
          summary,
          entries.filter((e) => timeOf(e) >= period.since && timeOf(e) < period.until),
        )
      } finally {
        index.close()
      }
    }),
    { numRuns: countFor({ fast: 15, ci: 60, full: 300 }) },
  )
})

describe('whatever comes, a report holds a bounded number of names', () => {
  test('later names are counted together, and it says so', () => {
    const tally = createTally()
    for (let n = 0; n < MAX_NAMES + 50; n++) tally.add(`user-${n}`)
    tally.add('user-0')
    const { names, distinct, others, overflow } = tally.done()
    assert.deepEqual(names[0], { name: 'user-0', count: 2 })
    assert.deepEqual([names.length, distinct, others, overflow], [MAX_LISTED, MAX_NAMES, MAX_NAMES + 50 - MAX_LISTED, true])
  })

  test('a name of any length takes little room', () => {
    const tally = createTally()
    tally.add('x'.repeat(1 << 20))
    assert.equal(tally.done().names[0]?.name.length, 201)
  })

  test('calls beyond those that can be followed are counted as not followed', () => {
    const open = createOpenEnds()
    for (let n = 0; n < MAX_OPEN + 3; n++) open.begin(`c-${n}`)
    open.begin('x'.repeat(201))
    open.end('c-0')
    assert.deepEqual(open.done(), { open: MAX_OPEN - 1, unfollowed: 4 })
  })

  test('percentiles are within half a percent, from nanoseconds to years', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.nat()), { maxLength: 300 }), (all) => {
        const durations = createDurations()
        for (const ms of all) durations.add(ms)
        checkDurations(durations.done(), all)
      }),
      runs,
    )
  })
})

test('rules are shown what was before the period: what they find in it is what they find there over all entries', async () => {
  const base = temporary()
  let run = 0
  await fc.assert(
    fc.asyncProperty(alertEvents, fc.nat(), async (drafts, part) => {
      const timed = drafts.filter(({ timestamp }) => Date.parse(String(timestamp)) < NOW) // no late or impossible times: then before is before
      const events = timed.toSorted((a, b) => (String(a.timestamp) < String(b.timestamp) ? -1 : 1))
      if (events.length === 0) return
      const since = Date.parse(String(events[part % events.length]!.timestamp))
      const files = writeSegments(join(base, String(run++)), linesOf(events), [0])
      const engine = createEngine(RULES)
      const all = events.flatMap((event, seq) =>
        engine.take({ ...event, seq }, NOW).map(({ rule }) => ({ rule, time: Date.parse(String(event.timestamp)) })),
      )
      const expected = all.filter(({ time }) => time >= since).map(({ rule }) => rule)
      const { found_anomalies: found } = await createReport(createScan(files), { since, rules: RULES, integrity: null, now: NOW })
      const earlier = events.filter(({ timestamp }) => Date.parse(String(timestamp)) < since).length
      assert.deepEqual(found?.before, { from: new Date(since - 15 * DAY_MS).toISOString(), entries: earlier })
      assert.deepEqual(Object.fromEntries(found!.by_rule.names.map(({ name: rule, count }) => [rule, count])), countBy(expected))
    }),
    runs,
  )
})

const DAY_MS = 86_400_000

function countBy(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(names)].map((one) => [one, names.filter((other) => other === one).length]))
}
