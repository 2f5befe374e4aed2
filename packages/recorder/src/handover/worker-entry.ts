/**
 * The appender's thread: the door with the real ledger behind it. Started by `openPort`, never imported.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { nodeFileOps } from '../ledger/file-ops.ts'
import { ledgerLayout } from '../ledger/layout.ts'
import { openLedger } from '../ledger/ledger.ts'
import { syncTimesOf } from '../port/ring.ts'
import { timingSyncs } from '../port/sync-times.ts'
import { serveThread } from '../port/thread-host.ts'
import type { ThreadData } from '../port/thread-messages.ts'
import { openThreadDoor } from './open-thread-door.ts'
import type { ThreadOptions } from './thread-options.ts'

const { control, options }: ThreadData<ThreadOptions> = workerData
const fileOps = timingSyncs(nodeFileOps, syncTimesOf(control))
const { path, root } = ledgerLayout(nodeFileOps, options.ledger.path)

if (parentPort) {
  await serveThread(parentPort, control, (hooks) =>
    openThreadDoor(options, hooks, {
      place: { path, root },
      open: (newest) => openLedger({ ...options.ledger, fileOps, ...(newest && { acknowledged: newest }) }),
    }),
  )
}
