/**
 * The port of a process that does nothing but record and relay: the ledger in this thread, no worker.
 *
 * A batch costs no thread wake-up and the process starts without a second one. While this thread is busy, nobody
 * who hands over to it is answered: not for programs that compute. Promise: what was submitted is on disk at
 * process exit; as a client of another recorder, what the kernel took by then.
 * @module
 */
import { nodeFileOps } from '../ledger/file-ops.ts'
import { ledgerLayout } from '../ledger/layout.ts'
import { openLedger } from '../ledger/ledger.ts'
import { readSyncTimes, SYNC_TIME_WORDS, timingSyncs } from '../port/sync-times.ts'
import type { Door } from './door.ts'
import { type OpenPortOptions, toThreadOptions } from './open-port.ts'
import { openThreadDoor } from './open-thread-door.ts'

/**
 * Becomes the recorder of the ledger in this thread, or hands over to the one there is.
 *
 * @throws SwornError as `openPort`
 */
export async function openPortHere(options: OpenPortOptions): Promise<Door> {
  const thread = toThreadOptions(options)
  const { path, root } = ledgerLayout(nodeFileOps, thread.ledger.path)
  const words = new Float64Array(SYNC_TIME_WORDS)
  const fileOps = timingSyncs(nodeFileOps, words)
  const hooks = { spawnRecorder: options.spawnRecorder ?? (() => undefined) }
  const door = await openThreadDoor(thread, hooks, {
    place: { path, root },
    syncsAside: true,
    open: (newest) => openLedger({ ...thread.ledger, fileOps, ...(newest && { acknowledged: newest }) }),
  })
  const onExit = () => void door.closeSync()
  process.on('exit', onExit)
  return {
    ...door,
    syncTimes: () => readSyncTimes(words),
    closeSync() {
      process.off('exit', onExit)
      return door.closeSync()
    },
    async close() {
      process.off('exit', onExit)
      await door.close()
    },
  }
}
