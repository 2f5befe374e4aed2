/**
 * A gate that also looks for sensitive data in what a tool is given.
 *
 * What has to be masked is replaced where the adapter can hand over other arguments, and refuses the call elsewhere.
 * What a tool answers is masked or withheld where the adapter can give something else in its place; elsewhere it passes,
 * and the record says that nothing was done. Source: docs/reference/dlp.md.
 * @module
 */
import type { Action, DlpMatch, Gate, Guard, Inspected, Outcome, Verdict } from '@sworn/recorder'

/** @param rewrites the adapter runs a tool with the input of the verdict */
export function screened(gate: Gate, rewrites: boolean): Gate {
  const judge = async (action: Action): Promise<Verdict> => {
    const verdict = await gate.judge(action)
    return verdict.decision === 'deny' ? verdict : screen(gate, action, { verdict, rewrites })
  }
  return Object.create(gate, { judge: { value: judge } }) as Gate // the rest is the gate's, as it is in force
}

type Passing = Exclude<Verdict, { readonly decision: 'deny' }>

function screen(gate: Gate, { input: given }: Action, { verdict, rewrites }: { verdict: Passing; rewrites: boolean }): Verdict {
  const input = 'input' in verdict ? verdict.input : given
  if (input === undefined) return verdict
  const { value, matches, blocked } = gate.inspect(input, 'request')
  const isClean = !blocked && value === input
  if (isClean) return matches.length > 0 ? { ...verdict, matches } : verdict
  if (!blocked && rewrites) return { ...verdict, input: value, matches }
  const { rpcError: _asked, input: _raw, ...rest } = { input, ...verdict }
  const refused = matches.map((match) => ({ ...match, dlpAction: 'block' as const, redacted: false }))
  return { ...rest, decision: 'deny', reason: 'sensitive data in the arguments', reasonCode: 'dlp_blocked', matches: refused }
}

/** A guard that also looks through what comes back. */
export interface AdapterGuard extends Guard {
  /** What a tool answered, before whoever asked gets it. What was found goes to `end`, which looks by itself where it gets nothing. */
  screen(output: unknown): Inspected
}

/** What whoever asked is told of an answer that is withheld. */
export const WITHHELD: Verdict = { decision: 'deny', reason: 'sensitive data in the answer', reasonCode: 'dlp_blocked' }

/** How such a call ended: it was made. */
export const BLOCKED_ANSWER = { status: 'error', errorType: 'dlp_blocked', output: '[BLOCKED:dlp]' } as const

/** What a tool answered, as whoever asked may have it. An object of a class stays what it is: a copy would not be one. */
export function screenAnswer(gate: Gate, output: unknown): Inspected {
  if (isCopied(output)) return gate.inspect(output, 'response')
  return { value: output, matches: seenIn(gate, { status: 'ok', output }), blocked: false }
}

/** Texts, lists and plain objects. */
function isCopied(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

/** What was found in an outcome that passes as it is. */
export function seenIn(gate: Gate, { output }: Outcome): readonly DlpMatch[] {
  if (output === undefined) return []
  try {
    return gate.inspect(output, 'response').matches.map(passed)
  } catch {
    return [] // a value that cannot be read
  }
}

function passed(match: DlpMatch): DlpMatch {
  return { ...match, dlpAction: 'warn', redacted: false, ...(match.dlpAction !== 'warn' && { enforced: false }) }
}
