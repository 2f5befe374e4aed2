/**
 * Identity tokens around an open recorder: the rules of the policy in force, its keys, its sessions.
 *
 * A reload is followed at the next question: a policy that begins to ask for tokens asks at once. Without a policy that
 * enables identity nothing of it is loaded.
 * @module
 */
import { join } from 'node:path'
import type { Policy } from '@sworn/govern'
import type { Identity, IdentityDesk, KeyRing } from '@sworn/govern/identity'
import { type AuditEvent, type Reserve, SwornError } from '@sworn/recorder'
import type { Opened } from './open-recorder.ts'
import { isRevokedOnRecord } from './revoked-on-record.ts'

/** Where no key can be read no token holds. */
const NO_KEYS: KeyRing = {
  signing() {
    throw new SwornError('KEY_INVALID', 'the keys of the policy cannot be used')
  },
  verifying: () => undefined,
  published: async () => [],
}

type Governed = Policy & { readonly identity: NonNullable<Policy['identity']> }

/** @throws SwornError KEY_INVALID, IO_FAILED for the keys of the policy of the start; after a reload no token holds then */
export async function openIdentity(opened: Opened): Promise<IdentityDesk> {
  let seen: Policy | undefined
  let room: Promise<Identity> | undefined

  function inForce(): Promise<Identity> | undefined {
    const { policy } = opened
    if (!isGoverned(policy)) return undefined
    if (policy !== seen) room = advance(opened, policy, room)
    seen = policy
    return room
  }
  const needed = () => inForce() ?? Promise.reject(new SwornError('ACTION_DENIED', 'the policy does not enable identity', 'spec.identity'))

  if (isGoverned(opened.policy)) await openKeys(opened, opened.policy)
  return {
    rules: () => opened.policy?.identity,
    openSession: async (id) => (await needed()).openSession(id),
    judge: async (presented, tool) => (await inForce())?.judge(presented, tool) ?? {},
    revoke: async (revocation) => (await needed()).revoke(revocation),
    published: async () => (await inForce())?.published() ?? [],
  }
}

function isGoverned(policy: Policy | undefined): policy is Governed {
  return policy?.identity !== undefined
}

async function advance(opened: Opened, policy: Governed, before: Promise<Identity> | undefined): Promise<Identity> {
  const keys = await openKeys(opened, policy).catch(() => NO_KEYS)
  const room = await before
  if (!room) return create(opened, policy, keys)
  room.follow(policy, keys)
  return room
}

async function create(opened: Opened, policy: Governed, keys: KeyRing): Promise<Identity> {
  const { createIdentity, nodeBinding } = await import('@sworn/govern/identity')
  return createIdentity({
    policy,
    keys,
    binding: nodeBinding(policy.file),
    reserve: (step: Reserve) => opened.port.reserve(step),
    record: (event: AuditEvent) => opened.recorder.record(event, { level: 'sync', required: true }),
    revokedOnRecord: (sessionId) => isRevokedOnRecord(opened.port.info.path, sessionId),
  })
}

async function openKeys({ config, port }: Opened, { identity: rules }: Governed): Promise<KeyRing> {
  const { createPeriodicKeys, openKeyFile, openKeyStore } = await import('@sworn/govern/identity')
  const { source, path, algorithm } = rules.keys
  if (source === 'file' && path !== undefined) return openKeyFile(path, algorithm, port.info.path)
  return createPeriodicKeys(rules, openKeyStore(join(config.directories.state, 'identity'), port.info.path), Date.now)
}
