/**
 * The client role: events go over the data socket to the process that holds the ledger.
 *
 * Promise: every request is answered once, or the role is lost and all open ones answer `undefined`.
 * A batch is cut into frames of at most 1 MiB of events, sent in order.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Answer } from '../port/group-commit.ts'
import { fromPlain } from '../port/plain-error.ts'
import { rowChars } from '../port/size.ts'
import type { LedgerInfo, Submission } from '../port/types.ts'
import type { Line } from './contact.ts'
import { type FrameBody, formatFrame } from './frames.ts'
import {
  commonVersion,
  type Greeting,
  isPlainError,
  type KnownEntry,
  OPERATES_FROM,
  PROTOCOL_VERSIONS,
  parseAnswer,
  parseWelcome,
  type Answer as WireAnswer,
} from './messages.ts'
import type { Permits } from './permit.ts'
import type { Role } from './role.ts'

export interface ClientOptions {
  readonly producerId: string
  readonly newest: KnownEntry | undefined
  readonly swornVersion: string
  readonly permits: Permits
  /** How long the holder may take to open its ledger. */
  readonly welcomeTimeoutMs: number
}

const MAX_VERSION_TEXT = 32
const MAX_FRAME_ITEMS = 1000
/** Payload bytes of one frame; JSON in JSON at most doubles them. */
const MAX_FRAME_PAYLOAD_BYTES = 1024 * 1024

/**
 * Says hello on a line that was greeted.
 *
 * @returns undefined when the line ended before the welcome
 * @throws SwornError LEDGER_BUSY (no common version, no answer), or whatever the holder refused with
 */
export async function openClient(line: Line, greeting: Greeting, options: ClientOptions): Promise<Role | undefined> {
  const version = commonVersion(greeting.versions)
  if (version === undefined) {
    line.socket.destroy()
    throw new SwornError(
      'LEDGER_BUSY',
      `process ${greeting.pid} speaks protocol ${greeting.versions.join(', ')} (sworn ${greeting.sworn.slice(0, MAX_VERSION_TEXT)}), this is ${PROTOCOL_VERSIONS.join(', ')} (sworn ${options.swornVersion})`,
    )
  }
  line.socket.write(
    formatFrame({ kind: 'hello', version, producer: options.producerId, ...(options.newest && { newest: options.newest }) }),
  )
  const body = await line.next(options.welcomeTimeoutMs)
  const info = body && parseWelcome(body)
  if (info) return createClient(line, info, { pid: greeting.pid, version, permits: options.permits })
  const still = !line.socket.destroyed
  line.socket.destroy()
  if (body?.kind === 'refused' && isPlainError(body.error)) throw fromPlain(body.error)
  if (still) throw new SwornError('LEDGER_BUSY', `process ${greeting.pid} holds this ledger and does not open it`)
  return undefined
}

interface Holder {
  readonly pid: number
  /** Of the protocol that is spoken with it. */
  readonly version: number
  readonly permits: Permits
}

function createClient(line: Line, info: LedgerInfo, { pid, version, permits }: Holder): Role {
  const calls = new Map<number, (answer: WireAnswer | undefined) => void>()
  let lastId = 0
  let ended = false
  let closing = false
  const { promise: lost, resolve: loseRole } = Promise.withResolvers<void>()

  function end(): void {
    ended = true
    for (const settle of calls.values()) settle(undefined)
    calls.clear()
    if (!closing) loseRole()
  }

  function take(body: FrameBody): void {
    const answer = parseAnswer(body)
    if (!answer) return void line.socket.destroy()
    calls.get(answer.id)?.(answer)
    calls.delete(answer.id)
  }

  function call(body: FrameBody): Promise<WireAnswer | undefined> {
    if (ended) return Promise.resolve(undefined)
    const id = ++lastId
    const frame = tryFormat({ ...body, id })
    if (!frame) return Promise.resolve({ id, error: { code: 'APPEND_REFUSED', message: 'the event is too long', at: '' } })
    return new Promise((resolve) => {
      calls.set(id, resolve)
      line.socket.write(frame)
    })
  }

  async function confirmed(kind: 'flush' | 'reopen'): Promise<true | undefined> {
    const answer = await call({ kind })
    if (answer?.error) throw fromPlain(answer.error)
    return answer && true
  }

  line.stream(take, end)
  return {
    kind: 'client',
    info,
    pid,
    lost,
    async submit(batch) {
      const answers = await Promise.all(
        cutBatch(batch).map((items) => call({ kind: 'submit', items }).then((a) => toAnswers(a, items.length))),
      )
      return answers.every((a) => a !== undefined) ? answers.flat() : undefined
    },
    async reserve(step) {
      const answer = await call({ kind: 'reserve', step: { ...step } })
      if (answer?.error) throw fromPlain(answer.error)
      return answer?.reservation
    },
    flush: () => confirmed('flush'),
    reopen: () => confirmed('reopen'),
    async operate(operation) {
      if (version < OPERATES_FROM)
        throw new SwornError(
          'LEDGER_BUSY',
          `process ${pid} records this ledger with an older sworn, which takes no such step; end it first`,
        )
      const answer = await permits.with(info.logId, operation, (permit) => call({ kind: 'operate', operation, permit }))
      if (answer?.error) throw fromPlain(answer.error)
      return answer && (answer.done ?? {})
    },
    async close() {
      closing = true
      line.socket.destroy()
    },
    flushSync: () => false,
    closeSync: () => false,
  }
}

/** Undefined for what no frame can carry; `cutBatch` leaves only single events beyond 1 MiB there. */
function tryFormat(body: FrameBody): Buffer | undefined {
  try {
    return formatFrame(body)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function toAnswers(answer: WireAnswer | undefined, count: number): readonly Answer[] | undefined {
  const { acks, error } = answer ?? {}
  if (error) return Array.from({ length: count }, () => fromPlain(error))
  return acks?.length === count ? acks.map((ack) => (isPlainError(ack) ? fromPlain(ack) : ack)) : undefined
}

/** Cuts a batch so that every piece fits into one frame. */
function cutBatch(batch: readonly Submission[]): Submission[][] {
  const pieces: Submission[][] = []
  let bytes = 0
  for (const item of batch) {
    const itemBytes = Buffer.byteLength(item.json) + rowChars(item)
    const piece = pieces.at(-1)
    if (piece && piece.length < MAX_FRAME_ITEMS && bytes + itemBytes <= MAX_FRAME_PAYLOAD_BYTES) {
      piece.push(item)
      bytes += itemBytes
    } else {
      pieces.push([item])
      bytes = itemBytes
    }
  }
  return pieces
}
