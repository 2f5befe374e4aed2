/**
 * Identity: sessions, their tokens, what they are worth, and their end.
 *
 * Everything that must hold between processes is asked of `reserve`, which counts where the ledger is appended;
 * everything that is given out was recorded before. Source: spec policy §6.1, §6.2 step 1; AIP v1alpha2 §5.
 * @module
 */
import { type AuditEvent, type ReserveFn, SwornError, type Verdict } from '@sworn/recorder'
import { deny } from '../gate/verdicts.ts'
import type { Policy } from '../policy/types.ts'
import { createTokenBuckets } from '../rate.ts'
import { type CheckDoor, checkToken, revokedKey } from './check.ts'
import { type Revocation, revokedEvent } from './events.ts'
import type { Jwk, KeyRing } from './keys.ts'
import { createMarks } from './marks.ts'
import { nonceKey, openSession, type Session, sessionKey } from './session.ts'
import type { Binding, IdentityRules, Presented, TokenCheck } from './types.ts'
import { tokenRefusal } from './verdict.ts'

export interface IdentityOptions {
  /** Loaded with `actsOn: ['identity']`. Without `spec.identity`, or disabled: no token is issued or asked for. */
  readonly policy: Policy
  readonly keys: KeyRing
  readonly binding: Binding
  /** Counts where the ledger is appended. Without it only tokens and sessions of this process are known. */
  readonly reserve?: ReserveFn
  /** Resolves when the event is on disk; a rejection keeps the token from being handed out. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** `check` is absent when no token was presented and none is required. */
export interface TokenRuling {
  readonly check?: TokenCheck
  /** What the call gets; absent: the token says nothing against it. */
  readonly refusal?: Verdict
}

/** What was revoked, as it was before. `unknown`: no such thing is alive here; it stays dead all the same. */
export type Revoked = 'live' | 'ended' | 'unknown'

export interface Identity {
  /** undefined: the policy does not enable identity. */
  readonly rules: () => IdentityRules | undefined
  /** @throws SwornError ACTION_DENIED when identity is not enabled */
  openSession(): Promise<Session>
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

const MAX_RECENT = 16

export function createIdentity(options: IdentityOptions): Identity {
  const { binding, record } = options
  const now = options.now ?? Date.now
  let policy = options.policy
  let ring = options.keys
  const keys: KeyRing = { signing: () => ring.signing(), verifying: (kid) => ring.verifying(kid), published: () => ring.published() }
  let recent: readonly { readonly hash: string; readonly untilMs: number }[] = []
  const marks = createMarks(options.reserve ?? createTokenBuckets(now))
  const door: CheckDoor = {
    governing() {
      if (!policy.identity) throw new SwornError('ACTION_DENIED', 'the policy does not enable identity', 'spec.identity')
      return { policy, rules: policy.identity }
    },
    isRecentPolicy: (hash) => recent.some((one) => one.hash === hash && now() < one.untilMs),
    keys,
    marks,
    binding,
    now,
  }

  async function judge({ token, sessionId }: Presented, tool: string): Promise<TokenRuling> {
    const rules = policy.identity
    if (!rules) return {}
    if (!token && !rules.requireToken) return {}
    const check: TokenCheck = token
      ? await checkToken(door, { token, ...(sessionId !== undefined && { sessionId }) })
      : { fault: { kind: 'required' } }
    if (!check.fault) return { check }
    return { check, refusal: deny({ policy, called: { tool } }, tokenRefusal(check.fault)) }
  }

  async function revoke(revocation: Revocation): Promise<Revoked> {
    const { target } = revocation
    const { rules } = door.governing()
    if ('tokenId' in target) await marks.begin(revokedKey(target.tokenId)) // the reason first: whoever loses the nonce finds it
    const before = await marks.end('session' in target ? sessionKey(target.session) : nonceKey(rules.noncePrefix, target.tokenId))
    await record(revokedEvent(revocation))
    return before
  }

  return {
    rules: () => policy.identity,
    openSession: () => openSession({ ...door, record }),
    judge,
    revoke,
    follow(next, nextKeys) {
      const untilMs = now() + (next.identity?.transitionGraceMs ?? 0)
      if (next.hash !== policy.hash) recent = [{ hash: policy.hash, untilMs }, ...recent].slice(0, MAX_RECENT)
      policy = next
      ring = nextKeys ?? ring
    },
    published: () => keys.published(),
  }
}
