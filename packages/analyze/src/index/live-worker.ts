/**
 * The thread that keeps the index of a growing ledger at most one look behind.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createWaiter, findLedger, type LedgerFiles } from '@sworn/recorder/segments'
import { openFed } from '../open-source.ts'
import { feedIndex } from './feed.ts'
import type { LiveData, LiveMessage } from './live.ts'

const { path } = workerData as LiveData // given by live.ts
const stop = new AbortController()
parentPort?.on('message', () => stop.abort())
await keep(findLedger(path, '/'))

async function keep(files: LedgerFiles): Promise<void> {
  if (files.directory === undefined) return
  const index = await openFed(files, files.directory, { signal: stop.signal, onNotice: say })
  const waiter = createWaiter(files, stop.signal)
  try {
    while (!stop.signal.aborted) {
      await waiter.next()
      await feedIndex(index, files, { threads: 1, onRestart: () => say('the index is made anew') })
    }
  } finally {
    waiter.close()
    index.close()
    parentPort?.close()
  }
}

function say(text: string): void {
  parentPort?.postMessage({ say: text } satisfies LiveMessage)
}
