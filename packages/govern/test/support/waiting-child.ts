/** Records that a person is asked, asks, and waits for an answer that never comes. Argument: the ledger's path. */
import { createRecorder, openPort } from '@sworn/recorder'
import { createApprovals } from '../../src/approvals/index.ts'
import { createHand, isAsking, redact, requestOf } from './approvals.ts'

const path = process.argv[2]!
const port = await openPort({ path, home: `${path}.home`, version: '0.1.0' })
const recorder = createRecorder({ port })
const approvals = createApprovals({ channels: [createHand().channel], redact, reserve: port.reserve, note: () => {} })
const begun = await approvals.begin(requestOf())
if (!isAsking(begun)) throw new Error(begun.reason)
await recorder.record(begun.requested)
void begun.ask()
process.stdout.write('asked\n')
setInterval(() => {}, 60_000)
