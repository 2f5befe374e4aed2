/**
 * Apache Kafka: a message an entry, keyed by its session, so that a session stays in one partition and in order.
 *
 * A batch counts when every replica in sync has each of its messages. At least once: what the producer repeats is
 * stored once, what comes again after a crash or a lost connection is there twice, under the same `sworn-key`.
 * Source: Apache Kafka 3, producer configuration `acks=all`, `enable.idempotence`.
 * @module
 */
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { type KafkaDriver, type KafkaMessage, type KafkaOpening, type KafkaProducer, kafkaReason, loadKafka } from './kafka-driver.ts'

export interface KafkaOptions extends KafkaOpening {
  /** It exists, or the brokers make it. */
  readonly topic: string
  /** The ledger's; the key of entries without a session. */
  readonly origin: string
  /** Default: the package next to sworn. */
  readonly driver?: () => Promise<KafkaDriver>
}

/** Below the usual limit of 1 MiB a partition and request. */
const LIMITS = { items: 1000, bytes: 512 << 10 }
/** Only fewer or other messages would be taken. */
const REFUSED: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE'])

export function kafkaSink({ topic, origin, driver = loadKafka, ...opening }: KafkaOptions): OpenSink {
  return async () => {
    const kafka = await driver()
    let producer: KafkaProducer | undefined
    const drop = () => {
      void producer?.close().catch(() => {}) // it is gone or goes; the next batch begins with a new one
      producer = undefined
    }
    async function using<T>(signal: AbortSignal, act: (producer: KafkaProducer) => Promise<T>): Promise<T> {
      signal.addEventListener('abort', drop, { once: true })
      try {
        producer ??= kafka.open(opening)
        return await act(producer)
      } catch (e) {
        drop()
        throw e
      } finally {
        signal.removeEventListener('abort', drop)
      }
    }
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        const messages = items.map((item) => toMessage(item, topic, origin))
        return await using(signal, async (open) =>
          (await open.send(messages)) > 0 ? {} : allAgain(items, 'no partition in the answer'),
        ).catch((e): Outcome => {
          const reason = kafkaReason(e)
          return REFUSED.has(reason) ? { whole: reason } : allAgain(items, reason)
        })
      },
      probe: (signal) => using(signal, (open) => probe(open, topic)).catch((e): Probed => ({ wrong: kafkaReason(e) })),
      async close() {
        await producer?.close()
      },
    }
  }
}

function toMessage({ key, body, event }: Item, topic: string, origin: string): KafkaMessage {
  return { topic, key: typeof event.session_id === 'string' ? event.session_id : origin, value: body, headers: { 'sworn-key': key } }
}

/** What is written to a topic stays there: it is only asked for. */
async function probe(producer: KafkaProducer, topic: string): Promise<Probed> {
  const count = await producer.partitions(topic)
  return count > 0 ? { shown: `the topic has ${count} partitions; nothing was written` } : { wrong: 'the topic has no partition' }
}
