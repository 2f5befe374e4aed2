/** The alerter over a ledger that grows: killed anywhere, each alert is recorded once, and as history tells it. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GENESIS, linkLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { runAlerter } from '../src/alerts/alerter.ts'
import { type Alert, findAlerts, type Rule, toAlertEvent } from '../src/alerts/index.ts'
import { statePath } from '../src/alerts/state-file.ts'
import { findLedger, parseEntry, readLedger } from '../src/reading/index.ts'
import { events, NOW, RULES } from './support/alerts.ts'
import { type Members, temporary } from './support/ledgers.ts'

const END = { event_type: 'tool_call_end', tool: 'END' }
const rules: readonly Rule[] = [
  ...RULES.filter(({ name }) => !['silent', 'lost', 'hookless', 'unstopped'].includes(name)), // those come by the clock
  { name: 'end', when: 'tool == "END"', by: ['user'], cool_down: '1s' },
]
const base = temporary()
const now = () => NOW - 12 * 3_600_000 // after every event, and within the day in which a rebuilt state records

/** A ledger that a test appends to, linked as the recorder links. */
function createLedger() {
  const directory = mkdtempSync(join(base, 'l-'))
  mkdirSync(join(directory, 'segments'))
  let [seq, previous, file] = [0, GENESIS as Parameters<typeof linkLine>[4], '']
  return {
    directory,
    files: () => findLedger(directory, '/'),
    append(event: object): void {
      if (seq % 7 === 0) file = join(directory, 'segments', `${String(seq).padStart(20, '0')}.jsonl`) // rotates in the middle of everything
      const { line, entryHash } = linkLine(nodePrimitives, 'sha256', JSON.stringify(event), seq++, previous)
      previous = entryHash
      appendFileSync(file, Buffer.concat([line, Buffer.from('\n')]))
    },
    async recorded(): Promise<string[]> {
      const ids: string[] = []
      for await (const line of readLedger(this.files())) {
        const entry = parseEntry(line)
        if (entry?.event_type === 'security_alert' && typeof entry.event_id === 'string') ids.push(entry.event_id)
      }
      return ids
    },
  }
}
type Ledger = ReturnType<typeof createLedger>

/** Runs an alerter until `take` says false of an alert: then the process dies. The alerts that it acted on. */
async function runUntil(ledger: Ledger, take: (alert: Alert) => boolean, said: string[] = []): Promise<string[]> {
  const stop = new AbortController()
  const acted: string[] = []
  await runAlerter({
    files: ledger.files(),
    directory: ledger.directory,
    rules,
    async record(alert) {
      if (!stop.signal.aborted && !take(alert)) stop.abort()
      return true
    },
    act: async ({ id }) => void acted.push(id),
    say: (_, text) => void said.push(text),
    now,
    signal: stop.signal,
  })
  return acted
}

const idsOf = async (ledger: Ledger) =>
  (await Array.fromAsync(findAlerts(ledger.files(), { rules, follow: false, signal: AbortSignal.timeout(60_000), now }))).map(
    ({ id }) => id,
  )

/** A life of an alerter: events that come before it, after how many alerts it dies, what is left of its state. */
const life = fc.record({
  dieAfter: fc.nat({ max: 6 }),
  recordsLast: fc.boolean(),
  left: fc.constantFrom('newest', 'older', 'none', 'torn'),
})

test('killed at any alert, with a state that is old, gone or torn: none is lost, none is doubled, all are those of history', async () => {
  let alerts = 0
  await fc.assert(
    fc.asyncProperty(events, fc.array(life, { minLength: 1, maxLength: 4 }), async (found, lives) => {
      const ledger = createLedger()
      const path = statePath(ledger.directory)
      const states: string[] = []
      const share = Math.ceil(found.length / lives.length)
      for (const [i, { dieAfter, recordsLast, left }] of lives.entries()) {
        for (const event of [...found.slice(i * share, (i + 1) * share), { ...END, user: `${i}` } satisfies Members]) ledger.append(event)
        let asked = 0
        await runUntil(ledger, (alert) => {
          const dies = asked++ === dieAfter || (alert.rule === 'end' && alert.by.user === `${i}`)
          if (!dies || recordsLast) ledger.append(toAlertEvent(alert))
          return !dies
        })
        try {
          states.push(readFileSync(path, 'utf8'))
        } catch {} // died before it had read all
        if (left === 'none') rmSync(path, { force: true })
        else if (left === 'torn') writeFileSync(path, states.at(-1)?.slice(0, -9) ?? '{')
        else if (left === 'older' && states[0] !== undefined) writeFileSync(path, states[0])
      }
      ledger.append({ ...END, user: 'last' })
      await runUntil(ledger, (alert) => {
        ledger.append(toAlertEvent(alert))
        return alert.by.user !== 'last'
      })
      const recorded = await ledger.recorded()
      assert.equal(new Set(recorded).size, recorded.length)
      assert.deepEqual(recorded.toSorted(), (await idsOf(ledger)).toSorted())
      alerts += recorded.length
      rmSync(ledger.directory, { recursive: true })
    }),
    { numRuns: count({ fast: 15, ci: 100, full: 1000 }) },
  )
  assert.ok(alerts > 30, `only ${alerts} alerts were looked at`)
})

test('a record that only carries the id of an alert keeps the alert from nobody', async () => {
  const ledger = createLedger()
  ledger.append({ ...END, user: 'last' })
  const [id] = await idsOf(ledger)
  ledger.append({ event_type: 'security_alert', event_id: id, metadata: { rule: 'end', evidence: [99] } })
  const asked: Alert[] = []
  await runUntil(ledger, (alert) => void asked.push(alert) === undefined && false)
  assert.deepEqual(
    asked.map((alert) => alert.id),
    [id],
  )
})

test('actions run for an alert that is recorded; again only where the state forgot that they ran', async () => {
  const ledger = createLedger()
  ledger.append({ ...END, user: 'a' })
  const first = await runUntil(ledger, (alert) => {
    if (alert.by.user === 'b') return false
    ledger.append(toAlertEvent(alert))
    ledger.append({ ...END, user: 'b' })
    return true
  })
  assert.equal(first.length, 1)
  const second = await runUntil(ledger, (alert) => {
    if (alert.by.user === 'c') return false
    ledger.append(toAlertEvent(alert))
    ledger.append({ ...END, user: 'c' })
    return true
  })
  assert.equal(second.length, 1)
  assert.notEqual(second[0], first[0])
})

test('a ledger that was replaced under its state is read from its beginning', async () => {
  const [before, after] = [createLedger(), createLedger()]
  before.append({ ...END, user: 'old' })
  await runUntil(before, () => false)
  mkdirSync(join(after.directory, 'index'))
  writeFileSync(statePath(after.directory), readFileSync(statePath(before.directory)))
  after.append({ ...END, user: 'new' })
  const asked: string[] = []
  await runUntil(after, (alert) => void asked.push(alert.by.user!) === undefined && false)
  assert.deepEqual(asked, ['new'])
})

test('entries that were pruned before they were looked at are said, and what waited to be recorded still is', async () => {
  const ledger = createLedger()
  for (let i = 0; i < 7; i++) ledger.append({ ...END, user: `${i}` })
  await runUntil(ledger, () => false)
  for (let i = 0; i < 14; i++) ledger.append({ event_type: 'tool_call_end' })
  ledger.append({ ...END, user: 'new' })
  for (const first of [0, 7]) rmSync(join(ledger.directory, 'segments', `${String(first).padStart(20, '0')}.jsonl`))
  const asked: string[] = []
  const said: string[] = []
  await runUntil(ledger, (alert) => void asked.push(alert.by.user ?? '') === undefined && alert.by.user !== 'new', said)
  assert.deepEqual(
    asked.filter((user) => user !== ''),
    ['0', '1', '2', '3', '4', '5', '6', 'new'],
  )
  assert.match(said[0] ?? '', /^entries \d+ to 13 were pruned/)
})

const UNSEEN = {
  no_outcome: { event_type: 'tool_call_start', correlation_id: 'c', tool: 'a' },
  no_hook: { event_type: 'tool_call_end', source: { kind: 'otlp', name: 'codex_exec' } },
} as const
for (const unseen of ['no_outcome', 'no_hook'] as const) {
  test(`a call whose grace time is over is told without another entry, and once over restarts: ${unseen}`, async () => {
    const ledger = createLedger()
    const begun = Date.parse('2026-03-02T09:00:00.000Z')
    ledger.append({ timestamp: new Date(begun).toISOString(), session_id: 's', ...UNSEEN[unseen] })
    const live = async (nowMs: number, ends: (alert: Alert) => boolean): Promise<string[]> => {
      const found: string[] = []
      const stop = new AbortController()
      await runAlerter({
        files: ledger.files(),
        directory: ledger.directory,
        rules: [{ name: 'lost', by: ['session_id'], window: '10m', unseen }, ...rules.filter(({ name }) => name === 'end')],
        async record(alert) {
          ledger.append(toAlertEvent(alert))
          found.push(alert.rule)
          if (ends(alert)) stop.abort()
          return true
        },
        act: async () => {},
        say: () => {},
        now: () => nowMs,
        signal: stop.signal,
      })
      return found
    }
    const later = begun + 10 * 60_000
    assert.deepEqual(await live(later, () => true), ['lost'])
    ledger.append({ ...END, timestamp: new Date(later).toISOString(), user: 'u' })
    assert.deepEqual(await live(later + 3_600_000, ({ rule }) => rule === 'end'), ['end'])
  })
}
