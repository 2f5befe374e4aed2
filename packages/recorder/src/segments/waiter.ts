/**
 * Waiting for a ledger to grow: woken by file events, and by a timer where events do not arrive (network and container
 * file systems).
 * @module
 */
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LedgerFiles } from './find.ts'

const POLL_MS = 250

export interface Waiter {
  /** Resolves at the next file event, after `ms` (default 250), when it is woken, or when the signal aborts. */
  next(ms?: number): Promise<void>
  /** Ends the wait at hand, if there is one. */
  wake(): void
  close(): void
}

/**
 * @param signal ends the wait at hand and every later one
 * @param ref false: waiting keeps no process alive
 */
export function createWaiter(files: LedgerFiles, signal: AbortSignal, ref = true): Waiter {
  let wake = () => {}
  const watchers: FSWatcher[] = []
  const places = [files.directory && join(files.directory, 'segments'), files.activeFile && dirname(files.activeFile)]
  for (const place of places) {
    if (place && existsSync(place)) watchers.push(watch(place, { persistent: ref }, () => wake()).on('error', () => {})) // the timer goes on
  }
  const stop = () => wake()
  signal.addEventListener('abort', stop)
  return {
    next: (ms = POLL_MS) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        if (!ref) timer.unref()
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (signal.aborted) wake()
      }),
    wake: () => wake(),
    close: () => {
      signal.removeEventListener('abort', stop)
      for (const watcher of watchers) watcher.close()
    },
  }
}
