/**
 * The protocol of the data socket, version 2: what each side says, and the door that checks it.
 *
 * The recorder greets (nonce, versions, pid); the producer says hello; the recorder welcomes (log_id,
 * MAC key: the socket is 0600, whoever connects is this user) or refuses. Then submit, reserve, flush, reopen, and from
 * version 2 on operate, each answered once under its id. Everything parsed here is hostile. Source: docs/format.md, several
 * processes.
 * @module
 */
import { parseStrict } from '@sworn/verify'
import type { Done, Operation } from '../ledger/operate.ts'
import type { Item } from '../port/group-commit.ts'
import type { PlainError } from '../port/plain-error.ts'
import type { Ack, LedgerInfo, Level, Reservation, Reserve } from '../port/types.ts'
import { MAX_ROWS } from '../redact/commitments.ts'
import { parseRow } from '../vault/row.ts'
import type { FrameBody } from './frames.ts'
import { isDone, parseOperation } from './operation-messages.ts'

/** Newest first. The current and the previous version are spoken. */
export const PROTOCOL_VERSIONS: readonly number[] = [2, 1]
/** From here on a recorder takes `operate`. */
export const OPERATES_FROM = 2

export interface Greeting {
  readonly versions: readonly number[]
  readonly sworn: string
  readonly nonce: string
  readonly pid: number
  /** Empty while the ledger is being opened; the welcome always has it. */
  readonly logId: string
}

export interface Hello {
  readonly version: number
  readonly producer: string
  /** The newest durable acknowledgement this producer holds. */
  readonly newest?: KnownEntry
}

/** One entry somebody was promised. */
export interface KnownEntry {
  readonly logId: string
  readonly seq: number
  readonly entryHash: string
}

export type Request =
  /** `undefined` stands for what is no event: it is refused alone. */
  | { readonly kind: 'submit'; readonly id: number; readonly items: readonly (Item | undefined)[] }
  | { readonly kind: 'reserve'; readonly id: number; readonly step: Reserve }
  | { readonly kind: 'flush' | 'reopen'; readonly id: number }
  | { readonly kind: 'operate'; readonly id: number; readonly operation: Operation; readonly permit: string }

const MAX_NAME_UNITS = 256
const MAX_JSON_UNITS = 1024 * 1024
const MAX_ITEMS = 4096
const MAX_STEPS = 15
const LEVELS: ReadonlySet<unknown> = new Set(['sync', 'batch', 'async'])
const EVENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const HASH = /^[0-9a-f]{64}$/

/** The highest version both sides speak; undefined when there is none. */
export function commonVersion(theirs: readonly number[]): number | undefined {
  return PROTOCOL_VERSIONS.find((version) => theirs.includes(version))
}

export function parseGreeting(body: FrameBody): Greeting | undefined {
  const { kind, versions, sworn, nonce, pid, logId } = body
  if (kind !== 'greeting' || !Array.isArray(versions) || !isName(sworn) || !isName(nonce) || !isCount(pid)) return undefined
  return { versions: versions.filter(isCount), sworn, nonce, pid, logId: isName(logId) ? logId : '' }
}

/** What the recorder says about its ledger once it is open. */
export function formatWelcome(info: LedgerInfo): FrameBody {
  const { logId, origin, path, macKey } = info
  return { kind: 'welcome', logId, origin, path, ...(macKey && { macKey: Buffer.from(macKey).toString('base64') }) }
}

export function parseWelcome(body: FrameBody): LedgerInfo | undefined {
  const { kind, logId, origin, path, macKey } = body
  if (kind !== 'welcome' || !isName(logId) || !isName(origin) || typeof path !== 'string') return undefined
  return { logId, origin, path, ...(typeof macKey === 'string' && { macKey: new Uint8Array(Buffer.from(macKey, 'base64')) }) }
}

export function parseHello(body: FrameBody): Hello | undefined {
  const { kind, version, producer, newest } = body
  if (kind !== 'hello' || !isCount(version) || !isName(producer)) return undefined
  if (newest === undefined) return { version, producer }
  const known = parseKnown(newest)
  return known && { version, producer, newest: known }
}

function parseKnown(value: unknown): KnownEntry | undefined {
  if (!isObject(value)) return undefined
  const { logId, seq, entryHash } = value
  return isName(logId) && isCount(seq) && typeof entryHash === 'string' && HASH.test(entryHash) ? { logId, seq, entryHash } : undefined
}

/** @returns undefined when the frame is no request of this protocol; the connection then ends */
export function parseRequest(body: FrameBody, producerId: string): Request | undefined {
  const { kind, id } = body
  if (!isCount(id)) return undefined
  if (kind === 'flush' || kind === 'reopen') return { kind, id }
  if (kind === 'reserve') {
    const step = parseStep(body.step)
    return step && { kind, id, step }
  }
  if (kind === 'operate') {
    const operation = parseOperation(body.operation)
    return operation && typeof body.permit === 'string' ? { kind, id, operation, permit: body.permit } : undefined
  }
  if (kind !== 'submit' || !Array.isArray(body.items) || body.items.length === 0 || body.items.length > MAX_ITEMS) return undefined
  return { kind, id, items: body.items.map((item: unknown) => parseItem(item, producerId)) }
}

function parseItem(value: unknown, producerId: string): Item | undefined {
  if (!isObject(value)) return undefined
  const { json, eventId, eventType, level, sessionId, vault } = value
  if (typeof json !== 'string' || json.length > MAX_JSON_UNITS || typeof eventId !== 'string' || !EVENT_ID.test(eventId)) return undefined
  if (!isName(eventType) || !LEVELS.has(level) || (sessionId !== undefined && !isName(sessionId))) return undefined
  if (eventType.startsWith('log.') || !isPayload(json, eventType)) return undefined
  if (vault !== undefined && !isRows(vault)) return undefined
  const item = { json, eventId, eventType, level: level as Level, producerId, untrusted: true, ...(vault && { vault }) } // a level, checked above
  return sessionId === undefined ? item : { ...item, sessionId }
}

function isRows(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_ROWS) return false
  return value.every((row: unknown) => typeof row === 'string' && parseRow(row) !== undefined)
}

/**
 * The event is of the type it says, and duplicate members do not hide a reserved type from it: a verifier
 * would stumble over that. What else a body may not hold, the ledger refuses.
 */
function isPayload(json: string, eventType: string): boolean {
  try {
    const payload: unknown = json.includes('"log.') ? parseStrict(json) : JSON.parse(json)
    return isObject(payload) && payload.event_type === eventType
  } catch {
    return false
  }
}

function parseStep(value: unknown): Reserve | undefined {
  const step = parseOneStep(value)
  const also = isObject(value) ? value.also : undefined
  if (!step || also === undefined) return step
  if (!Array.isArray(also) || also.length > MAX_STEPS) return undefined
  const steps = also.map(parseOneStep)
  return steps.every((one) => one !== undefined) ? { ...step, also: steps } : undefined
}

function parseOneStep(value: unknown): Omit<Reserve, 'also'> | undefined {
  if (!isObject(value)) return undefined
  const { key, amount, limit, perMs } = value
  const numbers = [amount, limit, perMs]
  if (!isName(key) || !numbers.every((n) => typeof n === 'number' && Number.isFinite(n) && n >= 0)) return undefined
  return { key, amount, limit, perMs } as Reserve // three finite numbers, checked above
}

/** One answer to a request. The recorder is ours or an impostor of the same user: shapes are checked, content is not. */
export interface Answer {
  readonly id: number
  readonly acks?: readonly (Ack | PlainError)[]
  readonly reservation?: Reservation
  readonly done?: Done
  readonly error?: PlainError
}

export function parseAnswer(body: FrameBody): Answer | undefined {
  const { kind, id, acks, reservation, done, error } = body
  if (kind !== 'answer' || !isCount(id)) return undefined
  if (isPlainError(error)) return { id, error }
  if (isReservation(reservation)) return { id, reservation }
  if (done !== undefined) return isDone(done) ? { id, done } : undefined
  if (acks === undefined) return { id }
  return Array.isArray(acks) && acks.every((ack: unknown) => isAck(ack) || isPlainError(ack)) ? { id, acks } : undefined
}

export function isPlainError(value: unknown): value is PlainError {
  return isObject(value) && [value.code, value.message, value.at].every((text) => typeof text === 'string')
}

function isAck(value: unknown): value is Ack {
  return isObject(value) && parseKnown(value) !== undefined && typeof value.durable === 'boolean'
}

function isReservation(value: unknown): value is Reservation {
  if (!isObject(value) || typeof value.granted !== 'boolean' || typeof value.retryAfterMs !== 'number') return false
  const { used = [], refused = 0 } = value
  return Array.isArray(used) && used.every((n) => typeof n === 'number') && typeof refused === 'number'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_UNITS
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
