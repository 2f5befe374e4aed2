/**
 * The part of `@platformatic/kafka` that is used, written out; it is installed beside sworn by whoever needs it.
 *
 * The producer is idempotent and waits for all replicas in sync; it tries a request three times under the same
 * sequence, so that what it repeats itself is stored once.
 * @module
 */
import { isIP } from 'node:net'
import { reasonOf } from '../ship.ts'
import { loadDriver } from './driver.ts'

export interface KafkaMessage {
  readonly topic: string
  /** Messages with the same key follow each other. */
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

export interface KafkaProducer {
  /** Resolves when every message is stored. @returns how many partitions took some */
  send(messages: readonly KafkaMessage[]): Promise<number>
  /** How many partitions the topic has. */
  partitions(topic: string): Promise<number>
  close(): Promise<void>
}

export interface KafkaOpening {
  /** HOST:PORT, each. */
  readonly brokers: readonly string[]
  /** Absent: not encrypted. */
  readonly tls?: { readonly ca?: string | undefined } | undefined
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string } | undefined
}

export interface KafkaDriver {
  open(opening: KafkaOpening): KafkaProducer
}

interface Producer {
  send(options: { messages: readonly KafkaMessage[] }): Promise<{ offsets?: readonly unknown[] }>
  metadata(options: { topics: readonly string[] }): Promise<{ topics: ReadonlyMap<string, { partitionsCount: number }> }>
  close(force: boolean): Promise<void>
}
interface Module {
  readonly Producer: new (options: object) => Producer
  readonly stringSerializers: object
}

/** KIP-360: a producer that has no identity yet asks with these; the package would ask with 0. */
const NEW = { producerId: -1n, producerEpoch: -1 }
const TRIES = { retries: 2, retryDelay: 200 }
const TIMEOUTS = { timeout: 5000, connectTimeout: 5000, requestTimeout: 10_000 }

/** @throws SwornError DRIVER_MISSING */
export async function loadKafka(): Promise<KafkaDriver> {
  const { Producer, stringSerializers } = await loadDriver<Module>('@platformatic/kafka', '@platformatic/kafka')
  return {
    open({ brokers, tls, sasl }) {
      const producer = new Producer({
        clientId: 'sworn',
        bootstrapBrokers: [...brokers],
        idempotent: true,
        ...NEW,
        serializers: stringSerializers,
        ...TRIES,
        ...TIMEOUTS,
        ...(tls && { tls: { ...(tls.ca !== undefined && { ca: tls.ca }) }, tlsServerName: !brokers.some(isAddress) }),
        ...(sasl && { sasl }),
      })
      return {
        send: async (messages) => (await producer.send({ messages })).offsets?.length ?? 0,
        partitions: async (topic) => (await producer.metadata({ topics: [topic] })).topics.get(topic)?.partitionsCount ?? 0,
        close: () => producer.close(true),
      }
    },
  }
}

/** An address is no name that a certificate is chosen by. */
function isAddress(broker: string): boolean {
  return isIP(broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '')) !== 0
}

/** The broker's own name of an error, or the system's code, wherever in it they stand; the package's own code says little. */
export function kafkaReason(e: unknown): string {
  const inside = allInside(e, 0)
  const word = inside.map((one) => wordOf(one, 'apiId')).find((id) => id !== undefined)
  const code = inside.map((one) => wordOf(one, 'code')).find((one) => one !== undefined && !one.startsWith('PLT_KFK_'))
  return word ?? code ?? reasonOf(e)
}

const MAX_DEPTH = 8

/** The error, and those that it was made of. */
function allInside(e: unknown, depth: number): readonly Error[] {
  if (!(e instanceof Error) || depth > MAX_DEPTH) return []
  const inner: readonly unknown[] = e instanceof AggregateError ? e.errors : [e.cause]
  return [e, ...inner.flatMap((one) => allInside(one, depth + 1))]
}

function wordOf(e: Error, member: 'apiId' | 'code'): string | undefined {
  const value: unknown = Reflect.get(e, member)
  return typeof value === 'string' && /^[A-Z_]{1,64}$/.test(value) ? value : undefined
}
