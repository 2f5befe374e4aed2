/**
 * Opens the gate that a configuration asks for.
 *
 * A named policy that is missing, empty or invalid blocks everything; without one the gate only protects
 * the ledger, its keys and the configuration. Source: spec events §2 rule 1.
 * @module
 */
import { resolve } from 'node:path'
import { blockingGate, createGate, loadPolicy, nodePlatform, type Policy } from '@sworn/govern'
import { type Gate, type LoadedConfig, type Port, readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'

export interface OpenedGate {
  readonly gate: Gate
  /** Why the named policy cannot be obeyed; the gate then blocks everything. */
  readonly policyFault?: string
}

/** @param cwd where relative paths of the server begin */
export function openGate(config: LoadedConfig, port: Pick<Port, 'reserve'>, cwd: string): OpenedGate {
  const { policy_profile: profile } = config.values
  try {
    const policy = readPolicy(config)
    const reserve: Port['reserve'] = (step) => port.reserve(step)
    return { gate: createGate({ policy, profile, reserve, selfProtected: selfProtected(config), platform: nodePlatform(cwd) }) }
  } catch (e) {
    if (!SwornError.is(e, 'POLICY_INVALID')) throw e
    return { gate: blockingGate('policy_invalid', e.message), policyFault: e.message }
  }
}

/** @throws SwornError POLICY_INVALID */
function readPolicy({ values: { policy, policy_profile: profile } }: LoadedConfig): Policy | undefined {
  if (policy === undefined) return undefined
  const text = readTextFile(policy)
  if (text === undefined) throw new SwornError('POLICY_INVALID', 'the named policy does not exist', policy)
  return loadPolicy({ text, name: policy }, { profile })
}

/** What no tool may touch: the ledger, its keys, the policy, the configuration. */
function selfProtected({ values: { log_path: ledger, policy }, directories, files }: LoadedConfig): string[] {
  const read = files.map((file) => file.path)
  return [ledger, `${ledger}.ledger`, resolve(directories.state), ...read, ...(policy === undefined ? [] : [policy])]
}
