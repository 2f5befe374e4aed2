/**
 * What a JSON parser does not tell: nesting, and how many members were written.
 *
 * One pass over the bytes, no allocation. `JSON.parse` keeps the last of two members with one name;
 * comparing the members written with the members that came out finds every duplicate, at any depth,
 * however its name was escaped. The scan is total: on text that is not JSON it returns something.
 * Source: RFC 8259 §4 (names should be unique), checklist AW15, AW16.
 * @module
 */

/** Bound on nesting: arrays and objects, the outermost counted. */
export const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Strings longer than this are skipped by native search. */
const SHORT = 48

export interface Structure {
  /** Deepest nesting. */
  readonly depth: number
  /** Members of all objects, as written. */
  readonly members: number
}

/** Position of the quote that ends the string whose content begins at `from`; the length when there is none. */
function endOfString(bytes: Uint8Array, from: number): number {
  const near = Math.min(bytes.length, from + SHORT)
  let at = from
  for (; at < near; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at)
    if (quote < 0) return bytes.length
    let slash = quote
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--
    if ((quote - slash) % 2 === 0) return quote
    at = quote + 1
  }
}

/**
 * Nesting and member count of one JSON text in UTF-8.
 *
 * @param onTopKey called with the bounds of each name of the outermost object, quotes excluded
 */
export function scanStructure(bytes: Uint8Array, onTopKey?: (start: number, end: number) => void): Structure {
  let depth = 0
  let deepest = 0
  let members = 0
  let start = 0
  let end = 0
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        start = at + 1
        at = end = endOfString(bytes, start)
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > deepest) deepest = depth
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case 0x3a: // :
        members++
        if (depth === 1 && onTopKey !== undefined) onTopKey(start, end)
    }
  }
  return { depth: deepest, members }
}

/** Members of all objects in a parsed value; recursion is bounded by MAX_DEPTH, checked before. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') members += countMembers(item)
    return members
  }
  for (const name in value) {
    members++
    const item = (value as Record<string, unknown>)[name] // `name` is a member of it
    if (typeof item === 'object') members += countMembers(item)
  }
  return members
}

/** True when no string and no name in the value holds half a surrogate pair. */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item))
}
