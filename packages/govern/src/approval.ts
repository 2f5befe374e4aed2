/**
 * What an `ask` becomes when its question is settled. Refused, timed out, unavailable and cooling down stay apart.
 * Source: spec events §2 rule 5, spec policy §6.6.
 * @module
 */
import type { Verdict } from '@sworn/recorder'
import { RPC, RPC_PROFILE } from './gate/verdicts.ts'

export type ApprovalAnswer = 'approved' | 'denied' | 'timeout' | 'unavailable' | 'cooldown'

const REFUSALS = {
  denied: { reasonCode: 'human_denied', reason: 'A person refused', rpc: RPC.userDenied },
  timeout: { reasonCode: 'approval_timeout', reason: 'Nobody answered in time', rpc: RPC.userTimeout },
  unavailable: { reasonCode: 'approval_unavailable', reason: 'Nobody can be asked', rpc: RPC.userDenied },
  cooldown: { reasonCode: 'approval_cooldown', reason: 'Too many questions were asked; none is asked for a while', rpc: RPC.userDenied },
} as const

/**
 * `ask` becomes `allow` or `deny`; verdicts other than `ask` come back as they are.
 * @param reason what is recorded and told instead of the usual words; never a value of the call
 */
export function settleApproval(verdict: Verdict, answer: ApprovalAnswer, reason?: string): Verdict {
  if (verdict.decision !== 'ask') return verdict
  if (answer === 'approved') {
    const { rpcError: _told, ...rest } = verdict
    return { ...rest, decision: 'allow', reasonCode: 'human_approved', reason: reason ?? 'A person approved' }
  }
  const { rpc, reasonCode, reason: usual } = REFUSALS[answer]
  const said = reason ?? usual
  const rpcError = { code: rpc[0], message: rpc[1], data: { ...verdict.rpcError?.data, reason: said }, profile: RPC_PROFILE }
  return { ...verdict, decision: 'deny', reasonCode, reason: said, violation: true, enforced: true, rpcError }
}
