/**
 * The gate that a configuration names, and the text it was made from.
 *
 * A named policy or file of roles that is missing or invalid blocks everything and says so; neither means record only. The
 * ledger, its keys, the policy and the configuration are protected by the gate itself.
 * @module
 */
import { resolve } from 'node:path'
import { blockingGate, createGate, nodePlatform, type Policy } from '@sworn/govern'
import type { ActedOn, LoadPolicyOptions } from '@sworn/govern/policy'
import { type Gate, hashConfig, type LoadedConfig, type ReserveFn, readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { planRoles } from './open-roles.ts'
import { planPolicyKeys } from './policy/keys.ts'

export interface GatePlan {
  /** Differs when another gate would come out. */
  readonly key: string
  /** Files to watch besides the configuration; they need not exist. */
  readonly files: readonly string[]
  /** @throws SwornError POLICY_INVALID when what is named is missing or does not hold; KEY_INVALID for a key that is none */
  open(): Promise<OpenGate>
}

/** A gate and the policy that it was made from, where one is named and holds. */
export interface OpenGate {
  readonly gate: Gate
  readonly policy: Policy | undefined
}

/** What the ledger and the process lend a gate. */
export interface Lent {
  /** Where roles come from the environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly reserve: ReserveFn
  /** Of keyed hashes; absent where the ledger's key is. */
  readonly maskKey: Uint8Array | undefined
  /** Sections of a policy that this process acts on. */
  readonly actsOn: readonly ActedOn[]
  /** Further files that no tool may touch. */
  readonly protect?: readonly string[]
}

/** Reads the policy now, once; `open` compiles what was read. */
export function planGate(config: LoadedConfig, cwd: string, { reserve, maskKey, env, actsOn, protect = [] }: Lent): GatePlan {
  const { policy: name, policy_profile: profile, policy_keys: keys = [], roles: rolesName } = config.values
  const text = name === undefined ? undefined : readTextFile(name)
  const planned = planRoles(rolesName)
  const trusted = planPolicyKeys(keys)
  const protectedPaths = [...selfProtected(config), ...planned.files, ...trusted.files, ...protect]
  return {
    key: JSON.stringify([name, text === undefined ? '' : hashConfig(text), profile, protectedPaths, planned.key, trusted.print]),
    files: [...(name === undefined ? [] : [name]), ...planned.files, ...trusted.files],
    async open() {
      const signers = trusted.open()
      if (name !== undefined && text === undefined) throw new SwornError('POLICY_INVALID', 'the named policy does not exist', name)
      const reading = { profile, actsOn, signers, requireSignature: signers.length > 0 }
      const policy = name === undefined || text === undefined ? undefined : await readPolicy({ text, name }, reading)
      const roles = await planned.open(env)
      const gate = createGate({
        policy,
        profile,
        reserve,
        ...(maskKey && { maskKey }),
        selfProtected: protectedPaths,
        ...(roles && { roles }),
        platform: nodePlatform(cwd),
      })
      return { gate, policy }
    },
  }
}

/** What reads policies is loaded when there is one. @throws SwornError POLICY_INVALID */
async function readPolicy(source: { readonly text: string; readonly name: string }, options: LoadPolicyOptions): Promise<Policy> {
  const { loadPolicy } = await import('@sworn/govern/policy')
  return loadPolicy(source, options)
}

/** The gate of a start: one that blocks everything stands in for a policy that does not hold, and `fault` says why. */
export async function openGate(plan: GatePlan): Promise<OpenGate & { readonly fault: string | undefined }> {
  try {
    return { ...(await plan.open()), fault: undefined }
  } catch (e) {
    if (!SwornError.is(e, 'POLICY_INVALID')) throw e
    const { isSignatureFault } = await import('@sworn/govern/policy')
    const gate = blockingGate('policy_invalid', e.message, { signature: isSignatureFault(e) })
    return { gate, policy: undefined, fault: e.message }
  }
}

/** What no tool may touch: the ledger, its keys, the policy, the configuration. */
export function selfProtected(config: LoadedConfig): string[] {
  const { policy, signing_key: key, log_path: ledger } = config.values
  const files = config.files.map((file) => file.path)
  const named = [policy, key].filter((path) => path !== undefined)
  return [ledger, `${ledger}.ledger`, resolve(config.directories.state), ...files, ...named]
}
