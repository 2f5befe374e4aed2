/** Opens a recorder for a command: its flags over the configuration. @module */
import type { Io } from './frame/io.ts'
import { type Opened, type OpenOptions, type OpenSurroundings, openAll } from './open-recorder.ts'

export interface CommandOptions {
  readonly path?: string | undefined
  readonly config?: string | undefined
  readonly policy?: string | undefined
  readonly roles?: string | undefined
  readonly policyKeys?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly agent?: string | undefined
  readonly previousLog?: OpenOptions['previousLog'] | undefined
  /** True for a process that only relays and records. */
  readonly here?: boolean
  /** stdout is free for a sink. */
  readonly stdoutIsFree?: boolean
  /** The command ends soon: it starts a recorder process instead of becoming one. */
  readonly shortLived?: boolean
  /** What is recorded was done by others: the user of this process is not named. */
  readonly forOthers?: boolean
  /** Instead of a random one: makes an event_id count over restarts. */
  readonly producerId?: string | undefined
  /** Sections of a policy that the command acts on. */
  readonly actsOn?: NonNullable<OpenSurroundings['actsOn']>
  /** Top-level keys of the configuration file that the command reads itself. */
  readonly beside?: NonNullable<OpenSurroundings['beside']>
  /** False: what was loaded is not recorded. */
  readonly announces?: boolean
  /** Of the agent that is judged; default: it is where this process is. */
  readonly actor?: NonNullable<OpenSurroundings['actor']>
  /** The command records what others do: with `fallback: spool` it does not need the ledger to begin. */
  readonly opensLater?: boolean
  /** How long others may take; default: that of the recorder. */
  readonly patience?: NonNullable<OpenSurroundings['patience']>
  /** Of this process, onto what may be the same ledger; stays open. */
  readonly lent?: NonNullable<OpenSurroundings['lent']>
  /** How long a recorder process that is started stays without a new entry; 'none': none is started. */
  readonly recorderIdle?: string | undefined
}

/** @throws what `openAll` throws */
export async function openFor(io: Io, options: CommandOptions): Promise<Opened> {
  const {
    path,
    config,
    policy,
    roles,
    policyKeys,
    user,
    agent,
    previousLog,
    here = false,
    shortLived = false,
    recorderIdle = '60s',
  } = options
  const {
    forOthers = false,
    producerId,
    actsOn = [],
    stdoutIsFree = false,
    patience,
    actor,
    announces = true,
    beside,
    opensLater = false,
    lent,
  } = options
  const given = {
    cwd: io.cwd,
    env: io.env,
    ...(path !== undefined && { path }),
    ...(config !== undefined && { config }),
    ...(policy !== undefined && { policy }),
    ...(roles !== undefined && { roles }),
    ...(policyKeys !== undefined && policyKeys.length > 0 && { policyKeys }),
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
    ...(previousLog !== undefined && { previousLog }),
  }
  const opened = await openAll(given, {
    signals: process,
    say: io.say,
    here,
    forOthers,
    actsOn,
    ...(producerId !== undefined && { producerId }),
    ...(patience && { patience }),
    ...(lent && { lent }),
    ...(actor && { actor }),
    ...(beside && { beside }),
    announces,
    opensLater,
    ...(stdoutIsFree && { stdout: io.stdout }),
    ...toStarter(io, recorderIdle, shortLived),
  })
  describe(opened, io)
  return opened
}

function toStarter({ startDetached }: Io, idle: string, shortLived: boolean): Partial<OpenSurroundings> {
  if (!startDetached || idle === 'none') return {}
  return { shortLived, startRecorder: (ledger) => startDetached(['recorder', ledger, '--idle-exit', idle]) }
}

/** What `-v` adds: which ledger, files and policy are in force. */
function describe({ config, gate, port }: Opened, { say }: Io): void {
  say('debug', `ledger ${port.info.path}, log_id ${port.info.logId}`)
  for (const { kind, path, trusted } of config.files) say('debug', `${kind} configuration ${path}${trusted ? '' : ', not trusted'}`)
  for (const { file, key, reason } of config.refusals) say('warn', `${file} audit.${key} is not applied: ${reason} (config_tampered)`)
  if (gate.policy.hash !== undefined) say('debug', `policy ${gate.policy.name ?? ''} ${gate.policy.hash}`)
}
