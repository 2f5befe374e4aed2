/**
 * NATS JetStream: many entries a message, each entry once.
 *
 * A message says in `Sworn-Next` which entry follows it and is only taken behind the one before (expected last subject
 * sequence): after a lost answer or a crash the stream itself tells what it has, and two that deliver cannot mix.
 * `Nats-Msg-Id` is the keys of its first and last entry. One subject a ledger. Source: NATS JetStream, 2.9 and later.
 * @module
 */

import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed, sizeOfItem } from '../sink.ts'
import { joinBodies } from './joined.ts'
import { loadNats, type NatsDriver, type NatsStream } from './nats-driver.ts'

export interface NatsOptions {
  readonly servers: string
  readonly token?: string | undefined
  /** Made when it is absent, with the subjects `<subject>.>`. */
  readonly stream: string
  readonly subject: string
  /** The ledger's. */
  readonly origin: string
  /** Default: the packages next to sworn. */
  readonly driver?: () => Promise<NatsDriver>
}

const LIMITS = { items: 4096, bytes: 4 << 20 }
/** Below the server's usual limit of 1 MiB a message. */
const MESSAGE = { items: 256, bytes: 512 << 10 }

/** What the stream has of this ledger. */
interface Held {
  readonly stream: NatsStream
  /** Of the last message of the subject; 0: there is none. */
  sequence: number
  /** seq of the first entry that is not there. */
  next: number
}

export function natsSink({ servers, token, stream, subject: prefix, origin, driver = loadNats }: NatsOptions): OpenSink {
  const subject = `${prefix}.${origin.replace(/[^\w-]/g, '_')}`
  return async () => {
    const nats = await driver()
    let held: Held | undefined
    let opening: Promise<Held> | undefined
    const open = async (): Promise<Held> => {
      const opened = await nats.open({ servers, token, stream, subjects: `${prefix}.>` })
      const last = await opened.last(subject).catch(async (e) => {
        await opened.close().catch(() => {}) // whatever it said first is what is told
        throw e
      })
      return { stream: opened, sequence: last?.sequence ?? 0, next: Number(last?.next ?? 0) }
    }
    /** One connection at a time: what a try that was given up has begun is the next one's. */
    async function connected(): Promise<Held> {
      opening ??= open().finally(() => {
        opening = undefined
      })
      held ??= await opening
      return held
    }
    const drop = () => {
      void held?.stream.close().catch(() => {}) // it is gone or goes; the next batch asks anew what is there
      held = undefined
    }
    return {
      limits: LIMITS,
      async send(items, signal): Promise<Outcome> {
        signal.addEventListener('abort', drop, { once: true })
        try {
          const own = held ?? (await connected())
          if (signal.aborted) return allAgain(items, 'given up') // the connection is another try's by now
          const { next } = own
          for (const group of groupsOf(items.filter(({ seq }) => seq >= next))) await publish(own, subject, group)
          return { id: `${stream}:${own.sequence}` }
        } catch (e) {
          drop()
          return allAgain(items, reasonOf(e))
        } finally {
          signal.removeEventListener('abort', drop)
        }
      },
      async probe(): Promise<Probed> {
        const { found, removed } = await (held ?? (await connected())).stream.probe(`${prefix}.+probe`) // no ledger's: their names have no plus sign
        if (!found) return { wrong: 'what was published is not in the stream' }
        return { shown: `written, read back${removed ? ' and removed' : '; the stream lets nobody remove it'}` }
      },
      async close() {
        opening?.then((late) => late.stream.close()).catch(() => {}) // nobody waits for it any more
        await held?.stream.close()
      },
    }
  }
}

/** @throws what the server says; nothing behind what it refused is there then */
async function publish(held: Held, subject: string, group: readonly Item[]): Promise<void> {
  const [first, last] = [group[0]!, group.at(-1)!]
  const next = last.seq + 1
  const message = { id: `${first.key}-${last.seq}`, next: String(next), after: held.sequence }
  held.sequence = await held.stream.publish(subject, joinBodies(group, { between: '\n' }), message)
  held.next = next
}

function groupsOf(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups: Item[][] = []
  let bytes = 0
  for (const item of items) {
    const size = sizeOfItem(item)
    const group = groups.at(-1)
    if (group && group.length < MESSAGE.items && bytes + size <= MESSAGE.bytes) {
      group.push(item)
      bytes += size
    } else {
      groups.push([item])
      bytes = size
    }
  }
  return groups
}
