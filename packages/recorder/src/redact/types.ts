/**
 * Redaction's contract: what finds secrets, and the brand that only redaction makes.
 *
 * Source: docs/format.md (spec events §6).
 * @module
 */

declare const redacted: unique symbol

/** The compact JSON of a redacted event. Only `createRedactor` makes one; nothing else may be recorded. */
export type Redacted = string & { readonly [redacted]: true }

/** A stretch of text to be masked: UTF-16 offsets, `start < end`. */
export interface Span {
  readonly start: number
  readonly end: number
  /** Letters, digits, `_`, `.`, `-`: it stands in the marker. */
  readonly pattern: string
}

/** Finds sensitive text. Linear in the text's length; total: throws for no string. */
export interface Scanner {
  /** Looks at text or at JSON text. false promises that `find` has nothing in it, or in any string of it. */
  mayMatch(text: string): boolean
  /** In any order; spans may overlap. */
  find(text: string): readonly Span[]
}

export const MARKER = /^\[REDACTED:[\w.-]{1,64}\]$/

/** What stands for a masked value. */
export function markerOf(pattern: string): string {
  return `[REDACTED:${pattern.replace(/[^\w.-]/g, '_').slice(0, 64)}]`
}
