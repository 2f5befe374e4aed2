/** A process that makes and uses a ledger below `<directory>`: rotation, checkpoint, a port; prints the code of what fails. */
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import { openPortHere } from '../../src/handover/open-port-here.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { item } from './ledger-case.ts'
import { sample } from './submissions.ts'

const [directory = ''] = process.argv.slice(2)
const options = { path: join(directory, 'ledger'), home: join(directory, 'home'), rotateBytes: 2000 }

try {
  const port = await openPortHere(options)
  await port.submit([sample(1)])
  await port.close()
  const ledger = openLedger(options)
  for (let n = 0; n < 9; n++) ledger.append([item(n, 'sync')])
  ledger.prune(1_000_000, { policy: 'test', unanchored: true })
  for (let n = 9; n < 12; n++) ledger.append([item(n, 'sync')])
  while (ledger.nextTickAt() <= Date.now()) ledger.tick()
  ledger.close()
} catch (error) {
  console.log(SwornError.is(error) ? `${error.code} ${error.message}` : error)
  process.exitCode = 1
}
