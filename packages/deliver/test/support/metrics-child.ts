/** Counts a ledger until it is killed, and says after each look how many decisions it counted. */
import { systemClock } from '../../src/index.ts'
import { openMetrics } from '../../src/metrics/index.ts'

const [path = '', origin = ''] = process.argv.slice(2)
let ms = 0
const clock = { ...systemClock, elapsed: () => (ms += 2000) } // it saves often
const metrics = openMetrics({ path, origin, clock })
for (;;) {
  const text = await metrics.text(60_000)
  const decisions = [...text.matchAll(/^aip_authorization_decisions_total\{.*\} (\d+)$/gm)]
  process.stdout.write(`${decisions.reduce((sum, [, value]) => sum + Number(value), 0)}\n`)
  await new Promise((resolve) => setImmediate(resolve))
}
