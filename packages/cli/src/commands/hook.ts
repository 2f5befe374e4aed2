/**
 * `sworn hook CLIENT`: what a coding agent runs at each of its hooks. One JSON on stdin, at most one JSON on stdout.
 *
 * A decision is on disk before it is told. Whatever goes wrong before a call refuses it, and says so to the agent, unless
 * `on_audit_failure` is `continue`. Exit code 2 means "refuse" to these clients: it is kept for payloads of which not even
 * the event is known.
 * @module
 */
import type { Readable } from 'node:stream'
import {
  type Answer,
  findHookClient,
  HOOK_CLIENTS,
  type Hook,
  type HookClient,
  kindOf,
  MAX_HOOK_BYTES,
  readHook,
  unreadHook,
} from '@sworn/proxy/hooks'
import { SwornError } from '@sworn/verify'
import { ACTING_FLAGS } from '../frame/acting-flags.ts'
import { type Command, defineCommand, type ExitCode } from '../frame/command.ts'
import { printFailure } from '../frame/failure.ts'
import type { Io } from '../frame/io.ts'
import type { VisitLedger } from '../hooking.ts'

/** Clients wait a minute; an answer that comes later is none. */
const PATIENCE = { spawnMs: 5000, greetMs: 5000, welcomeMs: 10_000 }
/** Told to the user as a warning; Gemini takes every other code with a text on stderr for a refusal. */
const NOT_RECORDED = 1
/** Before a call: it may go on although it is not recorded. The command that `sworn install` writes makes 0 of it. */
const GO_ON = 3

interface HookFlags {
  readonly 'audit-log'?: string | undefined
  readonly policy?: string | undefined
  readonly roles?: string | undefined
  readonly 'policy-key'?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly agent?: string | undefined
  readonly config?: string | undefined
}

const FORM = {
  args: 'CLIENT [EVENT]',
  maxArgs: 2,
  flags: {
    ...ACTING_FLAGS,
    installed: { type: 'boolean', about: 'set by `sworn install`' },
  },
  example: `echo '{"hook_event_name":"Stop","session_id":"s-1"}' | sworn hook claude-code`,
  notes: [
    `CLIENT is one of ${HOOK_CLIENTS.map(({ name }) => name).join(', ')}; EVENT is its name of the hook, where the JSON does not say it.`,
    'Exit 0: answered, a refusal included. 1: not recorded, and nothing is stopped. 2: not even the hook is known; clients refuse then. 3: before a call, not recorded, and it may go on.',
    'Without a policy everything is recorded and nothing is refused. Where nobody records the ledger, a detached `sworn recorder` is started.',
  ],
} as const satisfies Omit<Command, 'run'>

/**
 * The command; `load` brings what visits the ledger, once the payload is known to be one.
 * @param given the payload, or why there is none, where that is known; else stdin is read
 */
export function createHook(load: () => Promise<VisitLedger>, given?: Uint8Array | SwornError) {
  return defineCommand({
    ...FORM,
    async run([name, event], flags, io) {
      const client = findClient(name)
      if (event !== undefined && kindOf(client, event) === undefined)
        throw new SwornError('USAGE', `an event of ${client.name} was expected: ${Object.keys(client.events).join(', ')}`)
      let found: Hook | undefined
      try {
        found = await readGiven(client, given ?? io.stdin, event)
        const code = await visit(client, found, flags, { io, ledger: await load() })
        if (found.unread === undefined) return code
        await printFailure(found.unread, io)
        return found.kind === 'before' ? 0 : NOT_RECORDED
      } catch (e) {
        if (found === undefined) throw e
        await printFailure(e, io)
        if (found.kind !== 'before') return NOT_RECORDED
        const isJudged = found.unread === undefined // what nobody could read no setting lets pass
        return isJudged && (await mayContinue(flags, io)) ? GO_ON : await refuse(client, e, io)
      }
    },
  })
}

export const hook = createHook(async () => (await import('../hooking.ts')).visitLedger)

/** A hook that was handed over and not answered: whether it was recorded is not known, so it is not recorded again. */
export const lostHook = createHook(async () => () => {
  throw new SwornError('RECORDER_UNAVAILABLE', 'the process that answers hooks ended before it answered')
})

/** @throws SwornError USAGE */
function findClient(name: string | undefined): HookClient {
  const client = name === undefined ? undefined : findHookClient(name)
  if (client) return client
  throw new SwornError('USAGE', `one of ${HOOK_CLIENTS.map((one) => one.name).join(', ')} was expected`)
}

/** @throws SwornError EVENT_INVALID when it cannot be read, and nobody says which hook it is of */
async function readGiven(client: HookClient, given: Readable | Uint8Array | SwornError, event: string | undefined): Promise<Hook> {
  try {
    if (SwornError.is(given)) throw given
    return readHook(client, given instanceof Uint8Array ? given : await readPayload(given), event)
  } catch (e) {
    const unread = event !== undefined && SwornError.is(e, 'EVENT_INVALID') ? unreadHook(client, event, e) : undefined
    if (unread === undefined) throw e
    return unread
  }
}

/** @throws SwornError EVENT_INVALID beyond the bound */
async function readPayload(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    bytes += chunk.length
    if (bytes > MAX_HOOK_BYTES) throw new SwornError('EVENT_INVALID', `a payload of at most ${MAX_HOOK_BYTES} bytes was expected`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

interface Visiting {
  readonly io: Io
  readonly ledger: VisitLedger
}

async function visit(client: HookClient, found: Hook, flags: HookFlags, { io, ledger }: Visiting): Promise<ExitCode> {
  const { answer, failure } = await ledger(client, found, { ...toOptions(flags), patience: PATIENCE }, io)
  const reply = replyOf(client, answer)
  if (reply !== undefined) await io.out(JSON.stringify(reply))
  if (failure === undefined) return 0
  await printFailure(failure, io)
  return found.kind === 'before' ? 0 : NOT_RECORDED // before a call the answer itself says so
}

function replyOf(client: HookClient, answer: Answer): object | undefined {
  if (answer.decision === 'none') return undefined
  return answer.decision === 'rewrite' ? client.rewrite?.(answer.input) : client.reply(answer)
}

function toOptions(flags: HookFlags) {
  const { policy, roles, user, agent, config } = flags
  return { path: flags['audit-log'], policy, roles, policyKeys: flags['policy-key'], user, agent, config }
}

/** What could not even be looked at is refused, unless the configuration says otherwise; one that cannot be read says nothing. */
async function refuse(client: HookClient, e: unknown, io: Io): Promise<ExitCode> {
  const code = SwornError.is(e) ? e.code : 'IO_FAILED'
  const reason = `sworn refused this call (audit_unavailable): it cannot be recorded, ${code}`
  await io.out(JSON.stringify(client.reply({ decision: 'deny', reason })))
  return 0
}

async function mayContinue(flags: HookFlags, io: Io): Promise<boolean> {
  try {
    const { loadFor } = await import('../reading/location.ts')
    return (await loadFor(io, {}, flags.config)).values.on_audit_failure === 'continue'
  } catch {
    return false
  }
}
