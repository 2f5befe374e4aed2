/**
 * The policy server's routes around an open recorder: the policy in force, its identity and its keys.
 *
 * A reload is followed between two requests. The policy is read again where the gate changed, and counts when its hash is
 * the gate's: otherwise it was saved in between, and the gate alone decides.
 * @module
 */
import { join } from 'node:path'
import type { Governing, PolicyRoutes, ServerRules } from '@sworn/govern/http'
import type { Identity, KeyRing } from '@sworn/govern/identity'
import { type AuditEvent, type Reserve, readTextFile, SwornError } from '@sworn/recorder'
import type { TokenFile } from '@sworn/server'
import type { Opened } from './open-recorder.ts'

type Policy = NonNullable<Governing['policy']>
type Load = (name: string) => Policy | undefined

export interface PolicyRoom extends PolicyRoutes {
  /** Where the policy of the start says that its server listens; absent where it enables none. */
  readonly rules?: ServerRules
}

/** undefined: no policy is named, and there is nothing to ask. @throws SwornError KEY_INVALID, IO_FAILED for the keys of identity tokens */
export async function openPolicyRoutes(opened: Opened, tokens: readonly TokenFile[]): Promise<PolicyRoom | undefined> {
  const { policy: name, policy_profile: profile } = opened.config.values
  if (name === undefined) return undefined
  const [{ createPolicyRoutes }, { loadPolicy }] = await Promise.all([import('@sworn/govern/http'), import('@sworn/govern/policy')])
  const load: Load = (file) => {
    const text = readTextFile(file)
    return text === undefined ? undefined : loadPolicy({ text, name: file }, { profile, actsOn: ['identity', 'server'] })
  }
  const record = (event: AuditEvent) => opened.recorder.record(event, { level: 'sync', required: true })
  const governing = followGate(opened, load)
  const first = governing().policy
  const identity = first?.identity && (await openIdentity(opened, first, record))
  const routes = createPolicyRoutes({
    governing,
    profile,
    record,
    clients: tokens,
    admins: tokens.filter(({ may }) => may === 'govern'),
    ...(identity && { identity }),
  })
  return { ...routes, ...(first?.server && { rules: first.server }) }
}

function followGate(opened: Opened, load: Load): () => Governing {
  let seen: Governing | undefined
  return () => {
    const { gate, config } = opened
    if (seen?.gate !== gate) seen = { gate, policy: policyOf(gate.policy.hash, config.values.policy, load) }
    return seen
  }
}

function policyOf(hash: string | undefined, name: string | undefined, load: Load): Policy | undefined {
  try {
    const policy = name === undefined ? undefined : load(name)
    return policy?.hash === hash ? policy : undefined
  } catch (e) {
    if (!SwornError.is(e)) throw e
    return undefined // the gate blocks for the same reason, and says so
  }
}

async function openIdentity(opened: Opened, policy: Policy, record: (event: AuditEvent) => Promise<unknown>): Promise<Identity> {
  const { createIdentity, nodeBinding } = await import('@sworn/govern/identity')
  const reserve = (step: Reserve) => opened.port.reserve(step)
  return createIdentity({ policy, keys: await openKeys(opened, policy), binding: nodeBinding(policy.file), reserve, record })
}

async function openKeys({ config, port }: Opened, { identity }: Policy): Promise<KeyRing> {
  const { createPeriodicKeys, openKeyFile, openKeyStore } = await import('@sworn/govern/identity')
  if (!identity) throw new SwornError('POLICY_INVALID', 'a policy with identity was expected')
  const { source, path, algorithm } = identity.keys
  if (source === 'file' && path !== undefined) return openKeyFile(path, algorithm, port.info.path)
  return createPeriodicKeys(identity, openKeyStore(join(config.directories.state, 'identity'), port.info.path), Date.now)
}
