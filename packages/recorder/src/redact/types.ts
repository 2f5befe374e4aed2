/**
 * Redaction's contract: what finds secrets, and the brand that only redaction makes.
 *
 * Source: docs/format.md (spec events §6).
 * @module
 */
import type { JsonValue } from '../event/sanitize.ts'
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

/** `commit`: a salted commitment takes the value's place, its content goes to the vault; the others keep nothing of it. */
export type PathAction = 'mask' | 'drop' | 'hash' | 'commit'

export interface PathRule {
  /** Members from the top, `*` for any: ['arguments', '*', 'iban']. */
  readonly segments: readonly string[]
  readonly action: PathAction
  /** Of `commit`: the dotted member that names whose data it is; default `user`. */
  readonly subject?: string
}

/** Where committed values go. Total: undefined where no key is to be had. */
export interface Vault {
  /** The digest for the line, and the vault's row: one line of JSON, nothing in it readable without the subject's key. */
  commit(value: JsonValue, place: CommitPlace): { readonly digest: string; readonly row: string } | undefined
  /** A keyed hash that dies with the subject's key. */
  hash(subject: string, value: JsonValue): string | undefined
}

export interface CommitPlace {
  /** Whose data it is. */
  readonly subject: string
  readonly eventId: string
  /** JSON pointer in the event. */
  readonly pointer: string
}

export const MARKER = /^\[REDACTED:[\w.-]{1,64}\]$/

/** What stands for a masked value. */
export function markerOf(pattern: string): string {
  return `[REDACTED:${pattern.replace(/[^\w.-]/g, '_').slice(0, 64)}]`
}
