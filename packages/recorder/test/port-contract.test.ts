/** One contract: a port in this thread, in a worker that records, and in a worker that hands over. */
import { createLocalPort } from '../src/port/local.ts'
import type { Port } from '../src/port/types.ts'
import { openFakeLedger } from './support/fake-ledger.ts'
import { openFakePort } from './support/fake-port.ts'
import { portContract } from './support/port-contract.ts'
import { openRealPort, openRealPortHere } from './support/real-port.ts'
import { temporaryDirectory, temporaryLedger } from './support/temporary.ts'

const path = {
  local: temporaryDirectory(),
  holder: temporaryDirectory(),
  shared: temporaryDirectory(),
  real: temporaryLedger(),
  here: temporaryLedger(),
}

portContract('local', async () => createLocalPort(openFakeLedger(path.local)))
portContract('worker that records', () => openFakePort(path.holder))
portContract('worker that hands over', async () => withHolder(path.shared))
portContract('real ledger in a worker', () => openRealPort(path.real))
portContract('real ledger in this thread', () => openRealPortHere(path.here))

/** A client of another port, which is closed after it. */
async function withHolder(path: string): Promise<Port> {
  const holder = await openFakePort(path)
  const port = await openFakePort(path)
  return {
    ...port,
    async close() {
      await port.close()
      await holder.close()
    },
  }
}
