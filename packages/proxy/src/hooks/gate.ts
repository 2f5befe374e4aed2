/**
 * The gate as a hook can use it: what it judges, and what it finds in the arguments.
 *
 * Arguments that have to be masked are given back masked where the client takes that; elsewhere they refuse the call.
 * @module
 */
import type { Action, DlpMatch, Gate, Verdict } from '@sworn/recorder'

export interface Screening {
  /** Who acts: limits are counted by user. */
  readonly user: string | undefined
  /** The client takes these arguments instead of those. */
  rewrites(masked: unknown, input: unknown): boolean
  /** Receives what was found in the arguments, and what was done about it. */
  found(matches: readonly DlpMatch[]): void
}

export function screened(gate: Gate, screening: Screening): Gate {
  const { user } = screening
  return {
    ...gate,
    async judge(action) {
      const verdict = await gate.judge(user === undefined ? action : { ...action, ids: { ...action.ids, user } })
      return verdict.decision === 'deny' ? verdict : screen(gate, action, verdict, screening)
    },
  }
}

function screen(gate: Gate, { input }: Action, verdict: Verdict, { rewrites, found }: Screening): Verdict {
  if (input === undefined) return verdict
  const { value, matches, blocked } = gate.inspect(input, 'request')
  if (!blocked && value !== input && rewrites(value, input) && verdict.decision === 'allow') {
    found(matches)
    return { ...verdict, input: value }
  }
  const passes = !blocked && value === input
  found(passes ? matches : matches.map((match) => ({ ...match, dlpAction: 'block', redacted: false })))
  if (passes) return verdict
  const { rpcError: _asked, ...rest } = verdict
  return { ...rest, decision: 'deny', reason: 'sensitive data in the arguments', reasonCode: 'dlp_blocked' }
}

/** True when no member of an object, at any depth, has another name. What was parsed from JSON. */
export function keepsNames(masked: unknown, input: unknown): boolean {
  const pairs: [unknown, unknown][] = [[masked, input]]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [after, before] = pair
    if (typeof before !== 'object' || before === null) continue
    if (typeof after !== 'object' || after === null) return false
    for (const [name, value] of Object.entries(before)) {
      if (!Object.hasOwn(after, name)) return false
      pairs.push([(after as Record<string, unknown>)[name], value]) // an own member
    }
  }
  return true
}

/** What the agent is told: the reason code and the gate's public words; never what only the record may name. */
export function wordsOf({ reasonCode, rpcError }: Verdict): string {
  const detail = rpcError?.data?.reason
  return `sworn refused this call (${reasonCode})${typeof detail === 'string' ? `: ${detail}` : ''}`
}
