/** A ledger to one place: delivered by ours, or taken there by hand. Rates are those of the whole run. @module */
import { createReadStream } from 'node:fs'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { openDelivery, planSinks } from '@sworn/deliver'
import { answer, childTask } from '../harness/child.ts'
import { openPostgres } from '../harness/postgres.ts'

export interface DeliverTask {
  readonly way: 'ours' | 'by hand'
  readonly ledger: { readonly directory: string; readonly files: readonly string[]; readonly entries: number }
  /** As `audit.sinks` has it. */
  readonly sink: { readonly type: 'postgres' | 'nats' | 'webhook'; readonly [member: string]: unknown }
}

export interface DeliverAnswer {
  readonly ms: number
  /** Of this process, user and system. */
  readonly cpuMs: number
}

/** At once, where each event is sent by itself. */
const IN_FLIGHT = { nats: 64, webhook: 8 }
const ORIGIN = 'sworn.local/bench'
const LIMIT_MS = 240_000

const task = childTask<DeliverTask>()
const rivals = { postgres: copyByHand, nats: publishEach, webhook: postEach }
const start = performance.now()
const cpu = process.cpuUsage()
await (task.way === 'ours' ? deliverAll() : rivals[task.sink.type]())
const { user, system } = process.cpuUsage(cpu)
answer({ ms: performance.now() - start, cpuMs: (user + system) / 1000 } satisfies DeliverAnswer)
process.exit()

async function deliverAll(): Promise<void> {
  const path = task.ledger.directory
  const context = { origin: ORIGIN, version: '0', stdout: process.stdout, logger: undefined, now: Date.now, ledgerPath: path }
  const delivery = openDelivery({ path, origin: ORIGIN, version: '0', sinks: planSinks([task.sink], [], context) })
  if (!(await delivery.idle(LIMIT_MS))) throw new Error('not everything was delivered')
  await delivery.close()
}

async function* lines(): AsyncGenerator<string> {
  for (const file of task.ledger.files) yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

/** One COPY, one transaction; the columns of our table. */
async function copyByHand(): Promise<void> {
  const client = await openPostgres(String(task.sink.connection))
  const stream = client.copy(`COPY ${task.sink.table} FROM STDIN`)
  const field = (value: unknown): string =>
    typeof value !== 'string'
      ? '\\N'
      : value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  const names = ['event_type', 'severity', 'decision', 'tool', 'target', 'user', 'agent_id', 'session_id', 'event_id']
  let rows: string[] = []
  const flush = async () => {
    if (!stream.write(rows.join(''))) await new Promise<void>((resolve) => stream.once('drain', resolve))
    rows = []
  }
  for await (const line of lines()) {
    const entry = JSON.parse(line)
    const copies = names.map((name) => field(entry[name]))
    rows.push(`${[ORIGIN, entry.seq, entry.timestamp, entry.entry_hash, ...copies, field(line)].join('\t')}\n`)
    if (rows.length === 1000) await flush()
  }
  await flush()
  const done = new Promise<void>((resolve, reject) => stream.once('finish', resolve).once('error', reject))
  stream.end()
  await done
  await client.end()
}

/** Each event a message that is acknowledged and known by its id. */
async function publishEach(): Promise<void> {
  const [{ connect }, { jetstream, jetstreamManager }] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
  ])
  const connection = await connect({ servers: String(task.sink.url) })
  const name = String(task.sink.stream)
  await (await jetstreamManager(connection)).streams.add({ name, subjects: [`${task.sink.subject}.>`] })
  const stream = jetstream(connection)
  await eachLine(
    IN_FLIGHT.nats,
    async (line, n) => void (await stream.publish(`${task.sink.subject}.each`, line, { msgID: `${ORIGIN}/${n}` })),
  )
  await connection.close()
}

/** Each event a POST over connections that are kept. */
async function postEach(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT.webhook })
  const headers = { 'content-type': 'application/json' }
  const post = (line: string) =>
    new Promise<void>((resolve, reject) => {
      request(String(task.sink.url), { method: 'POST', agent, headers }, (reply) => {
        reply.resume().on('end', () => (reply.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${reply.statusCode}`))))
      })
        .on('error', reject)
        .end(line)
    })
  await eachLine(IN_FLIGHT.webhook, post)
  agent.destroy()
}

async function eachLine(atOnce: number, act: (line: string, n: number) => Promise<void>): Promise<void> {
  const all = lines()
  let n = 0
  const lane = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await all.next()
      if (done) return
      await act(value, n++)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
