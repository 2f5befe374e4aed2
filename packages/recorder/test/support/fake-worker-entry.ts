/** The appender's thread with the fake ledger behind it. */
import { parentPort, workerData } from 'node:worker_threads'
import { openThreadDoor } from '../../src/handover/open-thread-door.ts'
import type { ThreadOptions } from '../../src/handover/thread-options.ts'
import { serveThread } from '../../src/port/thread-host.ts'
import type { ThreadData } from '../../src/port/thread-messages.ts'
import { openFakeLedger } from './fake-ledger.ts'

const { control, options }: ThreadData<ThreadOptions> = workerData
const { path } = options.ledger
await serveThread(parentPort!, control, (hooks) =>
  openThreadDoor(options, hooks, { place: { path, root: path }, open: () => openFakeLedger(path) }),
)
