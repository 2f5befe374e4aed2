/**
 * Any JavaScript value to a JSON value. Total: never throws, never calls `toJSON`, never runs forever.
 *
 * What is not JSON leaves a readable marker in its place and a note {pointer, was}. Every property is read
 * once, so the copy is what is redacted and recorded, whatever a getter or Proxy says later.
 * Source: docs/format.md (spec ledger §2.2, payload rules).
 * @module
 */
import { MAX_DEPTH, MAX_NAME_CHARS, MAX_NODES, MAX_NOTES, MAX_STRING_CHARS, MAX_TOTAL_CHARS } from './bounds.ts'
import { cutText } from './cut.ts'
import { unwrap } from './exotic.ts'
import { below } from './pointer.ts'
import { setMember } from './shape.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [member: string]: JsonValue }

/** Where something was replaced, and what had stood there. */
export interface Note {
  readonly pointer: string
  readonly was: string
}

interface Walk {
  readonly notes: Note[]
  readonly open: Set<object>
  nodes: number
  chars: number
  missed: number
}

/** `$sd` and `$blob` of a caller get one more `$`: without it they would be ours. */
const OURS = /^\$+(?:sd|blob)$/

export interface Sanitized {
  readonly value: JsonValue
  readonly notes: readonly Note[]
}

/** @param pointer where `value` stands in the event, for the notes */
export function sanitize(value: unknown, pointer = ''): Sanitized {
  const walk: Walk = { notes: [], open: new Set(), nodes: 0, chars: 0, missed: 0 }
  const clean = copy(value, pointer, 0, walk)
  if (walk.missed > 0) walk.notes.push({ pointer, was: `${walk.missed} more` })
  return { value: clean, notes: walk.notes }
}

function note(walk: Walk, pointer: string, was: string): void {
  if (walk.notes.length < MAX_NOTES) walk.notes.push({ pointer, was })
  else walk.missed++
}

function copy(value: unknown, at: string, depth: number, walk: Walk): JsonValue {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return copyText(value, at, walk)
  if (typeof value === 'number') return copyNumber(value, at, walk)
  if (typeof value !== 'object') return replace(at, typeof value, primitiveMarker(value), walk)
  if (walk.open.has(value)) return replace(at, 'circular', '[circular]', walk)
  if (depth >= MAX_DEPTH) return replace(at, 'depth', '[too deep]', walk)
  if (++walk.nodes > MAX_NODES) return replace(at, 'size', '[too many values]', walk)
  walk.open.add(value)
  try {
    return copyObject(value, at, depth, walk)
  } catch {
    return replace(at, 'unreadable', '[unreadable]', walk)
  } finally {
    walk.open.delete(value)
  }
}

function replace(at: string, was: string, marker: string, walk: Walk): string {
  note(walk, at, was)
  return marker
}

function primitiveMarker(value: unknown): string {
  if (typeof value === 'bigint') return value > -(10n ** 400n) && value < 10n ** 400n ? value.toString() : '[bigint]'
  return `[${typeof value}]`
}

function copyText(text: string, at: string, walk: Walk): string {
  const room = Math.min(MAX_STRING_CHARS, MAX_TOTAL_CHARS - walk.chars)
  if (room <= 0) return replace(at, 'size', `[TRUNCATED:${text.length} characters]`, walk)
  let kept = text
  if (text.length > room) {
    note(walk, at, 'size')
    kept = `${cutText(text, room)}[TRUNCATED:${text.length} characters]`
  }
  walk.chars += kept.length
  if (kept.isWellFormed()) return kept
  note(walk, at, 'lone_surrogate')
  return kept.toWellFormed()
}

function copyNumber(value: number, at: string, walk: Walk): JsonValue {
  if (!Number.isFinite(value)) return replace(at, String(value), `[${value}]`, walk)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return replace(at, 'unsafe_integer', String(value), walk)
  return value
}

function copyObject(value: object, at: string, depth: number, walk: Walk): JsonValue {
  if (Array.isArray(value)) return copyArray(value, at, depth, walk)
  const inner = unwrap(value)
  if (!inner) return copyMembers(value, at, depth, walk)
  note(walk, at, inner.was)
  if (Array.isArray(inner.value)) return copyArray(inner.value, at, depth + 1, walk)
  return typeof inner.value === 'object' && inner.value !== null
    ? copyMembers(inner.value, at, depth, walk)
    : copy(inner.value, at, depth + 1, walk)
}

function copyArray(array: readonly unknown[], at: string, depth: number, walk: Walk): JsonValue {
  const room = Math.max(0, Math.min(array.length, MAX_NODES - walk.nodes))
  walk.nodes += room
  const out: JsonValue[] = []
  for (let i = 0; i < room; i++) {
    if (i in array) out.push(copy(readItem(array, i), below(at, i), depth + 1, walk))
    else {
      note(walk, below(at, i), 'hole')
      out.push(null)
    }
  }
  if (room < array.length) out.push(replace(at, 'size', `[${array.length - room} more items]`, walk))
  return out
}

function copyMembers(object: object, at: string, depth: number, walk: Walk): JsonValue {
  const out: Record<string, JsonValue> = {}
  for (const name of Object.keys(object)) {
    if (++walk.nodes > MAX_NODES) {
      out['[truncated]'] = replace(at, 'size', '[more members]', walk)
      break
    }
    const clean = nameFor(name, at, out, walk)
    setMember(out, clean, copy(readItem(object, name), below(at, clean), depth + 1, walk))
  }
  if (Object.getOwnPropertySymbols(object).length > 0) note(walk, at, 'symbol_keys')
  return out
}

/** One read; what throws becomes a function, which `copy` marks like any other non-value. */
function readItem(object: object, name: string | number): unknown {
  try {
    return (object as Record<string | number, unknown>)[name] // an own key of it
  } catch {
    return UNREADABLE
  }
}

const UNREADABLE = new Proxy({}, { ownKeys: () => refuse(), get: () => refuse(), getPrototypeOf: () => refuse() })

function refuse(): never {
  throw new TypeError('unreadable')
}

function nameFor(name: string, at: string, taken: object, walk: Walk): string {
  let clean = name
  if (name.length > MAX_NAME_CHARS || !name.isWellFormed()) {
    clean = name.slice(0, MAX_NAME_CHARS).toWellFormed()
    note(walk, below(at, clean), 'name')
  }
  if (OURS.test(clean)) clean = `$${clean}`
  for (let n = 2; Object.hasOwn(taken, clean); n++) clean = `${clean}~${n}`
  return clean
}
