/** Delivers to the sinks of a configuration until it is killed; says `ready`, and `idle` or `late` at each line of stdin. */
import { createInterface } from 'node:readline'
import { openDelivery, planSinks } from '../../src/index.ts'

const [path = '', origin = '', sinks = '[]', batch = '500', idleMs = '0'] = process.argv.slice(2)
const context = { origin, version: '0', stdout: process.stdout, now: Date.now, ledgerPath: path }
const quick = { timeoutMs: 1500, backoff: { firstMs: 1, maxMs: 20 }, batch: { items: Number(batch), lingerMs: 0 } }
const plans = planSinks(JSON.parse(sinks), [], context).map((plan) => ({ ...plan, ...quick }))
const delivery = openDelivery({ path, origin, version: '0', sinks: plans })
process.stdout.write('ready\n')
for await (const _ of createInterface(process.stdin)) process.stdout.write((await delivery.idle(Number(idleMs))) ? 'idle\n' : 'late\n')
await delivery.close()
