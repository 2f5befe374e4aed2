/** What a policy's `dlp` section came to: rules, and the sources that find what they are about. @module */
import type { Pattern } from '../pattern.ts'

export type DlpAction = 'warn' | 'mask' | 'block'
/** What is left to see of masked text: nothing, its last four characters, or a keyed hash. */
export type MaskStyle = 'full' | 'partial' | 'hash'

export interface DlpRule {
  /** As the record and the marker show it. */
  readonly name: string
  readonly scope: 'request' | 'response' | 'all'
  /** Absent: `on_request_match` for requests, `mask` for responses. */
  readonly action?: DlpAction
  readonly mask: MaskStyle
}

/** A stretch of text and the rule that it falls under; UTF-16 offsets, `start < end`. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly rule: DlpRule
}

/** Finds what one or several rules are about. The caller bounds how many hits it takes. */
export interface Source {
  readonly rules: readonly DlpRule[]
  find(text: string): Iterable<Hit>
}

export interface DlpRules {
  readonly scanRequests: boolean
  readonly scanResponses: boolean
  readonly detectEncoding: boolean
  readonly filterStderr: boolean
  readonly maxScanChars: number
  /** Milliseconds for one message. */
  readonly maxMs: number
  readonly onRequestMatch: 'block' | 'redact' | 'warn'
  readonly onFailure: 'block' | 'allow_original' | 'reject'
  /** Text that one of these matches whole is no finding. */
  readonly allow: readonly Pattern[]
  /** In the order of the policy; what is built in comes last. */
  readonly sources: readonly Source[]
}

/** The rules of all sources, in their order. */
export function rulesOf({ sources }: Pick<DlpRules, 'sources'>): readonly DlpRule[] {
  return sources.flatMap(({ rules }) => rules)
}
