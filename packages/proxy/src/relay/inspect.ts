/**
 * Looks through what passes, in either direction, with the gate in force.
 *
 * Promise: a gate that fails shows nothing. Source: policy.md §6.5.
 * @module
 */
import type { DlpMatch, Inspected, Verdict, VerdictReason } from '@sworn/recorder'
import { CODES, type Session } from './session.ts'

const CLEAN = { matches: [], blocked: false } as const

/** Hostile input; never throws. */
export function inspect({ gate }: Session, value: unknown, direction: DlpMatch['direction']): Inspected {
  if (gate === undefined || value === undefined) return { value, ...CLEAN }
  try {
    return gate.inspect(value, direction)
  } catch {
    return { value, matches: [], blocked: true }
  }
}

/** What a peer is told in place of what it must not see. */
export const BLOCKED = { code: CODES.denied, message: 'Blocked: sensitive data', data: { reason: 'dlp_blocked' } } as const

/** The refusal of something that was allowed, because of what it holds. @param where a word of ours */
export function dlpRefusal(where: string, allowed: Partial<VerdictReason> = {}): Verdict {
  const { rpcError: _asked, ...rest } = allowed
  return { ...rest, decision: 'deny', reason: `sensitive data in the ${where}`, reasonCode: 'dlp_blocked' }
}
