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

/** undefined: no policy is named at the start, and there is nothing to ask. @throws SwornError KEY_INVALID, IO_FAILED for the keys of identity tokens */
export async function openPolicyRoutes(opened: Opened, tokens: readonly TokenFile[]): Promise<PolicyRoom | undefined> {
  const { policy: name, policy_profile: profile } = opened.config.values
  if (name === undefined) return undefined
  const [{ createPolicyRoutes }, { loadPolicy }] = await Promise.all([import('@sworn/govern/http'), import('@sworn/govern/policy')])
  const load: Load = (file) => {
    const text = readTextFile(file)
    return text === undefined ? undefined : loadPolicy({ text, name: file }, { profile, actsOn: ['identity', 'server'] })
  }
  const record = (event: AuditEvent) => opened.recorder.record(event, { level: 'sync', required: true })
  const reign = await openIdentity(opened, record)
  const governing = followGate(opened, load, reign.follow)
  const first = governing().policy
  await reign.settled()
  const routes = createPolicyRoutes({
    governing,
    profile,
    record,
    clients: tokens,
    admins: tokens.filter(({ may }) => may === 'govern'),
    identity: reign.identity,
  })
  return { ...routes, ...(first?.server && { rules: first.server }) }
}

function followGate(opened: Opened, load: Load, follow: (policy: Policy) => void): () => Governing {
  let seen: Governing | undefined
  return () => {
    const { gate, config } = opened
    if (seen?.gate === gate) return seen
    seen = { gate, policy: policyOf(gate.policy.hash, config.values.policy, load) }
    if (seen.policy) follow(seen.policy)
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

interface Reign {
  readonly identity: Identity
  follow(policy: Policy): void
  /** Resolves when the keys of the newest policy are there. @throws what kept them away */
  settled(): Promise<void>
}

/** Until keys are there no token holds: a policy that begins to ask for tokens asks at once. */
const NO_KEYS: KeyRing = {
  signing() {
    throw new SwornError('KEY_INVALID', 'the keys of the policy are not open yet')
  },
  verifying: () => undefined,
  published: async () => [],
}

async function openIdentity(opened: Opened, record: (event: AuditEvent) => Promise<unknown>): Promise<Reign> {
  const { createIdentity, nodeBinding } = await import('@sworn/govern/identity')
  const reserve = (step: Reserve) => opened.port.reserve(step)
  let current: Identity | undefined
  let newest: Policy | undefined
  let keys = Promise.resolve()

  function follow(policy: Policy): void {
    newest = policy
    if (current) current.follow(policy, NO_KEYS)
    else current = createIdentity({ policy, keys: NO_KEYS, binding: nodeBinding(policy.file), reserve, record })
    if (!policy.identity) return
    keys = openKeys(opened, policy.identity).then((ring) => void (newest === policy && current?.follow(policy, ring)))
    keys.catch(() => {}) // told at the start by `settled`; later no token holds, which the record says
  }

  const inForce = (): Identity => {
    if (current) return current
    throw new SwornError('POLICY_INVALID', 'a policy that holds was expected')
  }
  return {
    identity: {
      rules: () => current?.rules(),
      openSession: () => inForce().openSession(),
      judge: async (presented, tool) => (current ? current.judge(presented, tool) : {}),
      revoke: (revocation) => inForce().revoke(revocation),
      follow: (policy, ring) => inForce().follow(policy, ring),
      published: async () => (current ? current.published() : []),
    },
    follow,
    settled: () => keys,
  }
}

async function openKeys({ config, port }: Opened, rules: NonNullable<Policy['identity']>): Promise<KeyRing> {
  const { createPeriodicKeys, openKeyFile, openKeyStore } = await import('@sworn/govern/identity')
  const { source, path, algorithm } = rules.keys
  if (source === 'file' && path !== undefined) return openKeyFile(path, algorithm, port.info.path)
  return createPeriodicKeys(rules, openKeyStore(join(config.directories.state, 'identity'), port.info.path), Date.now)
}
