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
 */
export function blockingGate(reasonCode: 'policy_invalid', reason: string): Gate {
  const refuse = (rpc: 'forbidden' | 'method', called: { tool: string } | { method: string }): Verdict =>
    deny({ policy: undefined, called }, { rpc, reasonCode, reason, data: { reason: 'The policy is not valid' } })
  return {
    policy: {},
    judgeMethod: (method) => refuse('method', { method: String(method) }),
    judge: async (action) => refuse('forbidden', { tool: String(action.name) }),
    inspect: (value) => ({ value, matches: [], blocked: true }),
  }
}
