/** A process that appends until it is killed: one line `seq entry_hash` on stdout for each durable acknowledgement. */
import { SwornError } from '@sworn/verify'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Ack } from '../../src/port/types.ts'
import { item } from './ledger-case.ts'
import { tell } from './tell.ts'

const [path = '', home = '', first = '0'] = process.argv.slice(2)
const ledger = openLedger({ path, home, rotateBytes: 40_000 })
for (let n = Number(first); ; n += 5) {
  const items = [0, 1, 2, 3, 4].map((k) => item(n + k, k === 4 ? 'sync' : 'batch', { session_id: 's' }))
  const answers = ledger.append(items)
  ledger.tick()
  const lines = answers
    .filter((answer): answer is Ack => !SwornError.is(answer) && answer.durable)
    .map((ack) => `${ack.seq} ${ack.entryHash}\n`)
  tell(lines.join(''))
}
