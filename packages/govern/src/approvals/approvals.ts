/**
 * Asks people: one question, several channels at once, settled once.
 *
 * Order: an approval that still holds → prompt limit → question → (the caller records `requested`) → shown on
 * every channel → first good answer, timeout, or no channel left → all channels withdrawn. Nothing is written
 * here: events are returned, or told to `note` when they come after the end. Whatever goes wrong denies.
 * Source: issue "Approvals", spec events §2 rule 5, spec policy §6.6.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { AuditEvent, ReserveFn } from '@sworn/recorder'
import type { ApprovalAnswer } from '../approval.ts'
import { rememberedMembers, requestedEvent } from './events.ts'
import { type ApprovalMemory, createApprovalMemory } from './memory.ts'
import { createPromptLimit, type PromptGrant } from './prompt-limit.ts'
import { type RedactFn, toQuestion, toShowable } from './question.ts'
import type { ApprovalRequest, Asking, Channel, Question, Remembered, Settlement } from './types.ts'
import { type Waiting, waitForAnswer } from './waiting.ts'

export interface ApprovalsOptions {
  /** Names are unique. None: everything is `approval_unavailable`. */
  readonly channels: readonly Channel[]
  readonly redact: RedactFn
  /** Shared with the other processes of the ledger. */
  readonly reserve: ReserveFn
  /** Takes events that come on their own: late and rejected answers. */
  readonly note: (event: AuditEvent) => void
  /** Default 60,000; 1,000 to 3,600,000. */
  readonly timeoutMs?: number
  /** Default ten a minute, then five minutes of none. */
  readonly limit?: { readonly prompts?: number; readonly windowMs?: number; readonly coolDownMs?: number; readonly key?: string }
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number
  /** Calls `fire` after `ms`; returns how to stop it. */
  readonly schedule?: (ms: number, fire: () => void) => () => void
  /** Random bytes for ids and keys. */
  readonly random?: (bytes: number) => Uint8Array
}

export interface Approvals {
  /** Never rejects. `Asking` has still to be recorded and asked; a `Settlement` needs no person. */
  begin(request: ApprovalRequest): Promise<Asking | Settlement>
  /** `Question.callKey` of this call, for retries that bring an answer; undefined when it cannot be shown. Never throws. */
  keyOf(request: ApprovalRequest): string | undefined
  /** Approvals that still hold, oldest first; at most 1,000. */
  remembered(): readonly Remembered[]
  /** Takes an approval back; false when there is none with this id. */
  forget(id: string): boolean
  /** What was approved for the session no longer holds. */
  endSession(session: string): void
  /** Cancels what waits; resolves when every channel has withdrawn its questions. */
  close(): Promise<void>
}

const MAX_WAITING = 100
const TIMEOUT_MS = 60_000

interface Room {
  readonly options: ApprovalsOptions
  readonly memory: ApprovalMemory
  readonly takePrompt: () => Promise<PromptGrant>
  readonly waiting: Set<Waiting>
  readonly withdrawals: Set<Promise<unknown>>
  readonly now: () => number
  readonly clock: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly timeoutMs: number
}

/** @throws TypeError for channels of one name; RangeError when `timeoutMs` is out of bounds */
export function createApprovals(options: ApprovalsOptions): Approvals {
  const room = toRoom(options)
  return {
    begin: (request) => begin(room, request).catch(() => unavailable('The question cannot be made')),
    keyOf({ action, verdict }) {
      const input = toShowable(action.input)
      return input === undefined ? undefined : room.memory.keysOf(action, verdict, input).call
    },
    remembered: room.memory.list,
    forget: room.memory.forget,
    endSession: room.memory.endSession,
    async close() {
      for (const { cancel } of [...room.waiting]) cancel()
      await Promise.all([...room.withdrawals])
    },
  }
}

function toRoom(options: ApprovalsOptions): Room {
  const { channels, reserve, limit = {}, timeoutMs = TIMEOUT_MS } = options
  const { now = Date.now, clock = () => performance.now(), random = randomBytes } = options
  if (new Set(channels.map(({ name }) => name)).size < channels.length) throw new TypeError('channels with different names were expected')
  if (!(timeoutMs >= 1000 && timeoutMs <= 3_600_000)) throw new RangeError('a timeout of 1,000 to 3,600,000 ms was expected')
  const { prompts = 10, windowMs = 60_000, coolDownMs = 300_000, key = 'approval' } = limit
  const takePrompt = createPromptLimit({ reserve, key, prompts, windowMs, coolDownMs, clock })
  const memory = createApprovalMemory(random(32))
  return { options, memory, takePrompt, waiting: new Set(), withdrawals: new Set(), now, clock, random, timeoutMs }
}

const refusal = (answer: ApprovalAnswer, reason: string): Settlement => ({ answer, reason, members: {} })
const unavailable = (reason: string) => refusal('unavailable', reason)

async function begin(room: Room, request: ApprovalRequest): Promise<Asking | Settlement> {
  const input = toShowable(request.action.input)
  if (input === undefined) return unavailable('The call cannot be shown exactly as it is')
  const keys = room.memory.keysOf(request.action, request.verdict, input)
  const held = request.action.ids.session === undefined ? undefined : room.memory.find(keys)
  if (held) return { answer: 'approved', reason: 'A person approved this for the session', members: rememberedMembers(held) }
  const question = toQuestion(request, input, keys.call, room.options.redact, stampsOf(room))
  if (!question) return unavailable('The call cannot be shown exactly as it is')
  const refused = await refuseToAsk(room, question)
  return refused ?? toAsking(room, request, question, (approval) => room.memory.remember(keys, approval))
}

function stampsOf({ now, random, timeoutMs }: Room): Pick<Question, 'id' | 'askedAt' | 'expiresAt' | 'timeoutMs'> {
  const at = now()
  const stamp = (ms: number) => new Date(ms).toISOString()
  return { id: Buffer.from(random(16)).toString('hex'), askedAt: stamp(at), expiresAt: stamp(at + timeoutMs), timeoutMs }
}

const canShow = (question: Question) => (channel: Channel) => question.text.length <= channel.maxChars

/** A prompt is taken last: what is not asked is not counted. */
async function refuseToAsk(room: Room, question: Question): Promise<Settlement | undefined> {
  const { channels } = room.options
  if (!channels.some(({ maxChars }) => maxChars > 0)) return unavailable('There is no way to ask a person')
  if (!channels.some(canShow(question))) return unavailable('The call is too long to be shown')
  if (room.waiting.size >= MAX_WAITING) return unavailable('Too many questions are waiting')
  const grant = await room.takePrompt()
  if (grant === 'granted') return undefined
  if (grant === 'uncounted') return unavailable('Questions cannot be counted')
  return refusal('cooldown', 'Too many questions were asked; none is asked for a while')
}

function toAsking(room: Room, request: ApprovalRequest, question: Question, remember: (approval: Remembered) => void): Asking {
  const channels = room.options.channels.filter(canShow(question))
  const names = channels.map(({ name }) => name)
  const waiting = waitForAnswer({
    request,
    question,
    channels,
    remember,
    note: room.options.note,
    now: room.now,
    clock: room.clock,
    schedule: room.options.schedule ?? after,
  })
  const { settlement, withdrawn } = waiting
  room.waiting.add(waiting)
  void settlement.then(() => room.waiting.delete(waiting))
  room.withdrawals.add(withdrawn)
  void withdrawn.then(() => room.withdrawals.delete(withdrawn))
  const ask = () => {
    waiting.show()
    return settlement
  }
  return { question, requested: requestedEvent(request, question, names), ask, cancel: waiting.cancel }
}

function after(ms: number, fire: () => void): () => void {
  const timer = setTimeout(fire, ms)
  return () => clearTimeout(timer)
}
