/** The engine: restarts change nothing, memory has a bound, and times that lie hide nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Alert, BUILT_IN, createEngine, describeAlert, type Rule, toAlertEvent } from '../src/alerts/index.ts'
import { events, NOW, RULES } from './support/alerts.ts'
import type { Members } from './support/ledgers.ts'

const entryOf = (event: Members, seq: number) => ({ ...event, seq, entry_hash: `h${seq}` })

function runWhole(rules: readonly Rule[], found: readonly Members[]): Alert[] {
  const engine = createEngine(rules)
  return found.flatMap((event, seq) => engine.take(entryOf(event, seq), NOW))
}

test('whatever is recorded and wherever it is stopped: a state through JSON goes on to the same alerts', () => {
  let alerts = 0
  fc.assert(
    fc.property(events, fc.array(fc.nat({ max: 60 })), (found, stops) => {
      const whole = runWhole(RULES, found)
      let engine = createEngine(RULES)
      const parts = found.flatMap((event, seq) => {
        if (stops.includes(seq)) engine = createEngine(RULES, JSON.parse(JSON.stringify(engine.state())))
        return engine.take(entryOf(event, seq), NOW)
      })
      assert.deepEqual(parts, whole)
      alerts += whole.length
    }),
  )
  assert.ok(alerts > 100, `only ${alerts} alerts were looked at`)
})

test('ticks bring silences and calls without an outcome earlier and no others', () => {
  fc.assert(
    fc.property(events, (found) => {
      const silences = RULES.filter(({ silence, unseen }) => silence || unseen)
      const inOrder = found
        .filter(({ timestamp, event_type: type }) => !Number.isNaN(Date.parse(String(timestamp))) && type !== 'security_alert') // no clock goes by an alert
        .toSorted((a, b) => (String(a.timestamp) < String(b.timestamp) ? -1 : 1))
      const engine = createEngine(silences)
      const live = inOrder.flatMap((event, seq) => {
        const now = Math.min(Date.parse(String(event.timestamp)), NOW)
        return [...engine.tick(now - 1), ...engine.take(entryOf(event, seq), NOW)]
      })
      const ids = (alerts: readonly Alert[]) => alerts.map(({ id }) => id).toSorted()
      assert.deepEqual(ids(live), ids(runWhole(silences, inOrder)))
    }),
  )
})

test('an id is a UUIDv7 of the time of what was found, and no two alerts have the same', () => {
  fc.assert(
    fc.property(events, (found) => {
      const alerts = runWhole(RULES, found)
      assert.equal(new Set(alerts.map(({ id }) => id)).size, alerts.length)
      for (const { id, time } of alerts) {
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), time)
      }
    }),
  )
})

test('no alert follows from an alert', () => {
  const alert = { event_type: 'security_alert', severity: 'critical', timestamp: new Date(NOW).toISOString(), decision: 'deny' }
  assert.deepEqual(
    runWhole(
      [...BUILT_IN, ...RULES],
      Array.from({ length: 2000 }, () => alert),
    ),
    [],
  )
})

test('values that flood every count stay within the bound, blind no other rule, and what was forgotten is said', () => {
  const engine = createEngine([...BUILT_IN, ...RULES])
  const said = new Set<string>()
  let most = 0
  const take = (event: Members, seq: number) => {
    for (const { rule } of engine.take(entryOf(event, seq), NOW)) said.add(rule)
    if (seq % 500 === 0) most = Math.max(most, engine.cells)
  }
  const begin = NOW - 12 * 3_600_000
  for (let i = 0; i < 12_000; i++) {
    const who = `${i}`.padStart(500, 'x')
    take(
      {
        timestamp: new Date(begin + i * 1000).toISOString(),
        event_type: 'tool_call_start',
        user: who,
        agent_id: who,
        session_id: who,
        tool: who,
        target: who,
      },
      i,
    )
  }
  for (let i = 0; i < 6000; i++) {
    const source = { kind: 'otlp', name: i % 2 ? 'codex_exec' : 'com.anthropic.claude_code.tracing' }
    const at = new Date(begin + 12_000_000 + i).toISOString()
    take({ timestamp: at, event_type: 'tool_call_end', session_id: `${i}`.padStart(200, 'x'), source }, 12_000 + i)
  }
  for (let i = 0; i < 11; i++) take({ timestamp: new Date(begin + 12_010_000 + i).toISOString(), event_type: 'auth_failure' }, 18_000 + i)
  assert.ok(most > 10_000 && most <= 50_001 * (BUILT_IN.length + RULES.length), `${most} cells`)
  assert.ok(said.has('counts_forgotten') && said.has('auth_failure_spike'))
  assert.ok(JSON.stringify(engine.state()).length < 20_000_000)
  assert.deepEqual(
    Object.values(engine.state().hookless ?? {}).map((sessions) => sessions.length),
    [4096, 4096, 4096], // one for each window of a rule that looks for sessions
  )
})

test('alerts of one rule beyond twenty in an hour are counted and said when it is over', () => {
  const found = Array.from({ length: 61 }, (_, i) => ({ timestamp: new Date(NOW - 7_200_000 + i * 60_000).toISOString(), tool: 't' }))
  const alerts = runWhole([{ name: 'each', cool_down: '1s' }], found)
  const held = alerts.find(({ rule }) => rule === 'alerts_held')
  assert.equal(alerts.filter(({ rule, last }) => rule === 'each' && last < 60).length, 20)
  assert.match(held?.text ?? '', /^40 alerts/)
})

const FAILURE = { event_type: 'auth_failure' }
const SPIKE = BUILT_IN.filter(({ name }) => name === 'auth_failure_spike')
const failures = (claimed: (i: number) => number) =>
  Array.from({ length: 12 }, (_, i) => ({ ...FAILURE, timestamp: new Date(claimed(i)).toISOString() }))

test('events that come late are counted, in their own time or as new', () => {
  const first = { event_type: 'tool_call_end', timestamp: new Date(NOW - 60_000).toISOString() }
  for (const late of [10 * 60_000, 90 * 60_000, 40 * 86_400_000]) {
    assert.equal(runWhole(SPIKE, [first, ...failures((i) => NOW - late + i)])[0]?.rule, 'auth_failure_spike', `${late} ms late`)
  }
})

test('a time that cannot be yet does not empty a count', () => {
  const future = { event_type: 'tool_call_end', timestamp: '9999-01-01T00:00:00.000Z' }
  const half = failures((i) => NOW - 60_000 + i)
  assert.equal(runWhole(SPIKE, [...half.slice(0, 6), future, ...half.slice(6)])[0]?.rule, 'auth_failure_spike')
})

test('values of events stand whole in the JSON of an alert, and never in its name', () => {
  const hostile = '$(reboot)`id`\n"; rm -rf / #\u001b[2J\u202e'
  const [alert] = runWhole([{ name: 'each', by: ['user'] }], [{ timestamp: new Date(NOW).toISOString(), user: hostile }])
  const event = JSON.parse(JSON.stringify(toAlertEvent(alert!)))
  assert.equal(event.metadata.by.user, hostile)
  assert.equal(event.metadata.rule, 'each')
  assert.ok(!describeAlert(alert!).includes('\n'))
})
