/** Opens a port on a real ledger whose keys lie beside it. */
import { type OpenPortOptions, openPort } from '../../src/handover/open-port.ts'
import { openPortHere } from '../../src/handover/open-port-here.ts'
import type { WorkerPort } from '../../src/port/worker.ts'

/** For whoever waits for a process that runs: the machine and its disk may be busy. */
export const PATIENT = { greetMs: 60_000, ackMs: 60_000, lazyAckMs: 60_000 }

export function openRealPort(path: string, { patience, ...options }: Partial<OpenPortOptions> = {}): Promise<WorkerPort> {
  return openPort({ path, home: `${path}.home`, version: '0.1.0', patience: { ...PATIENT, ...patience }, ...options })
}

/** The same in this thread. */
export function openRealPortHere(path: string): ReturnType<typeof openPortHere> {
  return openPortHere({ path, home: `${path}.home`, version: '0.1.0', patience: PATIENT })
}
