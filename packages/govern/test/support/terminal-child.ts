/** Asks on its controlling terminal while stdin and stdout belong to somebody else; says on stdout how it ended. */
import { createApprovals, createTerminalChannel, openControllingTerminal } from '../../src/approvals/index.ts'
import { createTokenBuckets } from '../../src/rate.ts'
import { isAsking, redact, requestOf } from './approvals.ts'

const terminal = createTerminalChannel({ open: openControllingTerminal, approver: 'ada', code: () => '482' })
const approvals = createApprovals({
  channels: [terminal],
  redact,
  reserve: createTokenBuckets(() => performance.now()),
  note: () => {},
  timeoutMs: Number(process.argv[2] ?? 60_000),
})
let heard = ''
process.stdin.setEncoding('utf8').on('data', (part) => (heard += part))
const begun = await approvals.begin(requestOf())
const settlement = isAsking(begun) ? await begun.ask() : begun
await approvals.close()
process.stdout.write(`${JSON.stringify({ heard, answer: settlement.answer, ...settlement.members })}\n`)
process.exit(0)
