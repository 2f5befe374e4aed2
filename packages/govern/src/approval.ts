/**
 * What an `ask` becomes when its question is settled. Refused, timed out and unavailable stay apart.
 * Source: spec events §2 rule 5, spec policy §6.6.
 * @module
 */
import type { Verdict } from '@sworn/recorder'
import { RPC, RPC_PROFILE } from './gate/verdicts.ts'

export type ApprovalAnswer = 'approved' | 'denied' | 'timeout' | 'unavailable'

const REFUSALS = {
  denied: { reasonCode: 'human_denied', reason: 'A person refused', rpc: RPC.userDenied },
  timeout: { reasonCode: 'approval_timeout', reason: 'Nobody answered in time', rpc: RPC.userTimeout },
  unavailable: { reasonCode: 'approval_unavailable', reason: 'Nobody can be asked', rpc: RPC.userDenied },
} as const

/** Verdicts other than `ask` come back as they are. */
export function settleApproval(verdict: Verdict, answer: ApprovalAnswer): Verdict {
  if (verdict.decision !== 'ask') return verdict
  if (answer === 'approved') {
    const { rpcError: _told, ...rest } = verdict
    return { ...rest, decision: 'allow', reasonCode: 'human_approved', reason: 'A person approved' }
  }
  const { rpc, reason, reasonCode } = REFUSALS[answer]
  const rpcError = { code: rpc[0], message: rpc[1], data: { ...verdict.rpcError?.data, reason }, profile: RPC_PROFILE }
  return { ...verdict, decision: 'deny', reasonCode, reason, violation: true, enforced: true, rpcError }
}
