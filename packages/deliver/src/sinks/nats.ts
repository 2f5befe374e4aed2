/**
 * NATS JetStream: many entries a message, each entry once.
 *
 * A message says in `Sworn-Next` which entry follows it and is only taken behind the one before: after a lost answer or
 * a crash the stream itself tells what it has, and two that deliver cannot mix. The first of a batch is taken behind the
 * subject's last sequence; those after it are under way at the same time, each behind the id of the one before, which is
 * the stream's last unless others write into it between: then one goes after the other, each behind the subject's last.
 * `Nats-Msg-Id` is the keys of its first and last entry and the subject. One subject a ledger.
 * Source: NATS JetStream, 2.9 and later.
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
/** The server's code: the stream's last message has another id. */
const WRONG_ID = '10070'

/** What the stream has of this ledger. */
interface Held {
  readonly stream: NatsStream
  readonly subject: string
  /** Of the last message of the subject; 0: there is none. */
  sequence: number
  /** seq of the first entry that is not there. */
  next: number
  /** Others were seen to write into the stream. */
  isShared: boolean
}

export function natsSink({ servers, token, stream, subject: prefix, origin, driver = loadNats }: NatsOptions): OpenSink {
  const subject = `${prefix}.${origin.replace(/[^\w-]/g, '_')}`
  return async () => {
    const nats = await driver()
    let held: Held | undefined
    let opening: Promise<Held> | undefined
    const open = async (): Promise<Held> => {
      const opened = await nats.open({ servers, token, stream, subjects: `${prefix}.>` })
      return await heldOf(opened, subject).catch(async (e) => {
        await opened.close().catch(() => {}) // whatever it said first is what is told
        throw e
      })
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
          if (own.isShared || !(await publishAtOnce(own, items))) await publishInTurn(own, items)
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

async function heldOf(stream: NatsStream, subject: string): Promise<Held> {
  const last = await stream.last(subject)
  return { stream, subject, sequence: last?.sequence ?? 0, next: Number(last?.next ?? 0), isShared: false }
}

/**
 * False when others write into the stream: then only some of the messages are there, and `held` says which.
 * @throws what else the server says of the first that it refused; nothing behind that one is there then
 */
async function publishAtOnce(held: Held, items: readonly Item[]): Promise<boolean> {
  let after: number | string = held.sequence
  const groups = groupsOf(items, held)
  const sent = groups.map((group) => {
    const answer = publish(held, group, after)
    after = idOf(held, group)
    return answer
  })
  const answers = await Promise.allSettled(sent)
  const refused = answers.find((answer) => answer.status === 'rejected')
  if (refused && reasonOf(refused.reason) !== WRONG_ID) throw refused.reason
  if (refused) Object.assign(held, await heldOf(held.stream, held.subject), { isShared: true })
  else if (groups.length > 0) advance(held, groups.at(-1)!, await sent.at(-1)!)
  return !refused
}

/** @throws what the server says; nothing behind what it refused is there then */
async function publishInTurn(held: Held, items: readonly Item[]): Promise<void> {
  for (const group of groupsOf(items, held)) advance(held, group, await publish(held, group, held.sequence))
}

function publish(held: Held, group: readonly Item[], after: number | string): Promise<number> {
  const message = { id: idOf(held, group), next: String(group.at(-1)!.seq + 1), after }
  return held.stream.publish(held.subject, joinBodies(group, { between: '\n' }), message)
}

/** What is in a message, for whoever drops what comes twice; the same group for another subject is another message. */
function idOf({ subject }: Held, group: readonly Item[]): string {
  return `${group[0]!.key}-${group.at(-1)!.seq}@${subject}`
}

function advance(held: Held, group: readonly Item[], sequence: number): void {
  held.sequence = sequence
  held.next = group.at(-1)!.seq + 1
}

/** What is not in the stream yet, a message a group. */
function groupsOf(items: readonly Item[], { next }: Held): readonly (readonly Item[])[] {
  const groups: Item[][] = []
  let bytes = 0
  for (const item of items) {
    if (item.seq < next) continue
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
