/**
 * Makes an event fit its line: long texts and lists are cut, step by step, then whole members give way.
 * What was cut reads `[TRUNCATED:n …]`, and `metadata.truncated` names the members.
 * @module
 */
import { headOf } from '../event/cut.ts'
import { FREE_MEMBERS, MEMBER_RANKS } from '../event/members.ts'
import type { JsonValue } from '../event/sanitize.ts'
import { setMember } from '../event/shape.ts'

export type JsonEvent = Record<string, JsonValue>

const STEPS = [16_384, 4096, 1024, 256, 64]
const MAX_REST_CHARS = 128
const bytesOf = (event: JsonEvent) => Buffer.byteLength(JSON.stringify(event))
const isFree = (name: string) => FREE_MEMBERS.has(name) || !MEMBER_RANKS.has(name)

/** The same event when it fits. @param maxBytes at least 16 KiB: the known members always fit then */
export function fitEvent(event: JsonEvent, maxBytes: number): { readonly event: JsonEvent; readonly cut: readonly string[] } {
  if (bytesOf(event) <= maxBytes) return { event, cut: [] }
  for (const limit of STEPS) {
    const shorter = mapMembers(event, (name, value) => (isFree(name) || typeof value === 'string' ? shorten(value, limit) : value))
    if (bytesOf(shorter) <= maxBytes) return { event: shorter, cut: changedNames(event, shorter) }
  }
  return { event: essence(event), cut: Object.keys(event).filter(isFree).slice(0, 20) }
}

/** Known members only, each at most 128 characters of text. */
function essence(event: JsonEvent): JsonEvent {
  const known = Object.fromEntries(Object.entries(event).filter(([name]) => MEMBER_RANKS.has(name)))
  return mapMembers(known, (name, value) => {
    if (isFree(name) && typeof value === 'object') return `[TRUNCATED:${JSON.stringify(value).length} characters]`
    return typeof value === 'object' && value !== null ? '[TRUNCATED]' : shorten(value, MAX_REST_CHARS)
  })
}

function shorten(value: JsonValue, limit: number): JsonValue {
  if (typeof value === 'string') return value.length > limit ? `${headOf(value, limit)}[TRUNCATED:${value.length} characters]` : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const kept = value.slice(0, limit).map((item: JsonValue) => shorten(item, limit))
    return value.length > limit ? [...kept, `[TRUNCATED:${value.length} items]`] : kept
  }
  const members = Object.entries(value as JsonEvent) // not an array
  const out: JsonEvent = {}
  for (const [name, member] of members.slice(0, limit)) setMember(out, name, shorten(member, limit))
  return members.length > limit ? { ...out, '[truncated]': `${members.length} members` } : out
}

function mapMembers(event: JsonEvent, change: (name: string, value: JsonValue) => JsonValue): JsonEvent {
  const out: JsonEvent = {}
  for (const [name, value] of Object.entries(event)) setMember(out, name, change(name, value))
  return out
}

function changedNames(before: JsonEvent, after: JsonEvent): readonly string[] {
  return Object.keys(before)
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .slice(0, 20)
}
