/**
 * Where a token is issued or presented: process, policy file and host. Source: AIP v1alpha2 §5.3.2.
 *
 * AIP compares process numbers only, and these come again; `instance` is drawn once per process.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Binding, IdentityRules } from './types.ts'

/** @param env of this process: `POD_UID` names a Kubernetes pod */
export function nodeBinding(policyPath: string, env: Readonly<Record<string, string | undefined>> = process.env): Binding {
  return {
    process_id: process.pid,
    instance: randomUUID(),
    policy_path: resolve(policyPath),
    hostname: env.POD_UID ? `k8s:${env.POD_UID}` : hostname().toLowerCase(),
  }
}

/** What does not agree. `policy`: nothing is compared here, the policy's hash is elsewhere. */
export function bindingFault(
  mode: IdentityRules['binding'],
  token: Binding,
  here: Binding,
): 'session_mismatch' | 'binding_mismatch' | undefined {
  if (mode === 'policy') return undefined
  const sameProcess = token.process_id === here.process_id && token.instance === here.instance
  if (mode === 'process') return sameProcess ? undefined : 'session_mismatch'
  const samePlace = token.policy_path === here.policy_path && token.hostname === here.hostname
  return sameProcess && samePlace ? undefined : 'binding_mismatch'
}
