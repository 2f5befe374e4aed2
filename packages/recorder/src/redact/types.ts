/**
 * Redaction's contract: what finds secrets, and the brand that only redaction makes.
 *
 * Source: docs/format.md (spec events §6).
 * @module
 */
import type { Literal } from './literal-tables.ts'

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

/** One kind of sensitive text, as part of a scanner. */
export interface Detector {
  /** It stands in the marker. Detectors of one name are asked together. */
  readonly name: string
  /** At least one of these occurs wherever `find` has a span, in text and in JSON text; none: `mayFind` decides. */
  readonly literals: readonly Omit<Literal, 'owner'>[]
  /** For a detector without literals: as `Scanner.mayMatch`. Absent: every text may match. */
  readonly mayFind?: (text: string) => boolean
  /** As `Scanner.find`. */
  readonly find: (text: string) => readonly Span[]
}

/** A scanner with a name that records can say: `log.start` has the first three members. */
export interface ScannerSource {
  readonly name: string
  readonly version: string
  /** `sha256:` and 64 hex characters over what decides what is found. */
  readonly hash: string
  /** @param keys names whose values are secret */
  readonly create: (keys: readonly string[]) => Scanner
}

export const MARKER = /^\[REDACTED:[\w.-]{1,64}\]$/

/** What stands for a masked value. */
export function markerOf(pattern: string): string {
  return `[REDACTED:${pattern.replace(/[^\w.-]/g, '_').slice(0, 64)}]`
}
