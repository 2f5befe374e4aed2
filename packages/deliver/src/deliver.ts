/**
 * Delivery of a ledger to all its sinks: each on its own, in the one process that delivers.
 *
 * Several processes may ask; one holds the delivery lock and the others wait for it. No sink waits for another, and
 * nothing here keeps the process alive.
 * @module
 */
import { acquireDelivery } from '@sworn/recorder/reading'
import { createWaiter, findLedger, type LedgerFiles } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { type Aside, type AsideData, createAside } from './aside.ts'
import { type Clock, systemClock } from './clock.ts'
import type { LostRange } from './commit.ts'
import { deliver, type SinkPlan, type State } from './delivery.ts'
import { startAt } from './history.ts'
import { type SinkPlaces, sinkPlaces } from './places.ts'

export interface DeliveryOptions {
  /** Of the ledger, absolute; it exists. */
  readonly path: string
  readonly origin: string
  /** Of sworn. */
  readonly version: string
  readonly sinks: readonly SinkPlan[]
  /** Told when entries were gone before a sink got them. */
  readonly onLost?: (sink: string, lost: LostRange) => void
  readonly clock?: Clock
  /** The configuration of `sinks`: those of these names are delivered to in a thread of its own, which makes them anew. */
  readonly aside?: Pick<AsideData, 'names' | 'sinks' | 'destinations'>
}

export interface Delivery {
  /** Resolves when every sink has everything that is in the ledger at that moment, or after `ms`; true when they have. */
  idle(ms: number): Promise<boolean>
  /** The same, but waits for no sink that is in trouble, and not at all where another process delivers. */
  settled(ms: number): Promise<void>
  /** Stops where each sink is; the next start goes on there. */
  close(): Promise<void>
}

const LOCK_RETRY_MS = 1000
/** How often somebody who waits has those look that do not find anything. */
const LOOK_MS = 20
const TROUBLE = -1
/** Looks that found nothing: the first may come from before somebody waited. */
const ENOUGH = 2

/** @throws SwornError CONFIG_INVALID for names that occur twice, LEDGER_NOT_FOUND, LEDGER_DETACHED */
export function openDelivery(options: DeliveryOptions): Delivery {
  const { sinks, clock = systemClock } = options
  const files = findLedger(options.path, '/')
  const directory = directoryOf(files)
  const stop = new AbortController()
  const reports = new Map(sinks.map(({ name }) => [name, 0])) // looks that found nothing; TROUBLE where it does not go on
  if (reports.size < sinks.length) throw new SwornError('CONFIG_INVALID', 'each sink needs a name of its own', 'sinks.name')
  const openedMs = clock.now()
  const here = sinks.filter(({ name }) => !options.aside?.names.includes(name))
  const places = here.map((plan) => ({ plan, places: sinkPlaces(directory, plan.name) }))
  let notice = () => {}
  function onState(name: string, state: State): void {
    const count = state === 'idle' ? Math.max(0, reports.get(name) ?? 0) + 1 : state === 'trouble' ? TROUBLE : 0
    reports.set(name, count)
    if (count > 0 && count <= ENOUGH) notice()
  }
  const lookers = new Map<string, () => void>()
  const onWaiting = (name: string, look: () => void) => void lookers.set(name, look)
  const around = { ...options, clock, files, signal: stop.signal, onState, onWaiting, openedMs }
  const aside = here.length < sinks.length ? openAside(options, around) : undefined
  const lock = createTries(directory, clock, stop.signal)
  const running = lock.hold(async () => {
    await Promise.all([...places.map((sink) => deliverTo(sink, around)), aside?.run()])
  })
  async function until(ms: number, isEnough: (count: number) => boolean): Promise<boolean> {
    const holds = () => [...reports.values()].every(isEnough)
    for (const name of reports.keys()) reports.set(name, 0)
    aside?.begin()
    const end = clock.elapsed() + ms
    while (!holds() && clock.elapsed() < end && !stop.signal.aborted) {
      const noticed = new AbortController()
      notice = () => noticed.abort()
      for (const [name, count] of reports) if (count >= 0 && count < ENOUGH) lookers.get(name)?.()
      aside?.look()
      await clock.wait(Math.min(LOOK_MS, end - clock.elapsed()), AbortSignal.any([stop.signal, noticed.signal]))
    }
    return holds()
  }
  return {
    idle: (ms) => keptAlive(until(ms, (count) => count >= ENOUGH)),
    async settled(ms) {
      if (await keptAlive(lock.isHeld())) await keptAlive(until(ms, (count) => count >= ENOUGH || count === TROUBLE))
    },
    async close() {
      stop.abort()
      await keptAlive(running)
    },
  }
}

/** Delivery itself keeps no process alive; whoever waits for it does. */
async function keptAlive<T>(waiting: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, LOCK_RETRY_MS)
  try {
    return await waiting
  } finally {
    clearInterval(timer)
  }
}

/** @throws SwornError LEDGER_DETACHED */
export function directoryOf(files: LedgerFiles): string {
  if (files.directory !== undefined) return files.directory
  throw new SwornError('LEDGER_DETACHED', 'a lone file has no place for what was delivered', files.path)
}

/** The delivery lock: tried until it is held, once a second. */
function createTries(directory: string, clock: Clock, signal: AbortSignal) {
  const first = acquire(directory)
  let held = first
  return {
    /** After the first try. */
    isHeld: async () => (await held) !== undefined,
    /** Runs `act` while this process holds the lock. */
    async hold(act: () => Promise<void>): Promise<void> {
      let lock = await first
      while (lock === undefined && !signal.aborted) {
        await clock.wait(LOCK_RETRY_MS, signal)
        held = acquire(directory)
        lock = await held
      }
      try {
        if (!signal.aborted) await act()
      } finally {
        await lock?.release()
      }
    },
  }
}

function acquire(directory: string): ReturnType<typeof acquireDelivery> {
  return acquireDelivery(directory).catch(() => undefined) // no endpoint can be made now: tried again
}

type Sink = { readonly plan: SinkPlan; readonly places: SinkPlaces }

interface Around extends Pick<DeliveryOptions, 'origin' | 'version' | 'onLost'> {
  readonly clock: Clock
  readonly files: LedgerFiles
  readonly signal: AbortSignal
  readonly onState: (sink: string, state: State) => void
  /** Given once, what makes it look at the ledger now. */
  readonly onWaiting: (sink: string, look: () => void) => void
  /** When delivery was opened, milliseconds since 1970. */
  readonly openedMs: number
}

function openAside(
  { path, origin, version, aside, onLost = () => {} }: DeliveryOptions,
  { clock, signal, onState, openedMs }: Around,
): Aside | undefined {
  return aside && createAside({ data: { path, origin, version, openedMs, ...aside }, clock, signal, onState, onLost })
}

/** Delivers to one sink until it is stopped; never rejects. */
export async function deliverTo({ plan, places }: Sink, around: Around): Promise<void> {
  const { files, origin, version, clock, signal, onLost, onState, onWaiting, openedMs } = around
  const waiter = createWaiter(files, signal, false)
  onWaiting(plan.name, waiter.wake)
  try {
    await deliver({
      ...{ files, origin, version, places, clock, signal, waiter },
      plan: { ...plan, start: startAt(plan.start, openedMs) },
      onLost: (lost) => onLost?.(plan.name, lost),
      onState: (state) => onState(plan.name, state),
    })
  } finally {
    waiter.close()
  }
}
