/**
 * Row 14: delivery to a broker and to a webhook, many entries a message; and what delivery costs whoever records.
 *
 * By hand, each event is sent by itself and its answer waited for, 64 at once to the broker and 8 to the webhook.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BesideAnswer, BesideTask } from '../children/beside-delivery.ts'
import type { DeliverAnswer, DeliverTask } from '../children/deliver.ts'
import { NODE_FLAGS, runChild } from '../harness/child.ts'
import { openHttpChild } from '../harness/http-child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { writeQueryLog } from '../harness/query-log.ts'
import { withWorkdir } from '../harness/workdir.ts'

const NATS = '127.0.0.1:4222'

export const publish: Row = {
  row: 14,
  job: 'delivery to NATS JetStream, webhook',
  against: 'publishing per event at equal guarantees; recording without delivery',
  target: '≥ 5 × (batched messages); record → durable p99 beside delivery ≤ 1.1 ×',
  needs: { name: 'NATS JetStream', port: 4222 },
  async run(quick) {
    const rounds = quick ? 1 : 3
    return [
      await nats(quick ? 300 : 100_000, rounds),
      await webhook(quick ? 300 : 100_000, rounds),
      ...(await beside(quick ? 80 : 8_000, quick ? 2 : 15)),
    ]
  },
}

async function nats(entries: number, rounds: number): Promise<Measurement> {
  const found = await inTurns(entries, rounds, () => {
    const stream = `sworn_bench_${randomBytes(4).toString('hex')}`
    return { sink: { type: 'nats', url: NATS, stream, subject: stream, batch: { wait_ms: 0 } }, end: () => dropStream(stream) }
  })
  return compare({ what: 'NATS JetStream, thousand entries/s', against: 'a message an event, 64 at once', ...found, bound: { atLeast: 5 } })
}

async function webhook(entries: number, rounds: number): Promise<Measurement> {
  const server = await openSink(0)
  try {
    const sink = { type: 'webhook', url: server.url, mode: 'batch', batch: { wait_ms: 0 } } as const
    const found = await inTurns(entries, rounds, () => ({ sink, end: async () => {} }))
    return compare({ what: 'webhook, thousand entries/s', against: 'a POST an event, 8 at once', ...found, bound: { atLeast: 5 } })
  } finally {
    await server.close()
  }
}

const openSink = (delayMs: number) =>
  openHttpChild({
    command: process.execPath,
    args: [...NODE_FLAGS, fileURLToPath(new URL('../children/http-sink.ts', import.meta.url)), String(delayMs)],
  })

interface Turn {
  readonly sink: DeliverTask['sink']
  end(): Promise<void>
}

/** Thousand entries a second, ours and by hand, each to a place of its own. */
async function inTurns(entries: number, rounds: number, begin: () => Turn): Promise<{ ours: number[]; rival: number[] }> {
  const rates = { ours: [] as number[], rival: [] as number[] }
  for (let round = 0; round < rounds; round++)
    await withWorkdir(async (directory) => {
      const ledger = writeQueryLog(directory, entries, 14)
      for (const [way, own] of [
        ['ours', rates.ours],
        ['by hand', rates.rival],
      ] as const) {
        const { sink, end } = begin()
        const { ms } = await runChild<DeliverAnswer>('deliver', { way, ledger, sink } satisfies DeliverTask).finally(end)
        own.push(entries / ms)
      }
    })
  return rates
}

async function dropStream(name: string): Promise<void> {
  const [{ connect }, { jetstreamManager }] = await Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')])
  const connection = await connect({ servers: NATS })
  await (await jetstreamManager(connection)).streams.delete(name).catch(() => {}) // a run that failed early never made it
  await connection.close()
}

const PER_MS = 8
const SLOW_MS = 250

/** What the recorder's callers notice of it, in the same process. */
async function beside(events: number, rounds: number): Promise<readonly Measurement[]> {
  const [fast, slow] = await Promise.all([openSink(0), openSink(SLOW_MS)])
  const ways = {
    'a file': (dir: string) => ({ type: 'jsonl', path: join(dir, 'copy.jsonl') }),
    'a fast webhook': () => ({ type: 'webhook', url: fast.url, mode: 'batch' }),
    'a slow webhook': () => ({ type: 'webhook', url: slow.url, mode: 'batch' }),
  }
  try {
    const found: Measurement[] = []
    for (const [name, sink] of Object.entries(ways)) found.push(...(await besideOne(name, sink, { events, rounds })))
    return found
  } finally {
    await Promise.all([fast.close(), slow.close()])
  }
}

async function besideOne(name: string, sink: (dir: string) => object, { events, rounds }: { events: number; rounds: number }) {
  const {
    bare,
    beside: ours,
    busy,
  } = await withWorkdir((dir) =>
    runChild<BesideAnswer>('beside-delivery', { dir, sink: sink(dir), events, rounds, perMs: PER_MS } satisfies BesideTask),
  )
  const rest = { against: 'nothing is delivered', bound: { atMost: 1.1 } }
  const of = (figure: 'p99Ms' | 'mainCpuUs', turns = ours) => ({
    ours: turns.map((turn) => turn[figure]),
    rival: bare.map((turn) => turn[figure]),
  })
  const control = compare({ what: 'beside a busy process', ...of('p99Ms', busy), ...rest })
  const note = `at ${PER_MS},000 events/s, delivered in a thread of the same process, in turns with none; the slow webhook answers after ${SLOW_MS} ms; control, beside another process that keeps one of ${availableParallelism()} cores busy instead of delivery: p99 ${inWords(control)}`
  return [
    compare({ what: `record → durable beside ${name}, p99 ms`, ...of('p99Ms'), ...rest, note }),
    compare({ what: `recording thread beside ${name}, CPU µs an event`, ...of('mainCpuUs'), ...rest }),
  ]
}

function inWords({ ratio, spread: [least, most] }: Measurement): string {
  return `${ratio.toPrecision(3)} × [${least.toPrecision(3)}–${most.toPrecision(3)}]`
}
