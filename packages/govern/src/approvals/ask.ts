/**
 * Approvals as a guard uses them: an `ask` in, a verdict and the members of its record out.
 *
 * Promise: nobody is asked before the question is on record, and what cannot be recorded is denied.
 * Source: spec events §2 rule 5.
 * @module
 */
import type { AskFn } from '@sworn/recorder'
import { settleApproval } from '../approval.ts'
import type { Approvals } from './approvals.ts'

/** Never rejects, however `record` behaves. */
export function createAsk(approvals: Pick<Approvals, 'begin'>): AskFn {
  return async ({ action, verdict, correlationId }, record) => {
    const begun = await approvals.begin({ action, verdict, correlationId })
    if ('ask' in begun && !(await record(begun.requested).catch(() => false))) begun.cancel()
    const { answer, reason, members } = 'ask' in begun ? await begun.ask() : begun
    return { verdict: settleApproval(verdict, answer, reason), members }
  }
}
