/**
 * The configuration in force: every value with its origin.
 *
 * Precedence: flag, environment, project file (`./sworn.yaml`), user file, managed file, default. There is
 * no walk up the tree. `redact` is the union of all files; everything else is the highest one's value. What reads a
 * file is loaded when there is one.
 * @module
 */
import { isAbsolute, join, resolve } from 'node:path'
import { SwornError } from '@sworn/verify'
import { type Directories, findDirectories, type Platform } from './directories.ts'
import type { Rooms } from './read.ts'
import { type RecorderChoice, readRecorderChoice } from './recorder-choice.ts'
import type { AuditBlock, AuditKey } from './schema.ts'
import { applyLock, type ConfigRefusal, hashConfig, limitBlock, type TrustedFiles } from './trust.ts'

export type OriginKind = 'flag' | 'environment' | 'project' | 'user' | 'managed' | 'default'

/** Where a value came from: the kind, and the flag, variable or file. */
export interface Origin {
  readonly kind: OriginKind
  readonly name: string
}

export interface ConfigFile {
  readonly kind: 'project' | 'user' | 'managed'
  readonly path: string
  readonly hash: string
  readonly trusted: boolean
}

export interface LoadedConfig {
  /** Paths are absolute. */
  readonly values: AuditBlock & { [K in keyof typeof DEFAULTS]: NonNullable<AuditBlock[K]> }
  readonly origins: Partial<Record<AuditKey, Origin>>
  readonly files: readonly ConfigFile[]
  /** Where a file was looked for, lowest first; it need not exist. */
  readonly looked: readonly string[]
  /** Keys that a file of lower trust may not change. */
  readonly locked: readonly string[]
  /** Who appends, as SWORN_RECORDER says: a recorder process always, never one, or what the command thinks best. */
  readonly recorder: RecorderChoice['recorder']
  /** What was not applied, and why; each is recorded as `config_tampered`. */
  readonly refusals: readonly ConfigRefusal[]
  readonly directories: Directories
}

export interface LoadOptions extends Platform {
  readonly cwd: string
  /** Values of flags; undefined ones do not count. Paths relative to `cwd`. */
  readonly flags?: Partial<{ [K in AuditKey]: AuditBlock[K] | undefined }>
  /** Another file than `./sworn.yaml`, named by the caller: trusted like a flag. */
  readonly file?: string | undefined
  /** Top-level keys of that file that the caller reads itself; in other files they are refused. */
  readonly beside?: readonly string[]
  /** A file's text; undefined when there is none. Other failures throw. */
  readText(path: string): string | undefined
  /** Who acts on `sinks`, `destinations` and `alerts`; asked for where a file may name one. Absent: they are refused. */
  readonly rooms?: () => Promise<Rooms>
  /** What `sworn trust` remembered. */
  readonly trusted?: TrustedFiles
  realpath?(path: string): string
}

const DEFAULTS = { enabled: true, log_path: './audit', on_audit_failure: 'block', policy_profile: 'strict' } as const satisfies AuditBlock

const ENVIRONMENT = { SWORN_LEDGER: 'log_path', SWORN_POLICY: 'policy', SWORN_ROLES: 'roles' } as const

interface Layers {
  values: Record<string, unknown>
  origins: Partial<Record<AuditKey, Origin>>
  files: ConfigFile[]
  looked: string[]
  refusals: ConfigRefusal[]
  locked: string[]
}

/**
 * Reads all layers, lowest first.
 * @throws SwornError CONFIG_INVALID for the first file that cannot be read or does not hold
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const directories = findDirectories(options)
  const { recorder, ledger } = readRecorderChoice(options.env)
  const layers: Layers = { values: {}, origins: {}, files: [], looked: [], refusals: [], locked: [] }
  apply(layers, { ...DEFAULTS, log_path: join(options.cwd, 'audit') }, { kind: 'default', name: 'default' })
  await addFile(layers, options, 'managed', directories.managedFile)
  await addFile(layers, options, 'user', join(directories.config, 'sworn.yaml'))
  await addProject(layers, options)
  addEnvironment(layers, options)
  if (ledger !== undefined) apply(layers, { log_path: resolve(options.cwd, ledger) }, { kind: 'environment', name: 'SWORN_RECORDER' })
  addFlags(layers, options)
  // every required key has its default
  return {
    values: layers.values as LoadedConfig['values'],
    origins: layers.origins,
    files: layers.files,
    looked: layers.looked,
    locked: layers.locked,
    recorder,
    refusals: layers.refusals,
    directories,
  }
}

async function addFile(layers: Layers, options: LoadOptions, kind: 'user' | 'managed', path: string): Promise<void> {
  layers.looked.push(path)
  const text = options.readText(path)
  if (text === undefined) return
  const limited = applyLock(await readBlock(text, path, options), layers.locked, below(layers), path)
  layers.files.push({ kind, path, hash: hashConfig(text), trusted: true })
  layers.refusals.push(...limited.refusals)
  layers.locked.push(...(limited.block.lock ?? []))
  apply(layers, limited.block, { kind, name: path })
}

async function addProject(layers: Layers, options: LoadOptions): Promise<void> {
  const named = options.file ?? options.env.SWORN_CONFIG
  const path = named ? resolve(options.cwd, named) : join(options.cwd, 'sworn.yaml')
  layers.looked.push(path)
  const text = options.readText(path)
  if (text === undefined) {
    if (named) throw new SwornError('CONFIG_INVALID', 'the named configuration file does not exist', path)
    return
  }
  const hash = hashConfig(text)
  const trusted = named !== undefined || options.trusted?.[options.realpath?.(path) ?? path] === hash
  const read = await readBlock(text, path, options)
  if (read.lock) throw new SwornError('CONFIG_INVALID', 'only user and managed files lock keys', `${path} audit.lock`)
  const unlocked = applyLock(read, layers.locked, below(layers), path)
  const limited = trusted ? { block: unlocked.block, refusals: [] } : limitBlock(unlocked.block, below(layers), path)
  layers.files.push({ kind: 'project', path, hash, trusted })
  layers.refusals.push(...unlocked.refusals, ...limited.refusals)
  apply(layers, limited.block, { kind: 'project', name: path })
}

function addEnvironment(layers: Layers, options: LoadOptions): void {
  for (const [name, key] of Object.entries(ENVIRONMENT)) {
    const value = options.env[name]
    if (value) apply(layers, { [key]: resolve(options.cwd, value) }, { kind: 'environment', name })
  }
}

function addFlags(layers: Layers, options: LoadOptions): void {
  for (const [key, value] of Object.entries(options.flags ?? {})) {
    if (value === undefined) continue
    apply(layers, { [key]: toFlagValue(key, value, options.cwd) }, { kind: 'flag', name: `--${key.replaceAll('_', '-')}` })
  }
}

function toFlagValue(key: string, value: unknown, cwd: string): unknown {
  const absolute = (path: string) => {
    if (path.includes('\0')) throw new SwornError('CONFIG_INVALID', 'a path without NUL was expected', `audit.${key}`)
    return resolve(cwd, path)
  }
  if (key === 'policy_keys' && Array.isArray(value)) return value.map((name) => toPlace(String(name), absolute))
  return typeof value === 'string' && (key === 'log_path' || key === 'policy' || key === 'roles') ? absolute(value) : value
}

function apply(layers: Layers, block: object, origin: Origin): void {
  for (const [name, value] of Object.entries(block)) {
    const key = name as AuditKey // blocks hold checked keys only
    const before = layers.values[key]
    const adds = key === 'redact' && Array.isArray(before)
    layers.values[key] = adds ? [...before, ...(value as unknown[])] : value // redact is a list by its schema
    layers.origins[key] = adds ? { kind: origin.kind, name: `${origin.name}, ${layers.origins[key]?.name}` } : origin
  }
}

function below(layers: Layers): (key: AuditKey) => unknown {
  return (key) => layers.values[key]
}

/** One file's block with absolute paths. @throws SwornError CONFIG_INVALID */
async function readBlock(text: string, path: string, options: LoadOptions): Promise<AuditBlock> {
  const { readConfig } = await import('./read.ts')
  const rooms = /sinks|destinations|alerts/.test(text) ? await options.rooms?.() : undefined
  const isNamed = options.file !== undefined && resolve(options.cwd, options.file) === path
  return toAbsolute(readConfig(text, path, options.env, rooms, isNamed ? options.beside : []), path, options)
}

/** A verifier key is text; everything else is the path of a file. */
function toPlace(key: string, absolute: (path: string) => string): string {
  return /^[^+]+\+[0-9a-f]{8}\+/.test(key) ? key : absolute(key)
}

/** Paths in a file are relative to it; a leading `~/` is the home directory. */
function toAbsolute(block: AuditBlock, file: string, options: LoadOptions): AuditBlock {
  const absolute = (path: string) =>
    path.startsWith('~/') ? join(options.homeDirectory, path.slice(2)) : isAbsolute(path) ? path : resolve(file, '..', path)
  return {
    ...block,
    ...(block.log_path === undefined ? {} : { log_path: absolute(block.log_path) }),
    ...(block.policy === undefined ? {} : { policy: absolute(block.policy) }),
    ...(block.policy_keys && { policy_keys: block.policy_keys.map((key) => toPlace(key, absolute)) }),
    ...(block.roles === undefined ? {} : { roles: absolute(block.roles) }),
    ...(block.retention?.archive !== undefined && { retention: { ...block.retention, archive: absolute(block.retention.archive) } }),
    ...(block.signing_key === undefined ? {} : { signing_key: absolute(block.signing_key) }),
    ...(block.sinks && { sinks: block.sinks.map((sink) => withAbsolute(sink, absolute)) }),
    ...(block.destinations && {
      destinations: block.destinations.map((destination) =>
        typeof destination === 'string' ? destination : withAbsolute(destination, absolute),
      ),
    }),
  }
}

/** Members of a sink that name a file. */
const isSinkPath = (name: string) => name === 'path' || name.endsWith('_file')

function withAbsolute<T extends object>(sink: T, absolute: (path: string) => string): T {
  const paths = Object.entries(sink).filter(([name, value]) => isSinkPath(name) && typeof value === 'string')
  return { ...sink, ...Object.fromEntries(paths.map(([name, value]) => [name, absolute(value)])) }
}
