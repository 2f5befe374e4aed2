/** One contract: a port in this thread, in a worker that records, and in a worker that hands over; on a fake ledger and on the real one. */
import { join } from 'node:path'
import { createLocalPort } from '../src/port/local.ts'
import type { Port } from '../src/port/types.ts'
import { openFakeLedger } from './support/fake-ledger.ts'
import { openFakePort } from './support/fake-port.ts'
import { portContract } from './support/port-contract.ts'
import { openRealPort, openRealPortHere } from './support/real-port.ts'
import { temporaryDirectory } from './support/temporary.ts'

const local = temporaryDirectory()
const holder = temporaryDirectory()
const shared = temporaryDirectory()
const real = join(temporaryDirectory(), 'audit.jsonl')
const here = join(temporaryDirectory(), 'audit.jsonl')
const realShared = join(temporaryDirectory(), 'audit.jsonl')
const fake = (directory: string) => join(directory, 'fake.jsonl')

portContract('local', fake(local), async () => createLocalPort(openFakeLedger(local)))
portContract('worker that records', fake(holder), () => openFakePort(holder))
portContract('worker that hands over', fake(shared), () => withHolder(openFakePort, shared))
portContract('real ledger in a worker', real, () => openRealPort(real))
portContract('real ledger in this thread', here, () => openRealPortHere(here))
portContract('real ledger over a hand-over', realShared, () => withHolder(openRealPort, realShared))

/** A client of another port, which is closed after it. */
async function withHolder(open: (path: string) => Promise<Port>, path: string): Promise<Port> {
  const first = await open(path)
  const port = await open(path)
  return {
    ...port,
    async close() {
      await port.close()
      await first.close()
    },
  }
}
