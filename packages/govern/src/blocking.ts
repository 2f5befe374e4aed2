/**
 * What stands in for a policy that is named but missing, empty or invalid: everything is blocked.
 * Source: spec events §2 rule 1.
 * @module
 */
import type { Gate, Verdict } from '@sworn/recorder'
import { deny } from './gate/verdicts.ts'

/**
 * @param reasonCode recorded on every decision
 * @param reason for the record; the client is told only that there is no valid policy
 * @param options.signature the fault is one of the signature (`isSignatureFault`): the client is told -32010
 */
export function blockingGate(reasonCode: 'policy_invalid', reason: string, options: { signature?: boolean } = {}): Gate {
  const told = options.signature ? 'The policy signature does not hold' : 'The policy is not valid'
  const refuse = (rpc: 'forbidden' | 'method', called: { tool: string } | { method: string }): Verdict =>
    deny({ policy: undefined, called }, { rpc: options.signature ? 'signature' : rpc, reasonCode, reason, data: { reason: told } })
  return {
    policy: {},
    judgeMethod: (method) => refuse('method', { method: String(method) }),
    judge: async (action) => refuse('forbidden', { tool: String(action.name) }),
    inspect: (value) => ({ value, matches: [], blocked: true }),
  }
}
