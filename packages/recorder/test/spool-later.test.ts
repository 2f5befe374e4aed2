/** A ledger that cannot be opened when its producer begins: what the producer is told waits on disk, and is in the ledger once. @module */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { findKnownLedger } from '../src/ledger/known.ts'
import type { Port } from '../src/port/types.ts'
import { openSpoolFile } from '../src/spool/file.ts'
import { openSoonerOrLater } from '../src/spool/later.ts'
import { handOverLeftovers } from '../src/spool/leftovers.ts'
import { withSpool } from '../src/spool/port.ts'
import { memoryPort } from './support/memory-port.ts'
import { openRealPort } from './support/real-port.ts'
import { readStored } from './support/stored.ts'
import { sample } from './support/submissions.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

const INFO = { logId: 'known', origin: 'known', path: '/known' }
const refuse = (code: 'LEDGER_BUSY' | 'IO_FAILED' | 'LEDGER_ROLLBACK' | 'LEDGER_FORK') => () => Promise.reject(new SwornError(code, 'no'))
const absent = (code: 'LEDGER_BUSY' | 'IO_FAILED' = 'LEDGER_BUSY') => openSoonerOrLater(refuse(code), { known: () => INFO, retryMs: 1 })
const codes = (answers: readonly unknown[]) => answers.map((answer) => (SwornError.is(answer) ? answer.code : 'taken'))

test('a ledger that opens is the port itself; one that is broken is refused as before', async () => {
  const inner = memoryPort()
  assert.equal(await openSoonerOrLater(async () => inner, { known: () => INFO }), inner)
  for (const code of ['LEDGER_ROLLBACK', 'LEDGER_FORK'] as const)
    await assert.rejects(openSoonerOrLater(refuse(code), { known: () => INFO }), (e) => SwornError.is(e, code))
})

test('until it is open nothing is taken, no step is made, and its end is not held up', async () => {
  const port = await absent('IO_FAILED')
  assert.deepEqual(port.info, INFO)
  assert.deepEqual(codes(await port.submit([sample(1), sample(2)])), ['RECORDER_UNAVAILABLE', 'RECORDER_UNAVAILABLE'])
  await assert.rejects(port.reserve({ key: 'k', amount: 1, limit: 1, perMs: 1 }), (e) => SwornError.is(e, 'RECORDER_UNAVAILABLE'))
  await port.flush()
  assert.equal(port.flushSync(1), true)
  await port.close()
  assert.equal(await port.opened, undefined)
})

test('one that turns out to be broken is not asked again', async () => {
  const answers = [refuse('LEDGER_BUSY'), refuse('LEDGER_BUSY'), refuse('LEDGER_ROLLBACK')]
  const said: string[] = []
  const port = await openSoonerOrLater(() => answers.shift()!(), { known: () => INFO, retryMs: 1, say: (line) => said.push(line) })
  assert.equal(await port.opened, undefined)
  assert.deepEqual(codes(await port.submit([sample(1)])), ['RECORDER_UNAVAILABLE'])
  assert.match(said.join('\n'), /LEDGER_BUSY[^\n]*opened when it can be\nLEDGER_ROLLBACK[^\n]*not opened any more/)
  await port.close()
})

test('however often it refuses, and whoever dies before it opens: every answered event is in the ledger once, in order', async () => {
  const step = fc.oneof(fc.record({ submit: fc.integer({ min: 1, max: 4 }) }), fc.constantFrom('die' as const, 'appear' as const))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const inner = memoryPort()
      let isThere = false
      const openInner = async (): Promise<Port> => (isThere ? { ...inner, close: async () => {} } : refuse('LEDGER_BUSY')())
      const path = join(temporaryDirectory(), 'own.jsonl')
      const open = async () => {
        const later = await openSoonerOrLater(openInner, { known: () => INFO, retryMs: 1 })
        const lost = ({ reason }: { reason: string }) => assert.fail(reason)
        return withSpool(later, { path, producerId: 'p', lost, retryMs: 1, closeMs: 0 }, existsSync(path))
      }
      const answered: string[] = []
      let port = await open()
      for (const one of [...steps, 'appear'] as const) {
        if (typeof one === 'object') {
          const batch = Array.from({ length: one.submit }, (_, n) => sample(n))
          assert.ok((await port.submit(batch)).every((answer) => !SwornError.is(answer)))
          answered.push(...batch.map(({ eventId }) => eventId))
        } else if (one === 'appear') isThere = true
        else {
          await port.close()
          port = await open() // as the next process that finds the file
        }
      }
      await port.drained()
      const stored = inner.batches.flat().map(({ eventId }) => eventId)
      assert.deepEqual([...new Set(stored)], answered) // the ledger keeps the first of each id
      await port.close()
    }),
    { numRuns: count({ fast: 40, ci: 200, full: 3000 }) },
  )
})

test('a place where no ledger can be made yet: events wait, and are its first when it can', { timeout: 60_000 }, async () => {
  const path = join(temporaryLedger(), 'below')
  writeFileSync(dirname(path), '') // as a disk that is not mounted
  const known = () => findKnownLedger(path, `${path}.home`)
  assert.match(known().logId, /^unknown-[0-9a-f]{14}$/)
  const home = `${temporaryLedger()}.home`
  const later = await openSoonerOrLater(() => openRealPort(path, { producerId: 'p', home }), { known, retryMs: 5 })
  const lost = ({ reason }: { reason: string }) => assert.fail(reason)
  const port = withSpool(later, { path: join(temporaryDirectory(), 'own.jsonl'), producerId: 'p', lost, retryMs: 5 })
  const events = Array.from({ length: 5 }, (_, n) => sample(n))
  for (const event of events) assert.deepEqual(await port.submit([event]), [{ spooled: true }])
  rmSync(dirname(path))
  mkdirSync(dirname(path))
  await port.drained()
  const info = await later.opened
  assert.deepEqual({ ...findKnownLedger(path, home), macKey: undefined }, { ...info, macKey: undefined })
  assert.deepEqual(
    findKnownLedger(path, home).macKey && Buffer.from(findKnownLedger(path, home).macKey!),
    info?.macKey && Buffer.from(info.macKey),
  )
  await port.close()
  assert.deepEqual(
    (await readStored(path)).map(({ eventId }) => eventId),
    events.map(({ eventId }) => eventId),
  )
})

test('who ends while a ledger is opened for what others left is not held up; the file stays for the next', async () => {
  const directory = temporaryDirectory()
  const name = `${'0'.repeat(16)}.1.00000000-0000-4000-8000-000000000000.jsonl`
  const file = openSpoolFile(join(directory, name), 'p')
  file.append([{ order: 0, submission: sample(0) }])
  file.close()
  const ending = new AbortController()
  const open = async (): Promise<Port> => {
    ending.abort()
    return absent()
  }
  const lost = ({ reason }: { reason: string }) => assert.fail(reason)
  assert.equal(await handOverLeftovers(directory, { open, lost, signal: ending.signal }), 0)
  assert.equal(readdirSync(directory).length, 1)
})
