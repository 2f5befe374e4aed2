/**
 * The careful way: copy, sanitise, walk, bound, print. Used when an event is not plain or may hold a secret.
 * @module
 */
import { headOf } from '../event/cut.ts'
import { FREE_MEMBERS, MEMBER_RANKS } from '../event/members.ts'
import { below } from '../event/pointer.ts'
import { type JsonValue, type Note, sanitize } from '../event/sanitize.ts'
import { type ShapedEvent, setMember } from '../event/shape.ts'
import { type Commitments, createCommitments } from './commitments.ts'
import { fitEvent, type JsonEvent } from './fit.ts'
import type { Vault } from './types.ts'
import { ruleAt, type Walker, walkValue } from './walk.ts'

export interface RedactContext extends Omit<Walker, 'late' | 'commit'> {
  /** For `commit` rules; without it they mask. */
  readonly vault?: Vault
  readonly resultChars: number
  readonly payloadBytes: number
  readonly maxMs: number
  readonly clock: () => number
}

/** Identity, time and hashes: never scanned, they are what the record is found by. */
const UNTOUCHED: ReadonlySet<string> = new Set([
  'timestamp',
  'event_type',
  'severity',
  'decision',
  'user',
  'agent_id',
  'session_id',
  'event_id',
  'correlation_id',
  'parent_id',
  'trace_id',
  'span_id',
  'ip_address',
  'arguments_hash',
  'policy_hash',
  'result_hash',
  'reason_code',
  'token_id',
  'old_token_id',
  'new_token_id',
])

/** Of these a rule by path may take the value all the same. */
const PERSONAL: ReadonlySet<string> = new Set(['user', 'ip_address'])

/** Compact JSON within the line limit; rows for the vault are added to `rows`. Total. */
export function redactEvent(event: ShapedEvent, context: RedactContext, rows?: string[]): string {
  const { clean, notes } = sanitizeMembers(event)
  const { vault, ...rest } = context
  const commitments = createCommitments(clean, { hash: context.hash, ...(rows && vault && { vault }) })
  const masked = walkMembers(clean, rest, commitments)
  const own: Record<string, JsonValue> = notes.length > 0 ? { sanitized: notes.map((note) => ({ ...note })) } : {}
  if (commitments.omitted) own.commit_omitted = true
  const hashes: Hashes = { own, commitments }
  if (clean.result !== undefined) boundResult(masked, clean.result, context, hashes)
  const fitted = fitEvent(masked, context.payloadBytes - 2048)
  if (fitted.cut.length > 0) own.truncated = [...fitted.cut]
  const changed = JSON.stringify(fitted.event.arguments) !== JSON.stringify(clean.arguments)
  if (clean.arguments !== undefined && changed) addHash(fitted.event, 'arguments', clean.arguments, hashes)
  rows?.push(...commitments.rows)
  return print(fitted.event, own, context)
}

function sanitizeMembers(event: ShapedEvent): { clean: JsonEvent; notes: readonly Note[] } {
  const clean: JsonEvent = {}
  const notes: Note[] = []
  for (const name of Object.keys(event)) {
    const known = MEMBER_RANKS.has(name)
    const holder = known ? { value: event[name], notes: [] } : sanitize({ [name]: null }, '')
    const safeName = known ? name : Object.keys(holder.value as JsonEvent)[0]! // one member in, one out
    const result = sanitize(event[name], below('', safeName))
    setMember(clean, safeName, result.value)
    notes.push(...holder.notes, ...result.notes)
  }
  return { clean, notes: notes.slice(0, 50) }
}

function walkMembers(clean: JsonEvent, context: RedactContext, { commit }: Commitments): JsonEvent {
  const until = context.clock() + context.maxMs
  const walker: Walker = { ...context, commit, late: () => context.clock() > until }
  const out: JsonEvent = {}
  for (const [name, value] of Object.entries(clean)) setMember(out, name, walkMember(walker, name, value))
  return out
}

function walkMember(walker: Walker, name: string, value: JsonValue): JsonValue {
  if (UNTOUCHED.has(name) && !(PERSONAL.has(name) && ruleAt(walker.paths, [name]))) return value
  const known = MEMBER_RANKS.has(name)
  return walkValue(walker, value, [name], !known || FREE_MEMBERS.has(name), known ? undefined : walker.rules(name))
}

/** What keyed hashes are made with, and the notes that say where there is none. */
interface Hashes {
  readonly own: JsonEvent
  readonly commitments: Commitments
}

/** `result` at most `resultChars` characters; its size and keyed hash are those of the whole, before redaction. */
function boundResult(masked: JsonEvent, result: JsonValue, context: RedactContext, hashes: Hashes): void {
  const whole = typeof result === 'string' ? result : JSON.stringify(result)
  masked.result_bytes ??= Buffer.byteLength(whole)
  addHash(masked, 'result', result, hashes)
  const text = typeof masked.result === 'string' ? masked.result : JSON.stringify(masked.result)
  if (masked.result_truncated === true || text.length <= context.resultChars) return
  masked.result = headOf(text, context.resultChars)
  masked.result_truncated = true
}

/** The caller's own hash stays, but for what was committed: it would outlive the subject's key. */
function addHash(event: JsonEvent, member: 'arguments' | 'result', value: JsonValue, { own, commitments }: Hashes): void {
  const name = `${member}_hash`
  if (event[name] !== undefined && !commitments.has(member)) return
  const hash = commitments.hash(member, value)
  if (hash !== undefined) event[name] = hash
  else {
    delete event[name]
    own.hash_omitted = true
  }
}

/** Puts our notes into metadata and the members into their order. */
function print(event: JsonEvent, own: JsonEvent, context: RedactContext): string {
  const names = Object.keys(own)
  const withNotes = names.length > 0 ? { ...event, metadata: { ...metadataOf(event.metadata), ...own } } : event
  const rank = (name: string) => MEMBER_RANKS.get(name)?.rank ?? MEMBER_RANKS.size
  const ordered: JsonEvent = {}
  for (const name of Object.keys(withNotes).sort((a, b) => rank(a) - rank(b))) setMember(ordered, name, withNotes[name]!)
  const json = JSON.stringify(ordered)
  if (Buffer.byteLength(json) <= context.payloadBytes) return json
  return JSON.stringify({ ...fitEvent(ordered, context.payloadBytes - 64).event, metadata: { truncated: ['metadata'] } })
}

function metadataOf(metadata: JsonValue | undefined): JsonEvent {
  if (metadata === undefined) return {}
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? (metadata as JsonEvent) : { value: metadata }
}
