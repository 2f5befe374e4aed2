/**
 * Identity: sessions, their tokens, what they are worth, and their end.
 *
 * Everything that must hold between processes is asked of `reserve`, which counts where the ledger is appended;
 * everything that is given out was recorded before. Source: spec policy §6.1, §6.2 step 1; AIP v1alpha2 §5.
 * @module
 */
import type { Policy } from '../policy/types.ts'
import type { Revocation } from './events.ts'
import { judgeToken, type TokenRuling } from './judge.ts'
import type { Jwk, KeyRing } from './keys.ts'
import { type Revoked, revoke } from './revoke.ts'
import { createRoom, type IdentityOptions } from './room.ts'
import { openSession, type Session } from './session.ts'
import type { IdentityRules, Presented } from './types.ts'

export interface Identity {
  /** undefined: the policy does not enable identity. */
  readonly rules: () => IdentityRules | undefined
  /**
   * @param id a UUID that no session had; default: a random one
   * @throws SwornError ACTION_DENIED when identity is not enabled, or the session was begun before
   */
  openSession(id?: string): Promise<Session>
  /** Judges the token of one call, and spends it. Never rejects. */
  judge(presented: Presented, tool: string): Promise<TokenRuling>
  /** In force before it resolves, recorded too. @throws what `reserve` and `record` reject with; when only `record` did, it is in force */
  revoke(revocation: Revocation): Promise<Revoked>
  /**
   * A reloaded policy: tokens of the last one count for its policy_transition_grace.
   * @param keys when `identity.keys` or `token_ttl` changed; tokens of keys that it does not know are malformed
   */
  follow(policy: Policy, keys?: KeyRing): void
  published(): Promise<readonly Jwk[]>
}

/** What those who ask it need. */
export type IdentityDesk = Omit<Identity, 'follow'>

export function createIdentity(options: IdentityOptions): Identity {
  const room = createRoom(options)
  return {
    rules: () => room.policy().identity,
    openSession: (id) => openSession(room, id),
    judge: (presented, tool) => judgeToken(room, presented, tool),
    revoke: (revocation) => revoke(room, revocation),
    follow: room.follow,
    published: () => room.keys.published(),
  }
}
