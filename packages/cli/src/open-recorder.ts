/**
 * Opens a recorder: configuration, policy, port and recorder wired together (docs/path.md), and followed by what
 * changes while it is open.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import type { Writable } from 'node:stream'
import type { Policy } from '@sworn/govern'
import type { ActedOn } from '@sworn/govern/policy'
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
  type Recorder,
  type Reserve,
  readTextFile,
  readTrusted,
  type SoonerOrLater,
} from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import { followChanges, type Surroundings } from './follow.ts'
import { createLiveConfig, loaded, tampered } from './live-config.ts'
import { type OpenAlerts, openAlerts } from './open-alerts.ts'
import { type DeliveryParts, type OpenDelivery, openConfiguredDelivery, openDeliveryLater, rooms } from './open-delivery.ts'
import { planGate } from './open-gate.ts'
import { openPatiently, SPOOL_PATIENCE, type SpoolParts, withConfiguredSpool } from './open-spool.ts'
import { type AgentIdentity, type Identity, type PreviousLog, toPortOptions, toRecorderOptions, toSettings } from './wiring.ts'

export interface OpenOptions {
  /** A ledger directory or `.jsonl` file; default `./audit`, or what the configuration says. */
  readonly path?: string
  /** Another configuration file than `./sworn.yaml`. */
  readonly config?: string
  /** An AgentPolicy file. */
  readonly policy?: string
  /** Who may sign it: verifier keys, or files with one or with a PEM public key. It has to be signed then. */
  readonly policyKeys?: readonly string[]
  /** A file of users, roles and budgets. */
  readonly roles?: string
  readonly user?: string
  readonly agent?: string | AgentIdentity
  readonly onAuditFailure?: 'block' | 'continue'
  readonly redact?: AuditBlock['redact']
  /** Of a new ledger: the one it succeeds, from `previousLog` of the recorder. */
  readonly previousLog?: PreviousLog
  /** Where a sink of type `logger` writes: pino, console and winston fit. */
  readonly logger?: DeliveryParts['logger']
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/** Everything that came out of opening; `recorder` is what the library face returns. */
export interface Opened {
  readonly recorder: Recorder
  readonly port: Port
  /** In force now, like `policyNamed` and `gate`: a reload changes them. */
  readonly config: LoadedConfig
  /** False: no policy and no roles, record only. */
  readonly policyNamed: boolean
  /** Why the named policy blocks everything; undefined while it holds. */
  readonly policyFault: string | undefined
  /** Taken once per call, so that a call is judged by one policy. */
  readonly gate: Gate
  /** What that gate was made from; undefined: no policy is named, or it does not hold. */
  readonly policy: Policy | undefined
  readonly identity: Identity
  /** What it is made from: configuration, policy, roles, keys. They need not exist. */
  readonly files: readonly string[]
}

const OPTIONS: ReadonlySet<string> = new Set([
  'path',
  'config',
  'policy',
  'roles',
  'policyKeys',
  'user',
  'agent',
  'onAuditFailure',
  'redact',
  'previousLog',
  'logger',
  'env',
  'cwd',
])

/** What is around an open recorder. */
export interface OpenSurroundings extends Surroundings {
  /** Starts a detached recorder of the ledger; absent where that cannot be, or where this process is one. */
  readonly startRecorder?: (ledger: string) => void
  /** The process expects to live under 10 s: it starts a recorder instead of becoming one. */
  readonly shortLived?: boolean
  /** What is recorded was done by others: the operating system's user is not named. */
  readonly forOthers?: boolean
  /** For a sink of type `stdout`; absent where stdout belongs to something else. */
  readonly stdout?: Writable
  /** See `OpenPortOptions`. */
  readonly producerId?: string
  /** Sections of a policy that this process acts on; a policy with another of them blocks everything. */
  readonly actsOn?: readonly ActedOn[]
  /** False: another process of the same session said what was loaded. */
  readonly announces?: boolean
  /** Of the agent that is judged: the folder that it is in, and files of its own that it may not touch. */
  readonly actor?: { readonly cwd?: string; readonly protect: readonly string[] }
  /** Top-level keys of the configuration file that somebody else reads. */
  readonly beside?: readonly string[]
  /** With `fallback: spool`: a ledger that cannot be opened now is opened later. False: that is an error. */
  readonly opensLater?: boolean
  /** How long others may take; default: that of the recorder. */
  readonly patience?: NonNullable<OpenPortOptions['patience']>
  /** Open in this process: used where the configuration names its ledger and has no spool, and left open. Under its producer. */
  readonly lent?: Port
}

/**
 * Opens the ledger with everything that is wired to it, and follows what changes until it is closed.
 *
 * @throws SwornError CONFIG_INVALID, LEDGER_* as recovery found; TypeError for an unknown option name
 */
export async function openAll(options: OpenOptions, surroundings: OpenSurroundings): Promise<Opened> {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name))
  if (unknown !== undefined) throw new TypeError(`unknown option ${JSON.stringify(unknown)}`)
  const config = await readConfiguration(options, surroundings.beside)
  if (!config.values.enabled) throw new SwornError('CONFIG_INVALID', 'recording is switched off', 'audit.enabled')
  const producerId = surroundings.producerId ?? randomUUID()
  const portOptions = { ...toPortOptions(config, options.previousLog), ...toStart(config, surroundings) }
  const opensLater = config.values.fallback === 'spool' && surroundings.opensLater === true
  const lent = borrowed(config, surroundings.lent)
  const open = async (named: string, say?: Surroundings['say']): Promise<SoonerOrLater> => {
    if (lent) return lent
    const now = () => (surroundings.here ? openPortHere : openPort)({ ...portOptions, producerId: named })
    return opensLater ? openPatiently(now, config, say) : now()
  }
  const held = await open(producerId, surroundings.say)
  try {
    return await wire(held, config, options, { ...surroundings, producerId, open })
  } catch (e) {
    await held.close().catch(() => {}) // the first failure is the one to tell; whoever called has nothing to close
    throw e
  }
}

/** A port with its recorder, and what follows changes. */
async function wire(
  held: SoonerOrLater,
  config: LoadedConfig,
  options: OpenOptions,
  surroundings: OpenSurroundings & Pick<SpoolParts, 'producerId' | 'open'>,
): Promise<Opened> {
  const identity = findIdentity(config, options.env ?? process.env, surroundings.forOthers ?? false)
  let following: Closable | undefined
  let delivery: Pick<OpenDelivery, 'close'> | undefined
  let alerts: OpenAlerts | undefined
  const port: Port = {
    ...held,
    async close() {
      following?.close()
      await alerts?.close()
      try {
        await held.close()
      } finally {
        await delivery?.close()
      }
    },
  }
  const recording = withConfiguredSpool(port, config, { ...surroundings, record: (event) => recorder.record(event) })
  const recorder: Recorder = createRecorder(toRecorderOptions(config, recording, identity))
  const live = await createLiveConfig(config, {
    recorder,
    read: () => readConfiguration(options, surroundings.beside),
    plan: (read) => {
      const lent = {
        reserve: (step: Reserve) => port.reserve(step),
        maskKey: port.info.macKey,
        env: options.env ?? process.env,
        actsOn: surroundings.actsOn ?? [],
        protect: surroundings.actor?.protect ?? [],
      }
      return planGate(read, surroundings.actor?.cwd ?? options.cwd ?? process.cwd(), lent)
    },
    settings: toSettings,
    say: surroundings.say,
  })
  const begun = surroundings.announces === false ? undefined : loaded(config, live.gate)
  if (begun) void recorder.record(begun).catch(() => {}) // the first action waits for the same disk and says what is wrong
  for (const { key, file, reason } of config.refusals) await recorder.record(tampered(key, file, reason))
  const { say, stdout } = surroundings
  const parts = { config, info: held.info, stdout, logger: options.logger, say, recorder }
  delivery = await (held.opened ? openDeliveryLater(parts, held.opened) : openConfiguredDelivery(parts))
  alerts = openAlerts({ path: held.info.path, section: () => live.config.values.alerts, recorder, say })
  following = followChanges(live, port, surroundings)
  return {
    recorder,
    port,
    identity,
    get config() {
      return live.config
    },
    get policyNamed() {
      return live.config.values.policy !== undefined || live.config.values.roles !== undefined
    },
    get policyFault() {
      return live.policyFault
    },
    get gate() {
      return live.gate
    },
    get policy() {
      return live.policy
    },
    get files() {
      return live.files
    },
  }
}

/** A port that somebody else closes. */
function borrowed({ values }: LoadedConfig, lent: Port | undefined): Port | undefined {
  if (lent === undefined || lent.info.path !== values.log_path || values.fallback === 'spool') return undefined
  return { ...lent, reopen: async () => {}, close: async () => {} } // its owner hears SIGHUP too
}

/** Whether a recorder process is started where nobody records. */
function toStart({ recorder, values }: LoadedConfig, { startRecorder, shortLived, patience }: OpenSurroundings): Partial<OpenPortOptions> {
  const wanted = recorder === 'process' || (recorder === 'by command' && shortLived === true)
  const start = wanted && startRecorder ? { ephemeral: true, spawnRecorder: () => startRecorder(values.log_path) } : {}
  const given = { ...(values.fallback === 'spool' && SPOOL_PATIENCE), ...patience }
  return { ...start, ...(Object.keys(given).length > 0 && { patience: given }) }
}

function readConfiguration(options: OpenOptions, beside?: readonly string[]): Promise<LoadedConfig> {
  const env = options.env ?? process.env
  const platform = { name: process.platform, env, homeDirectory: env.HOME ?? homedir() }
  const { path, policy, roles, policyKeys, user, agent, onAuditFailure, redact } = options
  return loadConfig({
    ...platform,
    cwd: options.cwd ?? process.cwd(),
    file: options.config,
    ...(beside && { beside }),
    flags: {
      log_path: path,
      policy,
      roles,
      policy_keys: policyKeys && [...policyKeys],
      user,
      agent,
      on_audit_failure: onAuditFailure,
      redact,
    },
    rooms,
    readText: readTextFile,
    trusted: readTrusted(findDirectories(platform).state),
    realpath: realpathSync,
  })
}

/** Who acts, and how we know: never "unknown" silently. */
export function findIdentity(config: LoadedConfig, env: Readonly<Record<string, string | undefined>>, forOthers: boolean): Identity {
  const { user, agent } = config.values
  const named = agent === undefined ? {} : { agent: toAgent(agent) }
  if (user) return { user, user_source: 'config', ...named }
  if (env.SWORN_USER) return { user: env.SWORN_USER, user_source: 'env', ...named }
  if (forOthers) return { user_source: 'none', ...named }
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
