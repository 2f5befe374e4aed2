/**
 * Small conversions that several dialects share: members by other names, words by other words, times.
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@sworn/verify'

type Members = Readonly<Record<string, JsonValue | undefined>>

/** our name -> the dialect's. */
export type Names = Readonly<Record<string, string>>

/** The members of `from` that `names` lists, under the dialect's names. */
export function toTheirs(from: Members, names: Names): Record<string, JsonValue | undefined> {
  return Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [theirs, own(from, ours)]))
}

/** The members of `from` that `names` lists, under our names; null is absence. */
export function toOurs(from: Members, names: Names): Record<string, JsonValue | undefined> {
  return Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [ours, own(from, theirs) ?? undefined]))
}

/** A member that the object has itself. */
export function own(from: Members, name: string): JsonValue | undefined {
  return Object.hasOwn(from, name) ? from[name] : undefined
}

/** A part of a record, or an empty one. */
export function part(from: Members, name: string): JsonObject {
  const value = own(from, name)
  return isJsonObject(value) ? value : {}
}

/** An object with at least one member, without those that are undefined; else undefined. */
export function section(members: Members): JsonObject | undefined {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined)
  return kept.length > 0 ? (Object.fromEntries(kept) as JsonObject) : undefined // undefined was dropped
}

/** The word that stands for `value`, or `value` itself when the table has none. */
export function word<T extends JsonValue | undefined>(words: Names, value: T): T | string {
  return typeof value === 'string' && Object.hasOwn(words, value) ? words[value]! : value
}

/** The table read backwards; the first of several wins. */
export function inverse(words: Names): Names {
  return Object.fromEntries(
    Object.entries(words)
      .map(([ours, theirs]) => [theirs, ours])
      .toReversed(),
  )
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** RFC 3339 in any form -> ours: UTC, milliseconds, `Z`; what is finer is cut. */
export function toTimestamp(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && RFC3339.test(value) ? fromEpoch(Date.parse(value)) : undefined
}

/** Milliseconds since 1970 -> our timestamp; undefined when there is no such moment in the years 0 to 9999. */
export function fromEpoch(ms: JsonValue | undefined): string | undefined {
  if (typeof ms !== 'number' || !(ms >= -62_167_219_200_000 && ms < 253_402_300_800_000)) return undefined
  return new Date(ms).toISOString()
}

/** Our timestamp -> milliseconds since 1970. */
export function toEpoch(timestamp: JsonValue | undefined): number | undefined {
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** Our timestamp as Python's `isoformat` writes it: `+00:00`, six digits or none. */
export function toPythonTime(timestamp: JsonValue | undefined): JsonValue | undefined {
  if (typeof timestamp !== 'string') return timestamp
  return timestamp.endsWith('.000Z') ? timestamp.replace('.000Z', '+00:00') : timestamp.replace(/(\.\d{3})Z$/, '$1000+00:00')
}
