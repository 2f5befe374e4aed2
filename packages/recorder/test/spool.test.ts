/** Events while nobody records: on disk in the producer's own file, handed over in order and once, whoever crashes. @module */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import type { Submission } from '../src/port/types.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { handOverLeftovers, ownSpoolPath, spoolDirectory } from '../src/spool/leftovers.ts'
import { formatLine, parseLine } from '../src/spool/line.ts'
import { type SpoolLoss, type SpoolOptions, withSpool } from '../src/spool/port.ts'
import { pause, startChild } from './support/child.ts'
import { memoryPort } from './support/memory-port.ts'
import { openRealPort } from './support/real-port.ts'
import { readStored } from './support/stored.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

const AWAY = new SwornError('RECORDER_UNAVAILABLE', 'nobody')

/** A port in memory behind a spool. */
function openSpooling(more: Partial<SpoolOptions> = {}) {
  const inner = memoryPort()
  const losses: SpoolLoss[] = []
  const path = join(temporaryDirectory(), 'spool', 'own.jsonl')
  const options = { path, producerId: 'p-1', lost: (loss: SpoolLoss) => void losses.push(loss), retryMs: 1, closeMs: 1, ...more }
  return { inner, losses, options, port: withSpool(inner, options) }
}

const noLoss = ({ reason }: SpoolLoss) => assert.fail(reason)
const idsOf = (batches: readonly (readonly Submission[])[]) => batches.flat().map(({ eventId }) => eventId)

test('what nobody takes waits on disk, and is handed over before what comes later; then the file is gone', async () => {
  const { inner, port, options } = openSpooling()
  const events = Array.from({ length: 6 }, (_, n) => sample(n))
  const [first, ...rest] = events
  assert.ok('seq' in (await port.submit([first!]))[0]!)
  inner.fail = AWAY
  for (const event of rest.slice(0, 3)) assert.deepEqual(await port.submit([event]), [{ spooled: true }])
  assert.equal(statSync(options.path).mode & 0o777, 0o600)
  assert.equal(readFileSync(options.path, 'utf8').trim().split('\n').length, 4)
  await port.flush()
  inner.fail = undefined
  for (const event of rest.slice(3)) await port.submit([event])
  await port.drained()
  assert.deepEqual(
    idsOf(inner.batches),
    events.map(({ eventId }) => eventId),
  )
  assert.equal(existsSync(options.path), false)
  assert.ok('seq' in (await port.submit([sample(9)]))[0]!)
  await port.close()
})

test('an event whose answer was lost is handed over again under its id, in its place', async () => {
  const { inner, port } = openSpooling()
  inner.fail = new SwornError('APPEND_UNKNOWN', 'no answer')
  const events = [sample(1), sample(2)]
  assert.deepEqual(await port.submit(events), [{ spooled: true }, { spooled: true }])
  inner.fail = undefined
  await port.drained()
  const ids = events.map(({ eventId }) => eventId)
  assert.deepEqual(idsOf(inner.batches).slice(-2), ids)
  assert.deepEqual(new Set(idsOf(inner.batches)), new Set(ids))
  await port.close()
})

test('what the ledger refuses is not spooled', async () => {
  const { inner, port, options } = openSpooling()
  for (const code of ['APPEND_REFUSED', 'EVENT_ID_CONFLICT'] as const) {
    inner.fail = new SwornError(code, 'no')
    assert.ok(SwornError.is((await port.submit([sample(1)]))[0], code))
  }
  assert.equal(existsSync(options.path), false)
  await port.close()
})

test('a full spool refuses, and how many it turned away is reported when the ledger is back', async () => {
  const { inner, port, losses } = openSpooling({ maxBytes: 1000 })
  inner.fail = AWAY
  const answers = []
  for (let n = 0; n < 20; n++) answers.push(...(await port.submit([sample(n)])))
  const refused = answers.filter((answer) => SwornError.is(answer, 'RECORDER_UNAVAILABLE'))
  assert.ok(refused.length > 0 && refused.length < 20)
  inner.fail = undefined
  await port.drained()
  assert.deepEqual(losses, [{ dropped: refused.length, reason: 'spool_full' }])
  assert.equal(new Set(idsOf(inner.batches)).size, 20 - refused.length)
  await port.close()
})

test('a place that cannot be written keeps nothing, and the caller is told', async () => {
  const folder = temporaryDirectory()
  writeFileSync(join(folder, 'file'), '')
  const { inner, port } = openSpooling({ path: join(folder, 'file', 'own.jsonl') })
  inner.fail = AWAY
  assert.ok(SwornError.is((await port.submit([sample(1)]))[0], 'RECORDER_UNAVAILABLE'))
  await port.close()
})

test('a disk that is full takes nothing from the process: no event leaves a file open', {
  skip: process.platform !== 'linux' && 'Linux only',
}, async () => {
  const folder = temporaryDirectory()
  symlinkSync('/dev/full', join(folder, 'own.jsonl'))
  const { inner, port } = openSpooling({ path: join(folder, 'own.jsonl') })
  inner.fail = AWAY
  await port.submit([sample(0)])
  const openFiles = () => readdirSync('/proc/self/fd').length
  const before = openFiles()
  for (let n = 1; n < 30; n++) assert.ok(SwornError.is((await port.submit([sample(n)]))[0], 'RECORDER_UNAVAILABLE'))
  assert.equal(openFiles(), before)
  await port.close()
})

test('a first line that the disk took only a piece of is written again when there is room', async () => {
  const { inner, port, options } = openSpooling()
  mkdirSync(dirname(options.path), { recursive: true })
  writeFileSync(options.path, '{"handed":"000000000')
  inner.fail = AWAY
  const event = sample(1)
  assert.deepEqual(await port.submit([event]), [{ spooled: true }])
  inner.fail = undefined
  await port.drained()
  assert.deepEqual(idsOf(inner.batches), [event.eventId])
  await port.close()
})

test('a file that somebody took over while its owner lives takes no event with it: what comes next has a file of its own', async () => {
  const path = temporaryLedger()
  const directory = spoolDirectory(`${path}.home`, path)
  const { inner, port, options } = openSpooling({ path: ownSpoolPath(directory) })
  inner.fail = AWAY
  const events = Array.from({ length: 6 }, (_, n) => sample(n))
  const tell = async (some: readonly Submission[]) => {
    for (const event of some) assert.deepEqual(await port.submit([event]), [{ spooled: true }])
  }
  await tell(events.slice(0, 3))
  const taken = options.path.replace(/[^/]*$/, `${'0'.repeat(16)}.1.00000000-0000-4000-8000-000000000001.jsonl`)
  renameSync(options.path, taken)
  await tell(events.slice(3))
  await port.close()
  const left = { producerId: 'p-1', lost: noLoss, retryMs: 1, closeMs: 1 }
  const took: string[] = []
  for (const file of [taken, options.path]) {
    const back = memoryPort()
    const again = withSpool(back, { ...left, path: file }, true)
    await again.drained()
    await again.close()
    took.push(...idsOf(back.batches))
  }
  assert.deepEqual(new Set(took), new Set(events.map(({ eventId }) => eventId)))
})

test('a recorder answers that the event waits, and counts it as durable; no secret reaches the file', async () => {
  const { inner, port, options } = openSpooling()
  inner.fail = AWAY
  const recorder = createRecorder({ port })
  const answer = await recorder.record({ event_type: 'tool_call_start', tool: 't', arguments: { password: 'hunter2-canary' } })
  assert.deepEqual(answer, { spooled: true, durable: true })
  assert.equal(readFileSync(options.path, 'utf8').includes('hunter2-canary'), false)
  await recorder.close()
  assert.ok(existsSync(options.path))
})

test('any event comes back from its line as it was; what is no line is none', () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed())
  const submission = fc.record(
    {
      json: text,
      eventId: text,
      eventType: text,
      level: fc.constantFrom('sync', 'batch', 'async'),
      sessionId: text,
      vault: fc.array(text),
    },
    { requiredKeys: ['json', 'eventId', 'eventType', 'level'] },
  )
  fc.assert(
    fc.property(fc.nat(), submission, (order, one) => {
      const line = formatLine({ order, submission: one as Submission })
      assert.equal(line.indexOf(10), line.length - 1)
      assert.deepEqual(parseLine(line.subarray(0, -1)), { order, submission: { ...one } })
      assert.equal(parseLine(line.subarray(0, -2)), undefined)
    }),
  )
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(parseLine(Buffer.from(bytes)), undefined)))
})

/** Leaves a spool as a process does that was killed. */
async function leave(directory: string, producerId: string, events: readonly Submission[]): Promise<string> {
  const path = join(directory, `${'0'.repeat(16)}.1.00000000-0000-4000-8000-${producerId.padStart(12, '0')}.jsonl`)
  const { inner, port } = openSpooling({ path, producerId })
  inner.fail = AWAY
  await port.submit(events)
  await port.close()
  return path
}

test('what a dead process left is handed over under its name; a torn end is no loss, a broken line is one', async () => {
  const path = temporaryLedger()
  const directory = spoolDirectory(`${path}.home`, path)
  const events = [sample(1), sample(2), sample(3)]
  const left = await leave(directory, '1', events)
  appendFileSync(left, 'no line\n{"order":9,"eventId":"torn')
  const living = ownSpoolPath(directory)
  writeFileSync(living, '')
  writeFileSync(join(directory, 'other.txt'), '')
  const losses: SpoolLoss[] = []
  const opened: string[] = []
  const open = (producerId: string) => {
    opened.push(producerId)
    return openRealPort(path, { producerId })
  }
  const options = { open, lost: (loss: SpoolLoss) => void losses.push(loss), signal: new AbortController().signal }
  assert.equal(await handOverLeftovers(directory, options), 1)
  assert.deepEqual(opened, ['1'])
  assert.deepEqual(losses, [{ dropped: 1, reason: 'spool_broken' }])
  assert.deepEqual(
    (await readStored(path)).map(({ eventId }) => eventId),
    events.map(({ eventId }) => eventId),
  )
  assert.deepEqual(readdirSync(directory).toSorted(), [living.slice(directory.length + 1), 'other.txt'].toSorted())
  await leave(directory, '1', events)
  assert.equal(await handOverLeftovers(directory, options), 1)
  assert.equal((await readStored(path)).length, 3)
})

test('what the process before left is handed over where this one has its pid, as the first of a container has; what never began is removed', async () => {
  const path = temporaryLedger()
  const directory = spoolDirectory(`${path}.home`, path)
  const left = await leave(directory, '1', [sample(1)])
  const named = (owner: string, n: number) => join(directory, `${owner}.${process.pid}.00000000-0000-4000-8000-00000000000${n}.jsonl`)
  renameSync(left, named('f'.repeat(16), 1))
  writeFileSync(named('f'.repeat(16), 2), '')
  writeFileSync(named('f'.repeat(16), 3), '{"handed":"000000000000000","produc')
  const open = (producerId: string) => openRealPort(path, { producerId })
  assert.equal(await handOverLeftovers(directory, { open, lost: noLoss, signal: new AbortController().signal }), 3)
  assert.equal((await readStored(path)).length, 1)
  assert.deepEqual(readdirSync(directory), [])
})

test('a hand-over that ends half-way goes on behind what the ledger took', async () => {
  const { inner, port, options } = openSpooling()
  inner.fail = AWAY
  const events = Array.from({ length: 1200 }, (_, n) => sample(n))
  for (let n = 0; n < events.length; n += 100) await port.submit(events.slice(n, n + 100))
  await port.close()
  const half = memoryPort()
  const first = withSpool(
    { ...half, submit: (batch) => (half.batches.length < 2 ? half.submit(batch) : Promise.resolve(batch.map(() => AWAY))) },
    options,
    true,
  )
  while (half.batches.length < 2) await new Promise(setImmediate)
  await first.close()
  const rest = memoryPort()
  const second = withSpool(rest, options, true)
  await second.drained()
  const ids = events.map(({ eventId }) => eventId)
  assert.deepEqual([...new Set([...idsOf(half.batches), ...idsOf(rest.batches)])], ids)
  assert.ok(idsOf(rest.batches).length < ids.length)
  await second.close()
})

test('what cannot be handed over stays for the next who looks, whatever is in it', async () => {
  const directory = spoolDirectory(temporaryDirectory(), 'ledger')
  const left = await leave(directory, '1', [sample(1)])
  const strange = left.replace('000000000001.', '000000000002.')
  writeFileSync(strange, 'no spool at all')
  const said: string[] = []
  const options = {
    open: () => Promise.reject(new SwornError('LEDGER_BUSY', 'somebody else')),
    lost: noLoss,
    say: (line: string) => void said.push(line.split(' ', 1)[0]!),
    signal: new AbortController().signal,
  }
  assert.equal(await handOverLeftovers(directory, options), 0)
  assert.deepEqual(said, ['LEDGER_BUSY', 'IO_FAILED'])
  assert.deepEqual([existsSync(left), existsSync(strange)], [true, true])
})

test('of two that hand over at once each file is taken by one, and nothing is there twice', async () => {
  const path = temporaryLedger()
  const directory = spoolDirectory(`${path}.home`, path)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    const events = [sample(1), sample(2)]
    ids.push(...events.map(({ eventId }) => eventId))
    await leave(directory, String(n), events)
  }
  const held = await openRealPort(path)
  const open = (producerId: string) => openRealPort(path, { producerId })
  const options = { open, lost: noLoss, signal: new AbortController().signal }
  const counts = await Promise.all([handOverLeftovers(directory, options), handOverLeftovers(directory, options)])
  assert.equal(counts[0] + counts[1], 5)
  await held.close()
  assert.deepEqual((await readStored(path)).map(({ eventId }) => eventId).toSorted(), ids.toSorted())
  assert.deepEqual(readdirSync(directory), [])
})

test('a recorder process that hangs: events wait, and are in the ledger in order and once when it goes on', {
  timeout: 120_000,
}, async () => {
  const path = temporaryLedger()
  const holder = startChild(path, 'hold')
  await holder.when((fact) => fact.open !== undefined)
  const inner = await openRealPort(path, { producerId: 'p-1', patience: { ackMs: 200, lazyAckMs: 200 } })
  const port = withSpool(inner, { path: join(temporaryDirectory(), 'own.jsonl'), producerId: 'p-1', lost: noLoss, retryMs: 10 })
  const events = Array.from({ length: 40 }, (_, n) => sample(n, n % 2 === 0 ? 'sync' : 'batch'))
  const answers = []
  for (const [n, event] of events.entries()) {
    if (n === 10) await pause(holder)
    if (n === 30) holder.process.kill('SIGCONT')
    answers.push(...(await port.submit([event])))
  }
  assert.ok(answers.some((answer) => 'spooled' in answer))
  assert.deepEqual(
    answers.filter((answer) => SwornError.is(answer)),
    [],
  )
  await port.drained()
  await port.close()
  await holder.finish()
  assert.deepEqual(
    (await readStored(path)).map(({ eventId }) => eventId),
    events.map(({ eventId }) => eventId),
  )
})

test('whenever the ledger goes and comes back, and whoever dies in between: every answered event is there once, in order', async () => {
  const step = fc.oneof(
    fc.record({ submit: fc.integer({ min: 1, max: 5 }) }),
    fc.constantFrom('away' as const, 'unknown' as const, 'back' as const, 'die' as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const inner = memoryPort()
      const path = join(temporaryDirectory(), 'own.jsonl')
      const open = (resume: boolean) => withSpool(inner, { path, producerId: 'p', lost: noLoss, retryMs: 1, closeMs: 0 }, resume)
      let port = open(false)
      const answered: string[] = []
      for (const one of steps) {
        if (typeof one === 'object') {
          const batch = Array.from({ length: one.submit }, (_, n) => sample(n))
          const answers = await port.submit(batch)
          assert.ok(answers.every((answer) => !SwornError.is(answer)))
          answered.push(...batch.map(({ eventId }) => eventId))
        } else if (one === 'away') inner.fail = AWAY
        else if (one === 'unknown') inner.fail = new SwornError('APPEND_UNKNOWN', 'no answer')
        else if (one === 'back') inner.fail = undefined
        else {
          await port.close()
          port = open(existsSync(path)) // as the next process that finds it
        }
      }
      inner.fail = undefined
      await port.drained()
      assert.deepEqual([...new Set(idsOf(inner.batches))], answered) // the ledger keeps the first of each id
      await port.close()
    }),
    { numRuns: count({ fast: 40, ci: 200, full: 5000 }) },
  )
})
