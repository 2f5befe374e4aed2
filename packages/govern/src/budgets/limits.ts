/**
 * What a role may spend: calls, tokens and money, per session, user and day (UTC).
 *
 * A measure or scope that is absent here was written as `unlimited` or not limited by a list that limits others; the
 * reader refuses `null`. Money is counted in millionths, so that sums are exact.
 * @module
 */

export const MEASURES = ['calls', 'tokens', 'usd'] as const
export const SCOPES = ['session', 'user', 'day'] as const
export type Measure = (typeof MEASURES)[number]
export type Scope = (typeof SCOPES)[number]

export interface Limit {
  readonly measure: Measure
  readonly scope: Scope
  /** Calls, tokens, millionths of a dollar. */
  readonly limit: number
}

export type Limits = readonly Limit[]

export const MICROS = 1_000_000
