/** `collect DIRECTORY PORT`: a collector behind a listener; says its port. `deliver PATH ORIGIN URL`: delivers to one until it is killed; says `ready`, and `idle` on each line of stdin when all is delivered. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { getRequestListener } from '@hono/node-server'
import { planOf } from '../../../../testkit/src/sink-contract.ts'
import { createCollector, fileStore, openCosigner, openDelivery, systemClock } from '../../src/index.ts'
import { collectorSink } from '../../src/sinks/collector.ts'

const TOKEN = 'the-token-of-the-first-producer'
const [role, ...args] = process.argv.slice(2)

function collect([directory = '', port = '0']: readonly string[]): void {
  const route = createCollector({
    storeOf: (logId) => fileStore(join(directory, 'mirrors', logId)),
    cosigner: openCosigner(join(directory, 'state')),
    tokens: [{ token: TOKEN, name: 'one' }],
    now: Date.now,
    record: async (event) => void process.stderr.write(`${JSON.stringify(event)}\n`),
  })
  const server = createServer(getRequestListener(async (request) => (await route(request)) ?? new Response(null, { status: 404 })))
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
}

async function deliver([path = '', origin = '', url = '']: readonly string[]): Promise<void> {
  const open = collectorSink({ url, token: TOKEN, ledgerPath: path, name: 'test', now: Date.now })
  const sinks = [planOf({ open, shape: { records: 'all' } }, { batch: { items: 40, lingerMs: 0 } })]
  const delivery = openDelivery({ path, origin, version: '0', clock: systemClock, sinks })
  process.stdout.write('ready\n')
  for await (const _ of createInterface(process.stdin)) process.stdout.write((await delivery.idle(60_000)) ? 'idle\n' : 'late\n')
  await delivery.close()
}

if (role === 'collect') collect(args)
else await deliver(args)
