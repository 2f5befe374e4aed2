/**
 * The policy server's routes around an open recorder: the policy in force and its identity.
 * @module
 */
import type { PolicyRoutes, ServerRules } from '@sworn/govern/http'
import type { ClaimsCheck, IdentityDesk } from '@sworn/govern/identity'
import type { AuditEvent } from '@sworn/recorder'
import type { TokenFile } from '@sworn/server'
import type { Opened } from './open-recorder.ts'

export interface PolicyRoom extends PolicyRoutes {
  /** Where the policy of the start says that its server listens; absent where it enables none. */
  readonly rules?: ServerRules
}

/** undefined: no policy is named at the start, and there is nothing to ask. @param check of access tokens, where an issuer is trusted */
export async function openPolicyRoutes(
  opened: Opened,
  tokens: readonly TokenFile[],
  identity: IdentityDesk,
  check: ClaimsCheck | undefined,
): Promise<PolicyRoom | undefined> {
  const { policy: name, policy_profile: profile } = opened.config.values
  if (name === undefined) return undefined
  const { createPolicyRoutes } = await import('@sworn/govern/http')
  const routes = createPolicyRoutes({
    governing: () => ({ gate: opened.gate, policy: opened.policy }),
    profile,
    record: (event: AuditEvent) => opened.recorder.record(event, { level: 'sync', required: true }),
    clients: tokens,
    admins: tokens.filter(({ may }) => may === 'govern'),
    identity,
    ...(check && { check }),
  })
  const rules = opened.policy?.server
  return { ...routes, ...(rules && { rules }) }
}
