/** One hook of a coding agent, with the ledger that takes it. @module */
import { hash } from 'node:crypto'
import { isAbsolute, join } from 'node:path'
import { type Answer, answerHook, type Hook, type HookClient, type HookKind, openCallsIn } from '@sworn/proxy/hooks'
import type { Port } from '@sworn/recorder'
import { type FindOwnFiles, findOwnFiles } from './agents/own-files.ts'
import { canAnswerHooks } from './answering/place.ts'
import { askEach } from './asking.ts'
import type { Io } from './frame/io.ts'
import type { PlanOptions } from './open-approvals.ts'
import type { Opened } from './open-recorder.ts'
import { type CommandOptions, openFor } from './opening.ts'

export interface Visited {
  readonly answer: Answer
  /** The first record that was not written. */
  readonly failure?: unknown
}

export type VisitLedger = (client: HookClient, hook: Hook, options: CommandOptions, io: Io) => Promise<Visited>

/**
 * Opens the ledger, answers one hook and closes it again. Where hooks could be answered by a process that stays and none
 * does, one is started: the next ones are faster.
 * @throws what `openFor` throws; SwornError when what is no call cannot be recorded
 */
export const visitLedger: VisitLedger = async (client, hook, options, io) => {
  let isStarted = false
  const startDetached = io.startDetached && {
    startDetached: {
      value(args: readonly string[]) {
        isStarted = true
        io.startDetached?.(args)
      },
    },
  }
  const opened = await openForHook(client, hook, options, Object.create(io, startDetached ?? {}) as Io).open() // an Io, over one
  const { config, port } = opened
  const visited = await answerIn(opened, client, hook, io).finally(() => opened.recorder.close())
  if (!isStarted && STARTS.has(hook.kind) && config.recorder !== 'own' && canAnswerHooks(config.directories.state, io.platform))
    io.startDetached?.(['recorder', port.info.path, '--idle-exit', RECORDER_IDLE])
  return visited
}

const RECORDER_IDLE = '10m'
/** More hooks follow these. */
const STARTS: ReadonlySet<HookKind> = new Set(['session_start', 'prompt', 'before'])

/** How the ledger is opened for a hook: by its own port, or by one that is lent. */
export function openForHook(client: HookClient, hook: Hook, given: CommandOptions, io: Io, find: FindOwnFiles = findOwnFiles) {
  const actor = actorOf(hook, find(client.name, io))
  const announces = hook.kind === 'session_start' // each decision names its policy
  const options: CommandOptions = {
    ...given,
    actor,
    announces,
    here: true,
    shortLived: true,
    opensLater: true,
    recorderIdle: RECORDER_IDLE,
  }
  return { options, open: (lent?: Port): Promise<Opened> => openFor(io, lent ? { ...options, lent } : options) }
}

/** Answers one hook in a ledger that is open. @throws SwornError when what is no call cannot be recorded */
export async function answerIn(opened: Opened, client: HookClient, hook: Hook, io: Io): Promise<Visited> {
  const { recorder, port, config } = opened
  if (hook.kind === 'session_start' && !opened.policyNamed) io.say('warn', 'no policy: everything is recorded, nothing is refused')
  const failures: unknown[] = []
  const noticing: typeof recorder.record = (event, wish) =>
    recorder.record(event, wish).catch((e: unknown) => {
      failures.push(e)
      throw e
    })
  const room = {
    recorder: { ...recorder, record: noticing },
    gate: opened.gate,
    calls: openCallsIn(join(config.directories.state, 'hooks', hash('sha256', port.info.logId).slice(0, 32))),
    onAuditFailure: config.values.on_audit_failure,
    ...(!client.asks && { ask: askEach(opened, io, BESIDE_CLIENT) }),
    now: io.now,
  }
  const answer = await answerHook(client, hook, room)
  return { answer, ...(failures.length > 0 && { failure: failures[0] }) }
}

/** Clients wait a minute for a hook, and their terminal is their own. */
const BESIDE_CLIENT: PlanOptions = { without: ['terminal', 'mcp'], longestMs: 45_000 }

/** An agent that could take its own hooks out would not be recorded. Relative paths are told from the folder that it is in. */
function actorOf({ cwd }: Hook, protect: readonly string[]): NonNullable<CommandOptions['actor']> {
  return { protect, ...(cwd !== undefined && isAbsolute(cwd) && { cwd }) }
}
