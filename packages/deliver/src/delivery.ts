/**
 * Delivery of one ledger to one sink: read, shape, ship, and only then move the cursor.
 *
 * The order in which things become durable: the sink has the batch; what it refused is parked; the receipt stands; the
 * cursor moves. A crash anywhere in between ships the batch again under the same keys. One batch is read ahead and no
 * more: while a sink is away, its entries wait in the ledger. Source: design, law 1.
 * @module
 */
import type { LedgerFiles, Waiter } from '@sworn/recorder/segments'
import { GENESIS, SwornError } from '@sworn/verify'
import { type Backoff, type Clock, delayOf } from './clock.ts'
import { createCommits, type LostRange, prepareCommit } from './commit.ts'
import { type Cursor, readCursor, startCursor, writeCursor } from './cursor.ts'
import { makeDirectory } from './files.ts'
import { createGatherer, type Window } from './gather.ts'
import { checkHistory, findStart, type Start } from './history.ts'
import type { OpenHoldings } from './holdings.ts'
import { type ParkingOptions, replayLetters, shipOrPark } from './parking.ts'
import type { SinkPlaces } from './places.ts'
import { endRequest, readRequest } from './requests.ts'
import { createShape, type Shape, type ShapeOptions } from './shape.ts'
import { reasonOf } from './ship.ts'
import type { OpenSink, Sink } from './sink.ts'
import { openSource } from './source.ts'
import { createTeller, type Teller } from './trouble.ts'

/** One sink, and how it wants to be delivered to. */
export interface SinkPlan {
  /** Unique in a ledger; its state lies under this name. */
  readonly name: string
  /** `jsonl`, `webhook`, … */
  readonly type: string
  readonly open: OpenSink
  /** For reconciliation; absent: it cannot be asked. */
  readonly holdings?: OpenHoldings | undefined
  readonly shape: Omit<ShapeOptions, 'origin' | 'version'>
  /** Where a sink begins that was never delivered to. */
  readonly start: Start
  /** At most; absent: what the sink takes. */
  readonly batch: { readonly items?: number | undefined; readonly bytes?: number | undefined; readonly lingerMs: number }
  readonly timeoutMs: number
  readonly backoff: Backoff
  readonly maxDeadBytes: number
  /** `closed`: it gets nothing of the segment that is written. */
  readonly segments?: 'closed' | undefined
}

export interface DeliverOptions {
  readonly files: LedgerFiles
  readonly origin: string
  /** Of sworn. */
  readonly version: string
  readonly plan: SinkPlan
  readonly places: SinkPlaces
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Wakes when the ledger grows. */
  readonly waiter: Waiter
  readonly onLost: (lost: LostRange) => void
  /** Told at each change: nothing is left to deliver, something is, or it does not go on. */
  readonly onState: (state: State) => void
}

export type State = 'idle' | 'busy' | 'trouble'

/** Delivers until it is stopped; never rejects. */
export async function deliver(options: DeliverOptions): Promise<void> {
  const { plan, places, clock, signal } = options
  const teller = createTeller(places.trouble, clock)
  let tries = 0
  const counted: DeliverOptions = {
    ...options,
    onState(state) {
      if (state === 'idle') tries = 0 // not at each batch: one that cannot be committed is sent again and again
      options.onState(state)
    },
  }
  while (!signal.aborted) {
    try {
      await openAndRun(counted, teller)
    } catch (e) {
      options.onState('trouble')
      const delayMs = delayOf(tries, plan.backoff, clock.random())
      teller.trouble(SwornError.is(e) ? `${e.code} ${e.message}` : reasonOf(e), ++tries, delayMs)
      await clock.wait(delayMs, signal)
    }
  }
}

/** Returns when it is stopped, and after it was moved. @throws whatever keeps it from going on */
async function openAndRun(options: DeliverOptions, teller: Teller): Promise<void> {
  const { files, origin, version, plan, places } = options
  makeDirectory(places.directory)
  const shape = createShape({ ...plan.shape, origin, version })
  const found = await moved(places, readCursor(places.cursor) ?? (await begin(options)))
  const cursor = { ...found, segments: plan.segments } // as it is configured now
  await checkHistory(files, origin, cursor)
  const sink = await plan.open(cursor.mark)
  try {
    await run(options, teller, { cursor, shape, sink })
  } finally {
    await sink.close().catch(() => {}) // what it still holds was not acknowledged: it comes again
  }
}

/** A sink that is new begins where it was told to, and stays there when it is never reached: the cursor is written first. */
async function begin({ files, origin, plan, places }: DeliverOptions): Promise<Cursor> {
  const cursor = { ...startCursor(origin, await findStart(files, plan.start)), segments: plan.segments }
  await writeCursor(places.cursor, cursor)
  return cursor
}

/** The cursor that somebody asked for, in the place of this one. The way out where history has diverged. */
async function moved(places: SinkPlaces, cursor: Cursor): Promise<Cursor> {
  const from = readRequest(places.request)?.from
  if (from === undefined) return cursor
  const next = { ...cursor, next: from, first: Math.min(from, cursor.first ?? 0), entryHash: GENESIS }
  await writeCursor(places.cursor, next)
  endRequest(places.request)
  return next
}

interface Running {
  readonly cursor: Cursor
  readonly shape: Shape
  readonly sink: Sink
}

async function run(options: DeliverOptions, teller: Teller, { cursor: first, shape, sink }: Running): Promise<void> {
  const { files, plan, places, clock, signal, waiter, onState, onLost } = options
  const { timeoutMs, backoff, maxDeadBytes, batch } = plan
  const parking: ParkingOptions = {
    ...{ sink, clock, backoff, timeoutMs, signal, places, maxDeadBytes },
    onTrouble: (reason, tries, delayMs) => {
      onState('trouble')
      teller.trouble(reason, tries, delayMs)
    },
    onProgress: teller.clear,
  }
  const source = openSource(files, first.next, plan.segments)
  const limits = {
    items: Math.min(batch.items ?? sink.limits.items, sink.limits.items),
    bytes: Math.min(batch.bytes ?? sink.limits.bytes, sink.limits.bytes),
  }
  const ended = new AbortController()
  const next = createNext(
    createGatherer({
      ...{ source, shape, limits, clock, lingerMs: batch.lingerMs },
      signal: AbortSignal.any([signal, ended.signal]),
    }),
  )
  const commits = createCommits(places, onLost)
  let cursor = first
  try {
    while (!signal.aborted) {
      const request = readRequest(places.request)
      if (request?.from !== undefined) return
      if (request) {
        if ((await replayLetters(shape, parking)) === undefined) return
        endRequest(places.request)
      }
      const window = await next.take()
      if (window.lines.length === 0) {
        await commits.written()
        teller.clear()
        onState('idle')
        await waiter.next()
        continue
      }
      onState('busy')
      next.prepare()
      const shipped = await shipOrPark(window.items, parking)
      if (!shipped) return
      const done = prepareCommit(cursor, window, shipped, { files, now: clock.now() })
      cursor = done.cursor
      await commits.add(done)
      if (shipped.mark !== undefined) await commits.written() // by its mark the sink tells after a crash what it has: never two batches behind
    }
  } finally {
    ended.abort()
    await commits.written().catch(() => {}) // another run reads the cursor
    await source.close()
  }
}

/** One window is gathered while the one before it is shipped: reading and the other side's work go side by side. */
function createNext(gather: () => Promise<Window>) {
  let ahead: Promise<Window> | undefined
  return {
    prepare() {
      ahead = gather()
      ahead.catch(() => {}) // met where it is taken
    },
    async take(): Promise<Window> {
      const early = await ahead
      ahead = undefined
      return early && early.lines.length > 0 ? early : await gather() // what was empty then may not be now
    },
  }
}
