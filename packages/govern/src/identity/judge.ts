/** The token of one call: checked, spent, and what the call gets when it does not count. @module */
import type { Verdict } from '@sworn/recorder'
import { deny } from '../gate/verdicts.ts'
import { checkToken } from './check.ts'
import type { Room } from './room.ts'
import type { Presented, TokenCheck } from './types.ts'
import { tokenRefusal } from './verdict.ts'

/** `check` is absent when no token was presented and none is required. */
export interface TokenRuling {
  readonly check?: TokenCheck
  /** What the call gets; absent: the token says nothing against it. */
  readonly refusal?: Verdict
}

/** Never rejects. */
export async function judgeToken(room: Room, { token, sessionId }: Presented, tool: string): Promise<TokenRuling> {
  const policy = room.policy()
  if (!policy.identity || (!token && !policy.identity.requireToken)) return {}
  const check: TokenCheck = token
    ? await checkToken(room, { token, ...(sessionId !== undefined && { sessionId }) })
    : { fault: { kind: 'required' } }
  if (!check.fault) return { check }
  return { check, refusal: deny({ policy, called: { tool } }, tokenRefusal(check.fault)) }
}
