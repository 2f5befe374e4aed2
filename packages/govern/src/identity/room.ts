/**
 * What issuing, checking and revoking share: the policy and keys of now, the counter, the record.
 *
 * After a reload the tokens of the last policy count for its grace. Source: AIP v1alpha2 §3.7.7.
 * @module
 */
import { type AuditEvent, type ReserveFn, SwornError } from '@sworn/recorder'
import type { Policy } from '../policy/types.ts'
import { createTokenBuckets } from '../rate.ts'
import type { KeyRing } from './keys.ts'
import { createMarks, type Marks } from './marks.ts'
import type { Binding, IdentityRules } from './types.ts'

export interface Room {
  policy(): Policy
  /** The policy of now, with identity enabled. @throws SwornError ACTION_DENIED when it is not */
  governing(): { readonly policy: Policy; readonly rules: IdentityRules }
  /** Of an earlier policy whose tokens still count. */
  isRecentPolicy(hash: string): boolean
  follow(policy: Policy, keys?: KeyRing): void
  /** The ring of now, whichever it is. */
  readonly keys: KeyRing
  readonly marks: Marks
  readonly binding: Binding
  readonly now: () => number
  /** Resolves when the event is on disk. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  readonly revokedOnRecord: (sessionId: string) => Promise<boolean>
}

export interface IdentityOptions {
  /** Loaded with `actsOn: ['identity']`. Without `spec.identity`, or disabled: no token is issued or asked for. */
  readonly policy: Policy
  readonly keys: KeyRing
  readonly binding: Binding
  /** Counts where the ledger is appended. Without it only tokens and sessions of this process are known. */
  readonly reserve?: ReserveFn
  /** Resolves when the event is on disk; a rejection keeps the token from being handed out. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  /**
   * Whether the ledger says that a session was revoked. Asked when the counters have forgotten a session that goes on
   * here (a restart, a take-over); without it such a session is over.
   */
  readonly revokedOnRecord?: (sessionId: string) => Promise<boolean>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const MAX_RECENT = 16

export function createRoom({ now = Date.now, ...options }: IdentityOptions): Room {
  let policy = options.policy
  let ring = options.keys
  let recent: readonly { readonly hash: string; readonly untilMs: number }[] = []
  return {
    policy: () => policy,
    governing() {
      if (!policy.identity) throw new SwornError('ACTION_DENIED', 'the policy does not enable identity', 'spec.identity')
      return { policy, rules: policy.identity }
    },
    isRecentPolicy: (hash) => recent.some((one) => one.hash === hash && now() < one.untilMs),
    follow(next, nextRing) {
      const untilMs = now() + (next.identity?.transitionGraceMs ?? 0)
      if (next.hash !== policy.hash) recent = [{ hash: policy.hash, untilMs }, ...recent].slice(0, MAX_RECENT)
      policy = next
      ring = nextRing ?? ring
    },
    keys: { signing: () => ring.signing(), verifying: (kid) => ring.verifying(kid), published: () => ring.published() },
    marks: createMarks(options.reserve ?? createTokenBuckets(now)),
    binding: options.binding,
    now,
    record: options.record,
    revokedOnRecord: options.revokedOnRecord ?? (async () => true),
  }
}
