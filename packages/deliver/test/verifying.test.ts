/** Claims that a server keeps current: all of the ledger now and then, what was added in between, and what makes it look at all again. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findLedger, openSegment } from '@sworn/recorder/segments'
import { parseVkey, type Report, SwornError, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { append, linesOf, makePlace, openAt, until } from '../../../testkit/src/sink-contract.ts'
import type { Clock } from '../src/index.ts'
import { startVerifying, type Verified } from '../src/metrics/index.ts'

const WHOLE_MS = 1000

/** Time stands until somebody lets it pass; each wait ends with the next step. */
function openClock() {
  let time = 0
  let wake: (() => void) | undefined
  const clock: Clock = {
    now: () => 1_795_000_000_000 + time,
    elapsed: () => time,
    random: () => 0,
    wait: (_, signal) =>
      new Promise((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }
  return {
    clock,
    /** Until the look that this begins has ended. */
    async step(ms: number): Promise<void> {
      await until(() => wake !== undefined)
      const go = wake
      wake = undefined
      time += ms
      go?.()
      await until(() => wake !== undefined)
    },
  }
}

async function watch(t: TestContext, { rotateBytes = 4096 } = {}) {
  const place = makePlace()
  t.after(() => rmSync(dirname(place.path), { recursive: true, force: true }))
  const open = () => openAt(place, { rotateBytes })
  const first = open()
  append(first, 0, 20)
  first.close()
  const files = findLedger(place.path, '/')
  const trust = parseVkey(JSON.parse(linesOf(place.path)[0]!).vkey)
  const folder = join(place.path, 'segments')
  const segments = () =>
    readdirSync(folder)
      .toSorted()
      .map((name) => join(folder, name))
  async function* bytes() {
    for (const path of segments()) yield* openSegment(path) as AsyncIterable<Buffer>
  }
  const told = { wholes: 0, faults: 0, fails: false, verified: undefined as Verified | undefined }
  const { clock, step } = openClock()
  const verifying = startVerifying({
    ...{ files, clock, wholeMs: WHOLE_MS, lookMs: 1 },
    async whole(): Promise<Report> {
      told.wholes++
      if (told.fails) throw new SwornError('IO_FAILED', 'no', 'x')
      return verifyLog(bytes(), { primitives: nodePrimitives, trust })
    },
    onVerified: (verified) => void (told.verified = verified),
    onFault: () => void told.faults++,
  })
  t.after(verifying.stop)
  await until(() => told.verified !== undefined || told.faults > 0)
  return { place, open, segments, told, step, verifying, size: () => linesOf(place.path).length }
}

test('what is added is verified alone, over rotations, restarts and checkpoints, and all of it after the interval', async (t) => {
  const { open, told, step, size, verifying } = await watch(t)
  assert.deepEqual([told.wholes, told.verified?.entries, told.verified?.findings], [1, size(), 0])
  for (let round = 0; round < 5; round++) {
    const ledger = open()
    append(ledger, 100 * (round + 1), 20)
    ledger.close() // signs
    await step(1)
    assert.deepEqual([told.wholes, told.verified?.entries, told.verified?.findings], [1, size(), 0], `round ${round}`)
  }
  assert.deepEqual(told.verified?.claims, { bytes: true, chain: true, tree: true, signed: true, anchored: false, complete: true })
  const before = told.verified
  await step(1)
  assert.deepEqual([told.wholes, told.verified], [1, { ...before, atMs: before!.atMs + 1 }]) // nothing was added
  await step(WHOLE_MS)
  assert.equal(told.wholes, 2)
  assert.deepEqual(verifying.current(), told.verified)
})

test('a new key is taken where the old one names it, and what follows under it holds', async (t) => {
  const { open, told, step, size } = await watch(t)
  for (const events of [5, 0, 7]) {
    const ledger = open()
    append(ledger, 1000 + events, events)
    if (events === 0) ledger.rotateKey()
    ledger.close()
    await step(1)
    assert.deepEqual([told.verified?.entries, told.verified?.findings, told.verified?.claims.signed], [size(), 0, true])
  }
  assert.equal(told.wholes, 1)
})

for (const [what, change] of [
  ['changed', (text: string) => text.replace(/"tool":"tool_5\d\d"/, '"tool":"another"')],
  ['cut off', (text: string) => `${text.split('\n').slice(0, -6).join('\n')}\n`],
] as const) {
  test(`an added entry that is ${what} has all of it verified at once, and the claims say so until it is mended`, async (t) => {
    const { open, told, step, segments } = await watch(t, { rotateBytes: 1 << 20 })
    const ledger = open()
    append(ledger, 500, 10)
    ledger.close()
    if (what === 'cut off') await step(1)
    const path = segments().at(-1)!
    const good = readFileSync(path, 'utf8')
    writeFileSync(path, change(good))
    await step(1)
    assert.equal(told.wholes, 2)
    if (what === 'changed') assert.deepEqual([told.verified!.findings > 0, told.verified!.claims.chain], [true, false])
    writeFileSync(path, good)
    await step(WHOLE_MS)
    assert.deepEqual([told.wholes, told.verified!.findings, told.verified!.claims.chain], [3, 0, true])
  })
}

test('where all of it cannot be verified nothing is claimed, it is told once and tried again', async (t) => {
  const { told, step, verifying } = await watch(t)
  told.fails = true
  const before = told.verified
  await step(WHOLE_MS)
  await step(1)
  assert.deepEqual([told.wholes, told.faults, verifying.current()], [3, 1, before]) // its age says so
  told.fails = false
  await step(1)
  assert.deepEqual([told.wholes, told.verified!.atMs > before!.atMs], [4, true])
})
