/** Opens a recorder for a command: its flags over the configuration. @module */
import type { Io } from './frame/io.ts'
import { type Opened, type OpenOptions, type OpenSurroundings, openAll } from './open-recorder.ts'

export interface CommandOptions {
  readonly path?: string | undefined
  readonly config?: string | undefined
  readonly policy?: string | undefined
  readonly user?: string | undefined
  readonly agent?: string | undefined
  readonly previousLog?: OpenOptions['previousLog'] | undefined
  /** True for a process that only relays and records. */
  readonly here?: boolean
  /** The command ends soon: it starts a recorder process instead of becoming one. */
  readonly shortLived?: boolean
  /** What is recorded was done by others: the user of this process is not named. */
  readonly forOthers?: boolean
  /** Instead of a random one: makes an event_id count over restarts. */
  readonly producerId?: string | undefined
  /** Sections of a policy that the command acts on. */
  readonly actsOn?: NonNullable<OpenSurroundings['actsOn']>
  /** How long a recorder process that is started stays without a new entry; 'none': none is started. */
  readonly recorderIdle?: string | undefined
}

/** @throws what `openAll` throws */
export async function openFor(io: Io, options: CommandOptions): Promise<Opened> {
  const { path, config, policy, user, agent, previousLog, here = false, shortLived = false, recorderIdle = '60s' } = options
  const { forOthers = false, producerId, actsOn = [] } = options
  const given = {
    cwd: io.cwd,
    env: io.env,
    ...(path !== undefined && { path }),
    ...(config !== undefined && { config }),
    ...(policy !== undefined && { policy }),
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
