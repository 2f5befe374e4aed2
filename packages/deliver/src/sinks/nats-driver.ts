/**
 * The part of `@nats-io/transport-node` and `@nats-io/jetstream` that is used, written out; they are installed beside
 * sworn by whoever needs them.
 * @module
 */
import { loadDriver } from './driver.ts'

export interface NatsStream {
  /** The last message of a subject; undefined: there is none. */
  last(subject: string): Promise<{ readonly sequence: number; readonly next: string } | undefined>
  /** Rejects where what was to stand before it does not. @returns its sequence in the stream */
  publish(subject: string, body: Uint8Array, message: NatsMessage): Promise<number>
  /** Publishes what says that it is a probe, reads it back, and removes it where the stream lets it. */
  probe(subject: string): Promise<{ readonly found: boolean; readonly removed: boolean }>
  close(): Promise<void>
}

export interface NatsMessage {
  readonly id: string
  readonly next: string
  /** The sequence of the subject's last message, or the id of the stream's. */
  readonly after: number | string
}

export interface NatsOpening {
  readonly servers: string
  readonly token: string | undefined
  readonly stream: string
  readonly subjects: string
}

export interface NatsDriver {
  open(opening: NatsOpening): Promise<NatsStream>
}

interface Headers {
  set(name: string, value: string): void
  get(name: string): string
}
interface Connection {
  close(): Promise<void>
}
interface Transport {
  connect(options: { servers: string[]; token?: string; reconnect: boolean; timeout: number }): Promise<Connection>
  headers(): Headers
}
interface Manager {
  readonly streams: {
    add(config: { name: string; subjects: string[] }): Promise<unknown>
    info(name: string): Promise<unknown>
    getMessage(name: string, query: { last_by_subj: string }): Promise<{ seq: number; header?: Headers } | null>
    deleteMessage(name: string, seq: number, erase?: boolean): Promise<boolean>
  }
}
interface Publisher {
  publish(
    subject: string,
    body: string | Uint8Array,
    options: { msgID?: string; headers?: Headers; timeout?: number; expect?: { lastSubjectSequence: number } | { lastMsgID: string } },
  ): Promise<{ seq: number }>
}
interface JetStream {
  jetstream(connection: Connection): Publisher
  jetstreamManager(connection: Connection): Promise<Manager>
}

const TIMEOUT_MS = 10_000
/** Messages wait for those before them, and whoever publishes gives up first. */
const ANSWER_MS = 600_000
const NEXT = 'Sworn-Next'
const PACKAGES = '@nats-io/transport-node @nats-io/jetstream'

/** @throws SwornError DRIVER_MISSING */
export async function loadNats(): Promise<NatsDriver> {
  const { connect, headers } = await loadDriver<Transport>('@nats-io/transport-node', PACKAGES)
  const { jetstream, jetstreamManager } = await loadDriver<JetStream>('@nats-io/jetstream', PACKAGES)
  /** With a stream of that name. */
  async function manager(connection: Connection, name: string, subjects: string): Promise<Manager> {
    const found = await jetstreamManager(connection)
    await found.streams.info(name).catch(() => found.streams.add({ name, subjects: [subjects] })) // of two that make it one is told that it is there
    return found
  }
  return {
    async open({ servers, token, stream, subjects }) {
      const connection = await connect({
        servers: servers.split(','),
        reconnect: false,
        timeout: TIMEOUT_MS,
        ...(token !== undefined && { token }),
      })
      const { streams } = await manager(connection, stream, subjects).catch(async (e) => {
        await connection.close().catch(() => {}) // whatever it said first is what is told
        throw e
      })
      const publisher = jetstream(connection)
      return {
        async last(subject) {
          const message = await streams.getMessage(stream, { last_by_subj: subject })
          return message ? { sequence: message.seq, next: message.header?.get(NEXT) ?? '0' } : undefined
        },
        async publish(subject, body, { id, next, after }) {
          const own = headers()
          own.set(NEXT, next)
          const expect = typeof after === 'number' ? { lastSubjectSequence: after } : { lastMsgID: after }
          return (await publisher.publish(subject, body, { msgID: id, headers: own, timeout: ANSWER_MS, expect })).seq
        },
        async probe(subject) {
          const { seq } = await publisher.publish(subject, 'sworn doctor: a probe, no entry', {})
          const message = await streams.getMessage(stream, { last_by_subj: subject })
          const removed = await streams.deleteMessage(stream, seq, false).catch(() => false)
          return { found: message?.seq === seq, removed }
        },
        close: () => connection.close(),
      }
    },
  }
}
