/** What the policy commands share: files in, lines out. @module */
import type { KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import { type GateOptions, nodePlatform, type Policy, type Profile, type RoleOptions } from '@sworn/govern'
import { type DescribedTools, loadPolicy, readTools } from '@sworn/govern/policy'
import { readTextFile } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { selfProtected } from '../open-gate.ts'
import { planRoles } from '../open-roles.ts'
import { loadFor } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'
import { planPolicyKeys } from './keys.ts'

export interface PolicyOptions {
  readonly profile: Profile
  readonly session: string | undefined
  /** Who may sign; with one the policy has to be signed. */
  readonly policyKeys: readonly string[]
  /** File of the private key that signs. */
  readonly signingKey: string | undefined
  /** File of users and roles. */
  readonly roles: string | undefined
  /** Who calls; at most one of the two. */
  readonly user: string | undefined
  readonly role: string | undefined
  /** File that describes tools, as `tools/list` answers. */
  readonly tools: string | undefined
  readonly json: boolean | undefined
}

export interface Source {
  readonly text: string
  readonly name: string
}

/** @throws SwornError USAGE */
export function missing(message: string): never {
  throw new SwornError('USAGE', message)
}

/** @throws SwornError POLICY_INVALID when there is no such file */
export function readSource(file: string, io: Io): Source {
  const name = resolve(io.cwd, file)
  const text = readTextFile(name)
  if (text === undefined) throw new SwornError('POLICY_INVALID', 'there is no such file', name)
  return { text, name }
}

export interface ReadPolicy {
  readonly policy: Policy
  readonly source: Source
  readonly signers: readonly KeyObject[]
}

/**
 * The named policy, else that of the configuration, whatever its sections. Its signature is checked with the keys of the
 * flag, else of the configuration; the configured policy needs one where keys are configured, a draft does not.
 * @throws SwornError POLICY_INVALID, KEY_INVALID
 */
export async function readPolicy(file: string | undefined, { profile, policyKeys }: PolicyOptions, io: Io): Promise<ReadPolicy> {
  const { values } = await loadFor(io, { policy_keys: policyKeys.length > 0 ? [...policyKeys] : undefined })
  const source = readSource(file ?? values.policy ?? missing('a policy file was expected'), io)
  const signers = planPolicyKeys(values.policy_keys ?? []).open()
  const requireSignature = signers.length > 0 && (policyKeys.length > 0 || source.name === values.policy)
  return { policy: loadPolicy(source, { profile, actsOn: ['identity', 'server'], signers, requireSignature }), source, signers }
}

/**
 * The named file of roles, else that of the configuration where the policy is the configured one too. `--role` puts
 * everybody into that role.
 * @throws SwornError POLICY_INVALID, USAGE
 */
export async function readRoles(
  file: string | undefined,
  { roles: named, user, role }: PolicyOptions,
  io: Io,
): Promise<RoleOptions | undefined> {
  const configured = file === undefined ? (await loadFor(io)).values.roles : undefined
  const opened = await planRoles(named === undefined ? configured : resolve(io.cwd, named)).open(io.env)
  if (!opened) return user === undefined && role === undefined ? undefined : missing('--roles FILE was expected with --user or --role')
  if (user !== undefined && role !== undefined) return missing('one of --user and --role was expected')
  const { inRole } = await import('@sworn/govern/roles')
  const directory = role === undefined ? opened.directory : inRole(opened.directory, role)
  return { ...opened, directory, ...(user !== undefined && { user }) }
}

/** What a gate would see around it. */
export type Surroundings = Required<Pick<GateOptions, 'selfProtected' | 'platform'>>

/**
 * What a proxy with this policy would see here: the paths that it protects by itself (ledger, keys, policy, roles,
 * configuration), and where a relative path begins.
 * @param ledger another than the configured one
 */
export async function readSurroundings({ name }: Source, { roles }: PolicyOptions, io: Io, ledger?: string): Promise<Surroundings> {
  const place = (path: string | undefined) => (path === undefined ? undefined : resolve(io.cwd, path))
  const config = await loadFor(io, { policy: name, roles: place(roles), log_path: place(ledger) })
  const files = [...planRoles(config.values.roles).files, ...planPolicyKeys(config.values.policy_keys ?? []).files]
  return { selfProtected: [...selfProtected(config), ...files], platform: nodePlatform(io.cwd) }
}

/** Absent: no tool is described. @throws SwornError POLICY_INVALID */
export function readDescribed({ tools }: PolicyOptions, io: Io): DescribedTools | undefined {
  return tools === undefined ? undefined : readTools(readSource(tools, io))
}

/** One JSON object, or lines that a terminal can show. */
export async function print(what: object | readonly string[], io: Io): Promise<void> {
  if (!Array.isArray(what)) return void (await io.out(JSON.stringify(what)))
  for (const line of what) await io.out(escapeText(String(line)))
}
