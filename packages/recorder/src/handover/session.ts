/**
 * One client of the data socket, seen from the recorder.
 *
 * The client is this user's process and still untrusted. Bounds: a hello within 2 s, frames of 4 MiB that are
 * whole within 30 s, 32 MiB of unfinished frames of all clients together,
 * 4 MiB of events or 1 MiB of unread answers under way, then it is not read from until that shrinks.
 * A stream that is not our protocol is closed. Nothing here waits on a client.
 * @module
 */
import type { Socket } from 'node:net'
import { SwornError } from '@sworn/verify'
import type { Operation } from '../ledger/operate.ts'
import type { Answer, GroupCommit } from '../port/group-commit.ts'
import { toPlain } from '../port/plain-error.ts'
import { rowChars } from '../port/size.ts'
import type { Reservation } from '../port/types.ts'
import { createFrameReader, type FrameBody, formatFrame } from './frames.ts'
import { startLimit } from './limit.ts'
import {
  formatWelcome,
  type Greeting,
  type Hello,
  type KnownEntry,
  PROTOCOL_VERSIONS,
  parseHello,
  parseRequest,
  type Request,
} from './messages.ts'
import { createUnfinished, type Unfinished } from './unfinished.ts'

/** The ledger that sessions lead to, once it is open. */
export interface OpenedLedger {
  readonly commit: GroupCommit
  /** False when the ledger does not carry what somebody was promised. */
  readonly holds: (entry: KnownEntry) => boolean
  /** True for a step that was announced by who keeps the keys. */
  readonly permits: (permit: string, operation: Operation) => boolean
  /** True once another process writes the ledger: clients are let go unanswered and resend to that one. */
  readonly fenced: () => boolean
}

export interface SessionHost {
  readonly greeting: () => Greeting
  /** Rejects with the SwornError that clients are refused with. */
  readonly opened: Promise<OpenedLedger>
}

/** For the hello, and for a frame that stays unfinished: a client that is paused longer connects again. */
const LIMITS = { helloMs: 2_000, frameMs: 30_000 }
const MAX_UNITS_UNDER_WAY = 4 * 1024 * 1024
const MAX_UNREAD_BYTES = 1024 * 1024

export interface SessionOptions {
  readonly limits?: typeof LIMITS
  /** Shared by all sessions of an endpoint. */
  readonly unfinished?: Unfinished
}

/** Greets and serves `socket` until it ends. */
export function serveSession(socket: Socket, host: SessionHost, options: SessionOptions = {}): void {
  const { limits = LIMITS, unfinished: bytes = createUnfinished() } = options
  const reader = createFrameReader()
  let take: (body: FrameBody) => void = expectHello
  const stopWaiting = startLimit(limits.helloMs, () => socket.destroy())
  const unfinished = createDeadline(() => socket.destroy(), limits.frameMs)

  function expectHello(body: FrameBody): void {
    const hello = parseHello(body)
    stopWaiting()
    if (!hello || !PROTOCOL_VERSIONS.includes(hello.version)) return void socket.destroy()
    take = () => socket.destroy() // nothing may be said before the welcome
    welcome(socket, host, hello).then(
      (serve) => {
        take = serve
      },
      (error: unknown) => socket.end(formatFrame({ kind: 'refused', error: toPlain(error, 'RECORDER_UNAVAILABLE') })),
    )
  }

  socket.on('error', () => undefined) // 'close' follows
  socket.on('close', () => {
    stopWaiting()
    unfinished.clear()
    bytes.hold(socket, 0)
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      const frames = reader.push(chunk)
      if (frames.length > 0 || reader.heldBytes() === 0) unfinished.clear()
      if (reader.heldBytes() > 0) unfinished.start()
      bytes.hold(socket, reader.heldBytes())
      for (const body of frames) take(body)
    } catch {
      socket.destroy()
    }
  })
  socket.write(formatFrame({ kind: 'greeting', ...host.greeting() }))
}

/** Runs `passed` unless cleared in time; starting it again while it runs does nothing. */
function createDeadline(passed: () => void, limitMs: number) {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      timer ??= setTimeout(passed, limitMs).unref()
    },
    clear() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

async function welcome(socket: Socket, host: SessionHost, hello: Hello): Promise<(body: FrameBody) => void> {
  const opened = await host.opened
  const { commit, holds } = opened
  // Refused to this client only: a promise that it invented must not stop the recorder.
  if (hello.newest && !holds(hello.newest))
    throw new SwornError('ACKNOWLEDGED_LOST', 'an acknowledged event is not in the ledger', `seq=${hello.newest.seq}`)
  socket.write(formatFrame(formatWelcome(commit.info)))
  return createRequestTaker(socket, opened, hello.producer)
}

function createRequestTaker(socket: Socket, opened: OpenedLedger, producerId: string): (body: FrameBody) => void {
  const { commit, fenced } = opened
  let unitsUnderWay = 0

  function regulate(): void {
    if (unitsUnderWay > MAX_UNITS_UNDER_WAY || socket.writableLength > MAX_UNREAD_BYTES) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  function answer(id: number, body: FrameBody): void {
    if (!socket.destroyed) socket.write(formatFrame({ ...body, kind: 'answer', id }))
  }

  socket.on('drain', regulate)
  return (body) => {
    const request = parseRequest(body, producerId)
    if (!request) return void socket.destroy()
    if (request.kind !== 'submit') return answer(request.id, answerAtOnce(opened, request))
    const events = request.items.filter((item) => item !== undefined)
    const units = events.reduce((sum, item) => sum + item.json.length + rowChars(item), 0)
    unitsUnderWay += units
    regulate()
    void commit.append(events).then((answers) => {
      if (fenced()) return void socket.destroy()
      unitsUnderWay -= units
      answer(request.id, { acks: spread(request.items, answers).map((a) => (SwornError.is(a) ? toPlain(a) : a)) })
      regulate()
    })
  }
}

/** The answers of the events at their places, refusals where there was none. */
function spread(items: readonly unknown[], answers: readonly Answer[]): readonly Answer[] {
  const rest = answers.values()
  return items.map(
    (item) => (item === undefined ? undefined : rest.next().value) ?? new SwornError('APPEND_REFUSED', 'an event was expected'),
  )
}

function answerAtOnce({ commit, permits }: OpenedLedger, request: Exclude<Request, { kind: 'submit' }>): FrameBody {
  try {
    if (request.kind === 'operate') {
      if (permits(request.permit, request.operation)) return { done: commit.operate(request.operation) }
      throw new SwornError('APPEND_REFUSED', 'erasing, pruning and packing are for who keeps the keys of this ledger')
    }
    if (request.kind === 'reserve') return { reservation: finite(commit.reserve(request.step)) }
    commit[request.kind]()
    return {}
  } catch (error) {
    return { error: toPlain(error) }
  }
}

/** JSON has no Infinity: a limit of nothing never regains a token. */
function finite(reservation: Reservation): Reservation {
  const { retryAfterMs } = reservation
  return { ...reservation, retryAfterMs: Number.isFinite(retryAfterMs) ? retryAfterMs : Number.MAX_SAFE_INTEGER }
}
