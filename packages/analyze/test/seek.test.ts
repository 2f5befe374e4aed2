/** A time has a place where segments begin in the order of their times; alerts read from there what they read from the beginning. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Alert, createEngine, findAlerts, lookBackMs, toAlertEvent } from '../src/alerts/index.ts'
import { type Entry, seekTime } from '../src/reading/index.ts'
import { RULES } from './support/alerts.ts'
import { linesOf, temporary, writeSegments } from './support/ledgers.ts'

const T0 = Date.parse('2026-03-02T09:00:00.000Z')
const DAY_MS = 86_400_000
const base = temporary()
let run = 0

function ledgerOf(times: readonly number[], starts: readonly number[]) {
  const events = times.map((time, n) => ({
    timestamp: new Date(time).toISOString(),
    event_type: 'tool_call_start',
    tool: n % 7 === 0 ? 'b' : 'a',
    user: 'alice',
    session_id: 's-1',
  }))
  return writeSegments(join(base, String(run++)), linesOf(events), starts, 'gz')
}

test('nothing that is not older lies before the place of a time, and whole segments that are older do', async () => {
  const ledger = fc.record({
    gaps: fc.array(fc.nat(5), { minLength: 10, maxLength: 30 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
    part: fc.nat(40),
  })
  await fc.assert(
    fc.asyncProperty(ledger, async ({ gaps, cuts, part }) => {
      let now = T0
      const times = gaps.map((gap) => (now += gap))
      const starts = [0, ...cuts.sort((a, b) => a - b)]
      const time = T0 + part
      const from = await seekTime(ledgerOf(times, starts), time)
      assert.ok(times.slice(0, from).every((one) => one < time))
      const next = starts.find((start) => start > from)
      assert.ok(next === undefined || times[next]! >= time)
    }),
    { numRuns: 20 },
  )
})

test('where segments do not begin in the order of their times, the beginning is the place of every time', async () => {
  assert.equal(await seekTime(ledgerOf([T0 + 5, T0 + 6, T0, T0 + 9, T0 + 10], [0, 2, 4]), T0 + 9), 0)
  assert.equal(await seekTime(ledgerOf([T0, T0 + 6, T0 + 7, T0 + 9, T0 + 10], [0, 2, 4]), T0 + 9), 2)
})

test('alerts since a moment are those of the whole ledger, though a year before it is not read', async () => {
  const rules = RULES.filter(({ first_seen: firstSeen, cool_down: coolDown }) => !firstSeen && coolDown === undefined)
  assert.ok(lookBackMs(rules) < DAY_MS)
  const year = Array.from({ length: 400 }, (_, n) => T0 + n * DAY_MS)
  const lately = Array.from({ length: 200 }, (_, n) => T0 + 401 * DAY_MS + n * 60_000)
  const files = ledgerOf([...year, ...lately], [0, 100, 200, 300, 390, 500])
  const since = T0 + 401 * DAY_MS
  const from = await seekTime(files, since - lookBackMs(rules))
  assert.equal(from, 390)
  const now = () => since + DAY_MS
  const alertsFrom = async (first: number) => {
    const found = await Array.fromAsync(findAlerts(files, { rules, from: first, follow: false, signal: new AbortController().signal, now }))
    return found.filter(({ time }) => time >= since).map(({ id }) => id)
  }
  const whole = await alertsFrom(0)
  assert.ok(whole.length > 5)
  assert.deepEqual(await alertsFrom(from), whole)
})

test('cool-downs that run at a moment: history from before it says what was found live, by the alerts that were recorded', () => {
  const users = fc.constantFrom('alice', 'bob')
  const hit = fc.record({ gapMs: fc.integer({ min: 10_000, max: 900_000 }), user: users, denied: fc.boolean() })
  const coolDowns = RULES.filter(({ name }) => ['each', 'many', 'rate', 'steps'].includes(name)).map((rule) => ({
    ...rule,
    cool_down: '50m',
  }))
  const now = T0 + 400 * DAY_MS
  const [differed, compared] = [{ without: 0 }, { alerts: 0 }]
  fc.assert(
    fc.property(fc.array(hit, { minLength: 40, maxLength: 120 }), fc.double({ min: 0.4, max: 0.9, noNaN: true }), (hits, part) => {
      const live = createEngine(coolDowns)
      const ledger: (Entry & { readonly ms: number })[] = []
      const whole: Alert[] = []
      let ms = T0
      const append = (members: object) => {
        const entry = {
          timestamp: new Date(ms).toISOString(),
          ...members,
          seq: ledger.length,
          entry_hash: `h${ledger.length}`,
          ms,
        } as unknown as (typeof ledger)[number] // as a line is
        ledger.push(entry)
        return live.take(entry, now)
      }
      for (const { gapMs, user, denied } of hits) {
        ms += gapMs
        const found = append({
          event_type: 'tool_call_end',
          decision: denied ? 'deny' : 'allow',
          user,
          session_id: 's',
          tool: denied ? 'a' : 'b',
        })
        whole.push(...found)
        for (const alert of found) append(toAlertEvent(alert))
      }
      const since = T0 + part * (ms - T0)
      const from = ledger.filter((entry) => entry.ms >= since - lookBackMs(coolDowns))
      const idsBy = (engine: ReturnType<typeof createEngine>) =>
        from
          .flatMap((entry) => engine.take(entry, now))
          .filter(({ time }) => time >= since)
          .map(({ id }) => id)
      const expected = whole.filter(({ time }) => time >= since).map(({ id }) => id)
      assert.deepEqual(idsBy(createEngine(coolDowns, undefined, { adoptBefore: since })), expected)
      compared.alerts += expected.length
      if (JSON.stringify(idsBy(createEngine(coolDowns))) !== JSON.stringify(expected)) differed.without++
    }),
    { seed: 20_260_101, numRuns: 100 },
  )
  assert.ok(
    compared.alerts > 500 && differed.without > 0,
    `${compared.alerts} alerts; without what was recorded ${differed.without} runs differ`,
  )
})
