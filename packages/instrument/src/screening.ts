/**
 * A gate that also looks for sensitive data in what a tool is given.
 *
 * What has to be masked is replaced where the adapter can hand over other arguments, and refuses the call elsewhere.
 * What comes back is looked through and recorded; it passes as it is. Source: docs/reference/dlp.md.
 * @module
 */
import type { Action, DlpMatch, Gate, Outcome, Verdict } from '@sworn/recorder'

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

/** What was found on its way back: nothing was done about it. */
export function seenIn(gate: Gate, { output }: Outcome): readonly DlpMatch[] {
  if (output === undefined) return []
  try {
    return gate.inspect(output, 'response').matches.map((match) => ({ ...match, dlpAction: 'warn', redacted: false }))
  } catch {
    return [] // a value that cannot be read
  }
}
