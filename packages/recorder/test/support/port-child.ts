/**
 * A process with a port, driven by its arguments: `<path> <what> [more]`. Prints one JSON line per fact.
 *
 * write N: N writers, one sync or batch event at a time, until stdin ends. spool: one writer, whose events wait in a spool while nobody records, also when nobody does at its start; it hands over what others left. hold: opens, then waits for stdin to end.
 * fake-hold: the same on the fake ledger.
 * exit N: submits N batch events and exits without close; exit-here: the same with the ledger in the main thread. once: one sync event, close; once-quick: the same without patience for a silent recorder.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import { findKnownLedger } from '../../src/ledger/known.ts'
import type { Port } from '../../src/port/types.ts'
import type { WorkerPort } from '../../src/port/worker.ts'
import { createRecorder } from '../../src/recorder/recorder.ts'
import { openSoonerOrLater } from '../../src/spool/later.ts'
import { handOverLeftovers, ownSpoolPath, spoolDirectory } from '../../src/spool/leftovers.ts'
import { type SpoolLoss, withSpool } from '../../src/spool/port.ts'
import { openFakePort } from './fake-port.ts'
import { openRealPort, openRealPortHere } from './real-port.ts'
import { sample } from './submissions.ts'
import { tell } from './tell.ts'

const [path = '', what = '', count = '1'] = process.argv.slice(2)
const say = (fact: Record<string, unknown>) => tell(`${JSON.stringify(fact)}\n`)

const PACE_MS = 2
const PRODUCER = `p-${process.pid}`
const SPOOL_PATIENCE = { greetMs: 200, ackMs: 200, lazyAckMs: 200 }
const openSpoolPort = (at: string, producerId = PRODUCER) =>
  openSoonerOrLater(() => openRealPort(at, { producerId, patience: SPOOL_PATIENCE }), {
    known: () => findKnownLedger(at, `${at}.home`),
    retryMs: 20,
  })
const openQuickPort = (at: string) => openRealPort(at, { patience: { greetMs: 200 } })

try {
  if (what === 'spool') await writeSpooling(await openSpoolPort(path))
  else await openAndAct()
} catch (error) {
  say({ failed: SwornError.is(error) ? error.code : 'crash', message: error instanceof Error ? error.message : '' })
}

async function openAndAct(): Promise<void> {
  const open =
    what === 'fake-hold' ? openFakePort : what === 'exit-here' ? openRealPortHere : what === 'once-quick' ? openQuickPort : openRealPort
  const port = await open(path)
  say({ open: process.pid })
  await act(port)
}

async function act(port: WorkerPort): Promise<void> {
  if (what.startsWith('exit')) {
    for (let n = 0; n < Number(count); n++) void port.submit([sample(n, 'batch')])
    process.exit(0)
  }
  if (what === 'record-exit') {
    const recorder = createRecorder({ port })
    for (let n = 0; n < Number(count); n++) void recorder.record({ event_type: 'tool_call_end', metadata: { n } })
    process.exit(0)
  }
  if (what === 'finish') return void port.submit([sample(1, 'batch')])
  const ended = new Promise<void>((resolve) => process.stdin.once('end', resolve).resume())
  if (what === 'hold' || what === 'fake-hold') await ended
  if (what.startsWith('once'))
    for (const answer of await port.submit([sample(1)]))
      say(SwornError.is(answer) ? { error: answer.code, message: answer.message } : { ...answer })
  if (what === 'write') await writeUntil(port, ended)
  await port.close()
  process.stdin.destroy()
}

async function writeUntil(port: WorkerPort, ended: Promise<void>): Promise<void> {
  let over = false
  void ended.then(() => {
    over = true
  })
  const writer = async (w: number) => {
    for (let n = 0; !over; n++) await writeOne(port, w, n)
  }
  await Promise.all(Array.from({ length: Number(count) }, (_, w) => writer(w)))
}

/** Every event is answered, by the ledger or by the spool. */
async function writeSpooling(inner: Port): Promise<void> {
  say({ open: process.pid })
  let over = false
  process.stdin
    .once('end', () => {
      over = true
    })
    .resume()
  const directory = spoolDirectory(`${path}.home`, path)
  const lost = ({ reason }: SpoolLoss) => say({ failed: reason })
  const ending = new AbortController()
  const left = handOverLeftovers(directory, { open: (producerId) => openSpoolPort(path, producerId), lost, signal: ending.signal })
  const port = withSpool(inner, { path: ownSpoolPath(directory), producerId: PRODUCER, lost, retryMs: 20 })
  for (let n = 0; !over; n++) {
    const event = sample(n, n % 4 === 0 ? 'sync' : 'batch', { writer: PRODUCER, n })
    const [answer] = await port.submit([event])
    if (SwornError.is(answer)) throw answer
    await wait(PACE_MS) // an event is known again within 100,000 records
    say({
      eventId: event.eventId,
      writer: PRODUCER,
      n,
      ...('spooled' in answer! ? { spooled: true } : { seq: answer!.seq, entryHash: answer!.entryHash }),
    })
  }
  await left
  await port.drained()
  await port.close()
  process.stdin.destroy()
}

/** Sends one event until it is acknowledged, always under the same event_id. */
async function writeOne(port: WorkerPort, w: number, n: number): Promise<void> {
  const event = sample(n, n % 4 === 0 ? 'sync' : 'batch', { writer: `${process.pid}-${w}`, n })
  for (;;) {
    const [answer] = await port.submit([event])
    if (!SwornError.is(answer)) return void say({ eventId: event.eventId, seq: answer!.seq, entryHash: answer!.entryHash })
    if (answer.code !== 'APPEND_UNKNOWN' && answer.code !== 'RECORDER_UNAVAILABLE') throw answer
  }
}
