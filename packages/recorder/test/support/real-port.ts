/** Opens a port on a real ledger whose keys lie beside it. */
import { type OpenPortOptions, openPort } from '../../src/handover/open-port.ts'
import { openPortHere } from '../../src/handover/open-port-here.ts'
import type { WorkerPort } from '../../src/port/worker.ts'

export function openRealPort(path: string, options: Partial<OpenPortOptions> = {}): Promise<WorkerPort> {
  return openPort({ path, home: `${path}.home`, version: '0.1.0', ...options })
}

/** The same in this thread. */
export function openRealPortHere(path: string): ReturnType<typeof openPortHere> {
  return openPortHere({ path, home: `${path}.home`, version: '0.1.0' })
}
