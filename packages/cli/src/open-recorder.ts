/**
 * Opens a recorder: configuration, policy, port and recorder wired together (docs/path.md), and followed by what
 * changes while it is open.
 * @module
 */
import { realpathSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import {
  type AuditBlock,
  type Closable,
  createRecorder,
  findDirectories,
  type Gate,
  type LoadedConfig,
  loadConfig,
  type OpenPortOptions,
  openPort,
  openPortHere,
  type Port,
  type previousLog,
  type Recorder,
  type RecorderOptions,
  type RecorderSettings,
  type RedactOptions,
  readTextFile,
  readTrusted,
} from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { followChanges, type Surroundings } from './follow.ts'
import { VERSION } from './frame/version.ts'
import { createLiveConfig, tampered } from './live-config.ts'
import { planGate } from './open-gate.ts'

export interface OpenOptions {
  /** A ledger directory or `.jsonl` file; default `./audit`, or what the configuration says. */
  readonly path?: string
  /** Another configuration file than `./sworn.yaml`. */
  readonly config?: string
  /** An AgentPolicy file. */
  readonly policy?: string
  readonly user?: string
  readonly agent?: string | AgentIdentity
  readonly onAuditFailure?: 'block' | 'continue'
  readonly redact?: AuditBlock['redact']
  /** Of a new ledger: the one it succeeds, from `previousLog` of the recorder. */
  readonly previousLog?: PreviousLog
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

type PreviousLog = ReturnType<typeof previousLog>

interface AgentIdentity {
  readonly name: string
  readonly version?: string
  readonly framework?: string
  readonly model?: string
}

/** Everything that came out of opening; `recorder` is what the library face returns. */
export interface Opened {
  readonly recorder: Recorder
  readonly port: Port
  /** In force now, like `policyNamed` and `gate`: a reload changes them. */
  readonly config: LoadedConfig
  /** False: no policy, record only. */
  readonly policyNamed: boolean
  /** Why the named policy blocks everything; undefined while it holds. */
  readonly policyFault: string | undefined
  /** Taken once per call, so that a call is judged by one policy. */
  readonly gate: Gate
  readonly identity: { readonly user?: string; readonly user_source: 'config' | 'env' | 'os' | 'none'; readonly agent?: AgentIdentity }
}

const OPTIONS: ReadonlySet<string> = new Set([
  'path',
  'config',
  'policy',
  'user',
  'agent',
  'onAuditFailure',
  'redact',
  'previousLog',
  'env',
  'cwd',
])

/**
 * Opens the ledger and returns its recorder. Until it is closed, saves of the configuration and the policy are
 * noticed and reloaded; SIGHUP reopens the ledger's file and reloads too.
 *
 * @param options options, or the name of a configuration file
 * @throws SwornError CONFIG_INVALID, LEDGER_* as recovery found; TypeError for an unknown option name
 */
export async function openRecorder(options: OpenOptions | string = {}): Promise<Recorder> {
  return (await openAll(typeof options === 'string' ? { config: options } : options)).recorder
}

/** A library has no stderr of its own: what went wrong is a warning of the process. */
const LIBRARY: Surroundings = {
  signals: process,
  say: (level, text) => void (level === 'error' && process.emitWarning(text, 'SwornWarning')),
}

/** The same with everything that was wired. */
export async function openAll(options: OpenOptions, surroundings: Surroundings = LIBRARY): Promise<Opened> {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name))
  if (unknown !== undefined) throw new TypeError(`unknown option ${JSON.stringify(unknown)}`)
  const config = readConfiguration(options)
  if (!config.values.enabled) throw new SwornError('CONFIG_INVALID', 'recording is switched off', 'audit.enabled')
  const held = await (surroundings.here ? openPortHere : openPort)(toPortOptions(config, options))
  const identity = findIdentity(config, options.env ?? process.env)
  let following: Closable | undefined
  const port: Port = {
    ...held,
    close() {
      following?.close()
      return held.close()
    },
  }
  const recorder = createRecorder(toRecorderOptions(config, port, identity))
  const live = createLiveConfig(config, {
    recorder,
    read: () => readConfiguration(options),
    plan: (read) => planGate(read, options.cwd ?? process.cwd(), (step) => port.reserve(step)),
    settings: toSettings,
    say: surroundings.say,
  })
  following = followChanges(live, port, surroundings)
  for (const { key, file, reason } of config.refusals) await recorder.record(tampered(key, file, reason))
  return {
    recorder,
    port,
    identity,
    get config() {
      return live.config
    },
    get policyNamed() {
      return live.config.values.policy !== undefined
    },
    get policyFault() {
      return live.policyFault
    },
    get gate() {
      return live.gate
    },
  }
}

function toPortOptions({ values, directories }: LoadedConfig, { previousLog }: OpenOptions): OpenPortOptions {
  return {
    path: values.log_path,
    home: directories.state,
    version: VERSION,
    ...(values.hash && { hash: values.hash }),
    ...(values.signing === 'record' && { recordSignatures: 'all' }),
    ...(previousLog && { previousLog }),
    ...(values.rotate_bytes && { rotateBytes: values.rotate_bytes }),
    ...(values.signing_key && { signingKey: values.signing_key }),
  }
}

function toRecorderOptions(config: LoadedConfig, port: Port, identity: Opened['identity']): RecorderOptions {
  const { queue } = config.values
  return {
    port,
    ...(identity.user && { user: identity.user }),
    userSource: identity.user_source,
    ...(identity.agent && { agent: identity.agent }),
    ...toSettings(config),
    ...(queue && { queue: toQueue(queue) }),
  }
}

/** What a reload may change. */
function toSettings({ values }: LoadedConfig): RecorderSettings {
  return {
    ...(values.redact && { redact: toRedactOptions(values.redact) }),
    ...(values.events && { events: values.events }),
    ...(values.log_level && { logLevel: values.log_level }),
    onAuditFailure: values.on_audit_failure,
  }
}

function readConfiguration(options: OpenOptions): LoadedConfig {
  const env = options.env ?? process.env
  const platform = { name: process.platform, env, homeDirectory: env.HOME ?? homedir() }
  const { path, policy, user, agent, onAuditFailure, redact } = options
  return loadConfig({
    ...platform,
    cwd: options.cwd ?? process.cwd(),
    file: options.config,
    flags: { log_path: path, policy, user, agent, on_audit_failure: onAuditFailure, redact },
    readText: readTextFile,
    trusted: readTrusted(findDirectories(platform).state),
    realpath: realpathSync,
  })
}

/** Who acts, and how we know: never "unknown" silently. */
function findIdentity(config: LoadedConfig, env: Readonly<Record<string, string | undefined>>): Opened['identity'] {
  const { user, agent } = config.values
  const named = agent === undefined ? {} : { agent: toAgent(agent) }
  if (user) return { user, user_source: 'config', ...named }
  if (env.SWORN_USER) return { user: env.SWORN_USER, user_source: 'env', ...named }
  try {
    return { user: userInfo().username, user_source: 'os', ...named }
  } catch {
    return { user_source: 'none', ...named } // no entry in the password database
  }
}

/** Without members that are undefined. */
function toAgent(agent: NonNullable<AuditBlock['agent']>): AgentIdentity {
  if (typeof agent === 'string') return { name: agent }
  const { name, version, framework, model } = agent
  return { name, ...(version && { version }), ...(framework && { framework }), ...(model && { model }) }
}

function toRedactOptions(redact: NonNullable<AuditBlock['redact']>): RedactOptions {
  return { keys: redact.filter((rule) => typeof rule === 'string'), paths: redact.filter((rule) => typeof rule !== 'string') }
}

function toQueue({ max, when_full }: NonNullable<AuditBlock['queue']>): NonNullable<RecorderOptions['queue']> {
  return { ...(max !== undefined && { max }), ...(when_full !== undefined && { whenFull: when_full }) }
}
