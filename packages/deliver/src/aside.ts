/**
 * Delivery in a thread of its own, so that whoever records in this one does not wait for it.
 *
 * The thread makes its sinks from the same configuration; what only the program has (its stdout, its logger) is
 * delivered to here. A thread that dies is started again: like a process that is killed, it goes on at its cursors.
 * Why a thread: docs/decisions/delivery-thread.md.
 * @module
 */
import { startWorker } from '@sworn/recorder/reading'
import type { Clock } from './clock.ts'
import type { LostRange } from './commit.ts'
import type { State } from './delivery.ts'

/** What a thread is given; it passes as it is. */
export interface AsideData {
  readonly path: string
  readonly origin: string
  readonly version: string
  /** When delivery was opened, milliseconds since 1970. */
  readonly openedMs: number
  /** Of the sinks that are delivered to there. */
  readonly names: readonly string[]
  /** `audit.sinks` and `audit.destinations`, checked. */
  readonly sinks: unknown
  readonly destinations: unknown
}

/** What the thread tells; `round` is the last that it was told. */
export type AsideMessage =
  | { readonly about: 'state'; readonly sink: string; readonly state: State; readonly round: number }
  | { readonly about: 'lost'; readonly sink: string; readonly lost: LostRange }

/** What the thread is told: that it is to stop, that it is to look at the ledger now, or that a new round begins. */
export type AsideOrder = 'stop' | 'look' | number

export interface AsideOptions {
  readonly data: AsideData
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onState: (sink: string, state: State) => void
  readonly onLost: (sink: string, lost: LostRange) => void
}

export interface Aside {
  /** Delivers until it is stopped; never rejects. */
  run(): Promise<void>
  /** From now on only states count that the thread came to after it heard of this. */
  begin(): void
  /** Has it look at the ledger now. */
  look(): void
}

const AGAIN_MS = 1000

export function createAside({ data, clock, signal, onState, onLost }: AsideOptions): Aside {
  let round = 0
  let order: (order: AsideOrder) => void = () => {}

  function take(message: AsideMessage): void {
    if (message.about === 'lost') onLost(message.sink, message.lost)
    else if (message.round === round) onState(message.sink, message.state)
  }

  function once(): Promise<void> {
    const worker = startWorker(import.meta.url, './aside-worker', data)
    worker.on('message', take)
    worker.unref() // behind the listener of messages, which refs it
    order = (what) => worker.postMessage(what)
    order(round)
    const stop = () => {
      worker.ref() // whoever waits is not to end before
      worker.postMessage('stop' satisfies AsideOrder)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    return new Promise((resolve) => {
      worker.once('error', () => {
        for (const name of data.names) onState(name, 'trouble')
      })
      worker.once('exit', () => {
        signal.removeEventListener('abort', stop)
        order = () => {}
        resolve()
      })
    })
  }

  return {
    async run() {
      while (!signal.aborted) {
        await once()
        await clock.wait(AGAIN_MS, signal)
      }
    },
    begin() {
      round++
      order(round)
    },
    look: () => order('look'),
  }
}
