/** Every built-in rule: what it finds, and what comes near and is not found. Every kind of a user's rule. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { type Alert, BUILT_IN, createEngine, type Rule } from '../src/alerts/index.ts'
import { alertsSchema } from '../src/alerts/schema.ts'
import type { Members } from './support/ledgers.ts'

const T0 = Date.parse('2026-03-02T09:00:00.000Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const at = (ms: number, members: Members): Members => ({ timestamp: new Date(T0 + ms).toISOString(), ...members })
const times = (count: number, members: Members, everyMs = 1000): Members[] =>
  Array.from({ length: count }, (_, i) => at(i * everyMs, members))

function run(rules: readonly Rule[], events: readonly Members[]): Alert[] {
  const engine = createEngine(rules)
  const alerts = events.flatMap((event, seq) => engine.take({ seq, entry_hash: `h${seq}`, ...event }, Number.MAX_SAFE_INTEGER))
  return [...alerts, ...engine.tick(T0 + 365 * DAY)]
}

const ok = { event_type: 'tool_call_end', severity: 'info' }
const failed = { event_type: 'tool_call_error', severity: 'error' }
const denied = { event_type: 'authorization_decision', decision: 'deny', agent_id: 'a' }
const call = { event_type: 'tool_call_start', user: 'alice', agent_id: 'a', tool: 'search', session_id: 's' }
const approved = (ms: number) => ({
  event_type: 'authorization_decision',
  decision: 'allow',
  human_decision: { approved: true, response_time_ms: ms, approver: 'bob' },
})
const report = (canBlock: boolean) => ({
  event_type: 'instrumentation_report',
  metadata: { package: 'openai', can_block: canBlock, tested: true },
})
/** An agent that has been known for two days, by 60 calls of one tool on one host. */
const usual = Array.from({ length: 60 }, (_, i) => at(i * HOUR, { ...call, session_id: `s${i}`, target: 'https://crm.example/v1' }))
/** A user who has worked from 9 to 17 for 20 days. */
const office = Array.from({ length: 20 * 8 }, (_, i) => at(Math.floor(i / 8) * DAY + (i % 8) * HOUR, { ...call, session_id: `s${i}` }))

/** A call, told by a hook; and a model that asks for it. */
const begun = { ...call, correlation_id: 'c-1', source: { kind: 'hook' }, arguments: { q: 1 } }
const ended = { ...begun, event_type: 'tool_call_end' }
const announced = { event_type: 'model_response', session_id: 's', result: { tool_calls: [{ id: 't-1', name: 'search' }] } }

/** A call of Codex, told by its telemetry and by its hook. */
const told = { event_type: 'tool_call_end', session_id: 's', source: { kind: 'otlp', name: 'codex_otel.log_only' } }
const hooked = { event_type: 'authorization_decision', decision: 'allow', session_id: 's', source: { kind: 'hook', name: 'codex' } }

/** rule -> events in which it finds something, and events in which it does not. */
const CASES: Readonly<Record<string, { found: readonly Members[]; near: readonly Members[] }>> = {
  high_error_rate: {
    found: [...times(8, ok), ...times(3, failed)],
    near: [...times(8, ok), ...times(2, failed), ...times(5, ok), at(2 * HOUR, failed)], // 20 % is not more than 20 %
  },
  excessive_user_activity: { found: times(1001, call), near: [...times(1000, call), ...times(500, { ...call, user: 'bob' })] },
  auth_failure_spike: { found: times(11, { event_type: 'auth_failure' }), near: times(10, { event_type: 'auth_failure' }) },
  denial_spike: { found: times(11, denied), near: [...times(10, denied), ...times(10, { ...denied, agent_id: 'b' })] },
  dlp_burst: {
    found: times(11, { event_type: 'dlp_match', agent_id: 'a' }),
    near: times(30, { event_type: 'dlp_match', agent_id: 'a' }, 2 * MINUTE),
  },
  new_tool: {
    found: [...usual, at(61 * HOUR, { ...call, tool: 'shell' })],
    near: [...usual.slice(0, 20), at(30 * HOUR, { ...call, tool: 'shell' }), ...usual.slice(31), at(62 * HOUR, { ...call, tool: 'shell' })],
  },
  new_target: {
    found: [...usual, at(61 * HOUR, { ...call, target: 'https://evil.example/v1' })],
    near: [...usual, at(61 * HOUR, { ...call, target: 'https://CRM.example/v2/other' })],
  },
  off_hours: { found: [...office, at(20 * DAY + 18 * HOUR, call)], near: [...office, at(20 * DAY + 4 * HOUR, call)] },
  exfiltration_shape: {
    found: [
      at(0, { ...call, tool: 'read_file', arguments: { path: '/home/u/.aws/credentials' } }),
      at(MINUTE, { ...call, tool: 'http_post' }),
    ],
    near: [
      at(0, { ...call, tool: 'http_post' }),
      at(1000, { ...call, tool: 'read_file', arguments: { path: '/home/u/.aws/credentials' } }),
      at(2000, { ...call, tool: 'http_post', session_id: 'other' }),
      at(3000, { ...call, event_type: 'authorization_decision', decision: 'deny', tool: 'http_post' }),
      at(4000, { ...call, tool: 'read_file', arguments: { path: '/home/u/environment.md' } }),
      at(11 * MINUTE, { ...call, tool: 'http_post' }),
    ],
  },
  approval_fatigue: { found: times(6, approved(900)), near: [...times(5, approved(900)), ...times(9, approved(3000))] },
  silent_recorder: {
    found: [at(0, call), at(20 * MINUTE, { ...ok, session_id: 's' })],
    near: [at(0, call), at(14 * MINUTE, { ...ok, session_id: 's' }), at(HOUR, { ...ok, session_id: 's' })],
  },
  coverage_drop: {
    found: [report(true), report(false)].map((e) => at(0, e)),
    near: [report(false), report(true), report(true)].map((e) => at(0, e)),
  },
  call_without_outcome: {
    found: [at(0, begun), at(20 * MINUTE, failed)],
    near: [
      at(0, begun),
      at(1000, { ...begun, source: { kind: 'mcp_stdio' }, correlation_id: 'c-2' }), // the same call, seen by the proxy
      at(14 * MINUTE, { ...ended, source: { kind: 'mcp_stdio' }, correlation_id: 'c-2' }),
      at(HOUR, { ...begun, correlation_id: 'c-3' }),
      at(HOUR + 1000, { ...ended, correlation_id: 'c-3' }),
      at(2 * HOUR, { event_type: 'session_end', session_id: 's' }),
    ],
  },
  call_not_recorded: {
    found: [at(0, announced), at(20 * MINUTE, failed)],
    near: [at(0, announced), at(1000, begun), at(2000, { ...ended, correlation_id: 'c-1' }), at(HOUR, { ...announced, result: {} })],
  },
  silent_hooks: {
    found: [
      at(0, hooked),
      at(0, { ...told, session_id: 'other' }),
      at(4 * MINUTE, { ...hooked, source: { kind: 'hook', name: 'claude-code' }, session_id: 'other' }), // of another client
      at(5 * MINUTE, ok),
    ],
    near: [
      at(0, told),
      at(4 * MINUTE, hooked), // a hook comes in time, and once is enough
      at(HOUR, told),
      at(2 * HOUR, { ...told, session_id: 'other', event_type: 'user_prompt' }),
      at(2 * HOUR, { ...told, session_id: 'third', source: { kind: 'otlp', name: 'my-agent' } }),
      at(3 * HOUR, ok),
    ],
  },
  gap: { found: [at(0, { event_type: 'log.recovered' })], near: [at(0, { event_type: 'log.start' })] },
}

test('the table has every built-in rule', () => {
  assert.deepEqual(Object.keys(CASES).toSorted(), BUILT_IN.map(({ name }) => name).toSorted())
})

for (const [name, { found, near }] of Object.entries(CASES)) {
  const rule = BUILT_IN.filter((one) => one.name === name)
  describe(`built in: ${name}`, () => {
    test('finds it, and names entries that prove it', () => {
      const alerts = run(rule, found)
      assert.equal(alerts[0]?.rule, name)
      const { evidence, first, last } = alerts[0]!
      assert.ok(evidence.length > 0 && evidence.length <= 20)
      assert.ok(evidence.every((seq) => seq >= first && seq <= last && last < found.length))
    })
    test('a near miss is none', () => assert.deepEqual(run(rule, near), []))
  })
}

/** A user's rule as YAML has it -> events, seqs at which it finds something. */
const KINDS: readonly (readonly [what: string, rule: Partial<Rule>, events: readonly Members[], last: readonly number[]])[] = [
  [
    'each event that matches',
    { when: 'tool == "x"', cool_down: '1s' },
    [at(0, { tool: 'x' }), at(0, { tool: 'y' }), at(1000, { tool: 'x' })],
    [0, 2],
  ],
  ['a sum', { threshold: { more_than: 9.9, sum: 'cost_usd' } }, times(3, { cost_usd: 5 }), [1]],
  ['a rate', { window: '20s', rate: { more_than: 1, per: '1s' } }, times(30, {}, 500), [20]],
  [
    'three steps',
    { sequence: ['tool == "a"', 'tool == "b"', 'tool == "c"'] },
    ['c', 'a', 'c', 'b', 'b', 'c'].map((tool, i) => at(i, { tool })),
    [5],
  ],
  [
    'a count unlike the windows before',
    { window: '1m', deviation: { factor: 3, windows: 3, at_least: 5 } },
    [...times(8, {}, 30_000), ...Array.from({ length: 20 }, (_, i) => at(4 * MINUTE + i, {}))],
    [8 + 6], // a mean of 2 and three times its root: 6.2
  ],
  [
    'a mean unlike the windows before',
    { window: '1m', deviation: { of: 'duration_ms', factor: 3, windows: 3, at_least: 2 } },
    [...times(8, { duration_ms: 100 }, 30_000), at(4 * MINUTE, { duration_ms: 500 }), at(4 * MINUTE, { duration_ms: 100 })],
    [9],
  ],
]
test('a call without an outcome is found when its session ends, when its end is unknown, or when its time is up; each once', () => {
  const rule = BUILT_IN.filter(({ name }) => name === 'call_without_outcome')
  const open = (id: string, tool: string) => ({ ...begun, correlation_id: id, tool, arguments: { id } })
  const alerts = run(rule, [
    at(0, open('a', 'one')),
    at(1000, { ...open('a', 'one'), event_type: 'tool_call_error', error_type: 'outcome_unknown' }),
    at(2000, open('b', 'two')),
    at(3000, { event_type: 'session_end', session_id: 's' }),
    at(4000, open('c', 'three')),
    at(5000, open('d', 'three')), // the same count: once in an hour
  ])
  assert.deepEqual(
    alerts.map(({ evidence, by, time }) => [evidence[0], by.tool, time - T0]),
    [
      [0, 'one', 1000],
      [2, 'two', 3000],
      [4, 'three', 4000 + 15 * MINUTE],
    ],
  )
})

test('sessions without a hook are told once a day for each client, at the first call of each', () => {
  const rule = BUILT_IN.filter(({ name }) => name === 'silent_hooks')
  const claude = { ...told, source: { kind: 'otlp', name: 'com.anthropic.claude_code.events' } }
  const alerts = run(rule, [
    at(0, told),
    at(1000, claude),
    at(2000, told),
    at(HOUR, { ...told, session_id: 't' }), // the same count: quiet for a day
    at(2 * DAY, told),
  ])
  assert.deepEqual(
    alerts.map(({ evidence, by, time }) => [evidence, by, time - T0 - 5 * MINUTE]),
    [
      [[0], { client: 'codex' }, 0],
      [[1], { client: 'claude-code' }, 1000],
      [[4], { client: 'codex' }, 2 * DAY],
    ],
  )
})

for (const [what, rule, events, last] of KINDS) {
  test(`a user's rule finds ${what}`, () => {
    const { rules = [] } = alertsSchema.parse({ rules: [{ name: 'mine', ...rule }] })
    assert.deepEqual(
      run(rules, events).map((alert) => alert.last),
      last,
    )
  })
}

const REFUSED: readonly (readonly [what: string, section: object, message: RegExp])[] = [
  ['two kinds', { rules: [{ name: 'a', silence: true, threshold: { more_than: 1 } }] }, /one of threshold, silence was expected/],
  ['a name that is taken', { rules: [{ name: 'gap' }] }, /a name that no other rule has/],
  ['two rules of one name', { rules: [{ name: 'a' }, { name: 'a' }] }, /a name that no other rule has/],
  ['a filter that is none', { rules: [{ name: 'a', when: 'tool ==' }] }, /a filter is not valid/],
  ['a member that is none', { rules: [{ name: 'a', when: 'desicion == "deny"' }] }, /did you mean "decision"/],
  ['an unknown rule', { disable: ['of_hours'] }, /one of high_error_rate/],
  ['calls by what is not known of them', { rules: [{ name: 'a', unseen: 'no_outcome', by: ['user'] }] }, /counts by session_id and tool/],
  ['sessions by a tool', { rules: [{ name: 'a', unseen: 'no_hook', by: ['tool'] }] }, /no_hook counts by session_id and client/],
  ['calls of some events', { rules: [{ name: 'a', unseen: 'no_outcome', when: 'tool == "x"' }] }, /unseen looks at every event/],
  ['a window that is none', { rules: [{ name: 'a', window: '1 hour' }] }, /a duration like/],
]
for (const [what, section, message] of REFUSED) {
  test(`the configuration refuses ${what}`, () => {
    const issue = alertsSchema.safeParse(section).error?.issues[0]
    assert.match(issue?.message ?? '', message)
  })
}

test('the guide lists the built-in rules, and its configuration is one', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/alerts.md'), 'utf8')
  assert.deepEqual(
    [...guide.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name),
    BUILT_IN.map(({ name }) => name),
  )
  const { rules = [] } = alertsSchema.parse(parse(/```yaml\n([\s\S]*?)```/.exec(guide)![1]!).audit.alerts)
  assert.equal(rules.length, 10)
})
