/** The token of one call: checked, spent, and what the call gets when it does not count. @module */
import type { AuditEvent, Verdict } from '@sworn/recorder'
import { deny } from '../gate/verdicts.ts'
import { checkToken } from './check.ts'
import { rejectedEvent } from './events.ts'
import type { Room } from './room.ts'
import type { Presented, TokenCheck } from './types.ts'
import { tokenRefusal } from './verdict.ts'

/** `check` is absent when no token was presented and none is required. */
export interface TokenRuling {
  readonly check?: TokenCheck
  /** What the call gets; absent: the token says nothing against it. */
  readonly refusal?: Verdict
  /** The record of the refusal. */
  readonly rejected?: AuditEvent
}

/** Never rejects. */
export async function judgeToken(room: Room, presented: Presented, tool: string): Promise<TokenRuling> {
  const policy = room.policy()
  if (!policy.identity || (!presented.token && !presented.misplaced && !policy.identity.requireToken)) return {}
  const check = await checkPresented(room, presented)
  if (!check.fault) return { check }
  const refusal = deny({ policy, called: { tool } }, tokenRefusal(check.fault))
  return { check, refusal, rejected: rejectedEvent(check.fault, check.facts, refusal) }
}

async function checkPresented(room: Room, { token, misplaced, sessionId }: Presented): Promise<TokenCheck> {
  if (misplaced) return { fault: { kind: 'misplaced' } }
  return token ? checkToken(room, { token, ...(sessionId !== undefined && { sessionId }) }) : { fault: { kind: 'required' } }
}
