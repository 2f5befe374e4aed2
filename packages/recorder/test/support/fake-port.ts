/** Opens a port whose ledger is the fake one, behind a real worker and a real hand-over. */
import { randomUUID } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { PATIENCE, type Patience } from '../../src/handover/setup.ts'
import type { ThreadOptions } from '../../src/handover/thread-options.ts'
import { startWorker } from '../../src/port/start-worker.ts'
import { openWorkerPort, type WorkerPort } from '../../src/port/worker.ts'
import { PATIENT } from './real-port.ts'

export interface FakePortOptions {
  readonly ephemeral?: boolean
  readonly spawnRecorder?: () => void
  readonly patience?: Partial<Patience>
}

export function openFakePort(path: string, options: FakePortOptions = {}): Promise<WorkerPort> {
  const { spawnRecorder } = options
  return openWorkerPort({ start: (control) => startFakeThread(path, control, options), ...(spawnRecorder && { spawnRecorder }) })
}

/** The appender's thread with the fake ledger in it. */
export function startFakeThread(path: string, control: Int32Array, { ephemeral = false, patience }: FakePortOptions = {}): Worker {
  const options: ThreadOptions = {
    ledger: { path, home: path },
    producerId: randomUUID(),
    swornVersion: '0.1.0',
    syncDelayMs: 5,
    patience: { ...PATIENCE, ...PATIENT, ...patience },
    ephemeral,
    sharedFileSystem: false,
  }
  return startWorker(import.meta.url, './fake-worker-entry', { control, options })
}
