/**
 * Keeps the index of a ledger up to date while it is recorded, on a thread of its own: recording waits for nothing.
 * @module
 */
import { startWorker } from '@sworn/recorder/reading'
import { loadSqlite } from '@sworn/recorder/sqlite'

/** What the thread is given. */
export interface LiveData {
  /** The ledger, absolute. */
  readonly path: string
}

/** What the thread says. */
export interface LiveMessage {
  readonly say: string
}

export interface LiveIndex {
  /** Resolves when the thread has ended; what it has not read, the next query reads. */
  stop(): Promise<void>
}

/** A thread that does not end by then is ended: it is made to be killed. */
const STOP_MS = 2000

/**
 * @param onEnd told when the thread ended by itself: queries bring the index up to date all the same
 * @throws SwornError NODE_TOO_OLD
 */
export async function startLiveIndex(path: string, say: (text: string) => void, onEnd: (reason: string) => void): Promise<LiveIndex> {
  await loadSqlite()
  const worker = startWorker(import.meta.url, './live-worker', { path } satisfies LiveData)
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let stopping = false
  worker.on('message', (message: LiveMessage) => say(message.say))
  worker.on('error', (e) => void (stopping || onEnd(e instanceof Error ? e.message : 'unknown')))
  worker.unref() // behind the listener of messages, which refs it
  return {
    async stop() {
      stopping = true
      worker.ref() // whoever waits is not to end before
      worker.postMessage('stop')
      const late = setTimeout(() => void worker.terminate(), STOP_MS)
      await ended
      clearTimeout(late)
    },
  }
}
