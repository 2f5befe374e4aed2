/**
 * `sworn proxy`: the flags of the stdio proxy. stdout belongs to MCP; everything of ours goes to stderr.
 * @module
 */
import { extendRelay, type RelayOptions, runStdioProxy } from '@sworn/proxy'
import { SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { type ApprovalsHandle, planApprovals } from '../open-approvals.ts'
import type { Opened } from '../open-recorder.ts'
import { openFor } from '../opening.ts'
import type { ProxyApi } from '../proxy-api.ts'
import { openToolPins, pinsFile } from '../tool-pins.ts'

const SIGNAL_BASE = 128
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

export const proxy = defineCommand({
  args: '[-- CMD ARGS…]',
  maxArgs: 10_000,
  flags: {
    policy: { type: 'string', value: 'FILE', about: 'the AgentPolicy that decides' },
    'audit-log': { type: 'string', value: 'PATH', about: 'the ledger, default ./audit' },
    target: { type: 'string', value: '"CMD ARGS"', about: 'the server as one text, quoted as in a shell' },
    user: { type: 'string', value: 'USER', about: 'who is acting' },
    agent: { type: 'string', value: 'AGENT', about: 'name of the agent' },
    config: { type: 'string', value: 'FILE', about: 'another file than ./sworn.yaml' },
    'record-mode': {
      type: 'string',
      choices: ['before', 'batch'],
      about: 'before (default): decisions are on disk before a call is forwarded',
    },
    url: { type: 'string', value: 'URL', about: 'a server that speaks Streamable HTTP, in place of a command' },
    listen: { type: 'string', value: 'HOST:PORT', about: 'serve clients over Streamable HTTP instead of stdio' },
    'header-file': { type: 'string', value: 'FILE', about: 'with --url over stdio: `Name: value` lines for the server' },
    'token-file': { type: 'string', value: 'FILE', about: 'with --listen: one token a line, and its user; needed beyond loopback' },
    'allow-host': { type: 'string', value: 'HOST', multiple: true, about: 'with --listen: a further Host that is ours; may be repeated' },
    'allow-origin': {
      type: 'string',
      value: 'ORIGIN',
      multiple: true,
      about: 'with --listen: a further origin whose pages may call; may be repeated',
    },
    'tls-cert': { type: 'string', value: 'FILE', about: 'with --listen: certificate, PEM' },
    'tls-key': { type: 'string', value: 'FILE', about: 'with --listen: its key, PEM' },
    'client-ca': { type: 'string', value: 'FILE', about: 'with --listen: clients show a certificate of this authority' },
    api: { type: 'string', value: 'HOST:PORT', about: 'answer there what `sworn serve` answers, and questions: /api/approvals' },
    installed: { type: 'boolean', about: 'set by `sworn install`' },
  },
  example: 'sworn proxy --policy agent.yaml -- npx -y @modelcontextprotocol/server-filesystem /data',
  notes: ['The exit code is that of the server. Without a policy everything is recorded and nothing is blocked.'],
  async run(args, flags, io) {
    const [command, ...rest] = flags.target === undefined ? args : [...(await splitTarget(flags.target)), ...args]
    checkServer(command, flags)
    const isHttp = flags.url !== undefined || flags.listen !== undefined
    const over = isHttp ? await import('../proxying.ts') : undefined // HTTP is loaded for it only
    const run = over?.planHttp(flags, command === undefined ? [] : [command, ...rest], io)
    const beside = flags.api === undefined ? undefined : await import('../proxy-api.ts')
    const front = flags.api === undefined ? undefined : beside?.readFront({ listen: flags.api }, '--api')
    const opened = await openFor(io, {
      path: flags['audit-log'],
      config: flags.config,
      policy: flags.policy,
      user: flags.user,
      agent: flags.agent,
      here: true,
      ...(beside && { producerId: beside.HTTP_PRODUCER, actsOn: ['server'] as const }),
    })
    warnAtStart(opened, flags['record-mode'] === 'batch', io)
    let approvals: ApprovalsHandle | undefined
    let api: ProxyApi | undefined
    try {
      if (beside && front) api = await beside.openProxyApi(opened, io, front, () => approvals?.remembered() ?? [])
      approvals = await planApprovals(opened, io, api ? [api.channel] : [])
      const server = flags.url === undefined ? [command ?? '', ...rest] : [flags.url]
      const relay: RelayOptions = {
        stderr: io.stderr,
        get gate() {
          return opened.gate
        },
        recorder: opened.recorder,
        approvals: approvals.open,
        identity: opened.identity,
        pins: openToolPins(pinsFile(opened.config.directories.state, opened.port.info.logId), server, io.say),
        get onAuditFailure() {
          return opened.config.values.on_audit_failure
        },
        say: io.say,
        recordMode: flags['record-mode'] === 'batch' ? 'batch' : 'before',
      }
      const { stdin, stdout, cwd } = io
      if (run !== undefined) return toExitCode(await run(relay))
      const exit = await runStdioProxy(extendRelay(relay, { command: command ?? '', args: rest, env: { ...io.env }, cwd, stdin, stdout }))
      return toExitCode(exit)
    } finally {
      await approvals?.close()
      await api?.close()
      await closeQuietly(opened, (text) => io.say('error', text))
    }
  },
})

function warnAtStart({ policyNamed, policyFault }: Opened, isBatch: boolean, { say }: Io): void {
  if (!policyNamed) say('warn', 'no policy: everything is recorded, nothing is blocked')
  if (policyFault !== undefined) say('error', `policy_invalid: ${policyFault}; everything is blocked`)
  if (isBatch) say('warn', 'batch mode: a power cut may lose the newest decisions')
}

/**
 * Words of `--target`, as a shell would split them; nothing is expanded.
 * @throws SwornError USAGE for operators, globs and comments: no shell runs here
 */
export async function splitTarget(target: string): Promise<string[]> {
  const { parse } = await import('shell-quote')
  return parse(target, (name) => `$${name}`).map((word) => {
    if (typeof word === 'string') return word
    throw new SwornError('USAGE', 'plain words were expected: no shell runs here, so operators and patterns mean nothing', '--target')
  })
}

/** @throws SwornError USAGE unless there is exactly one server */
function checkServer(command: string | undefined, { url }: { readonly url?: string | undefined }): void {
  if (command === undefined && url === undefined)
    throw new SwornError('USAGE', 'a server is missing: `-- CMD ARGS…`, --target "CMD ARGS" or --url URL')
  if (command !== undefined && url !== undefined) throw new SwornError('USAGE', 'one server was expected: a command or --url')
}

function toExitCode(exit: { readonly exitCode: number | null; readonly signal: string | null }): ExitCode {
  return exit.exitCode ?? SIGNAL_BASE + (SIGNALS[exit.signal ?? ''] ?? 15)
}

interface Closable {
  readonly recorder: { close(): Promise<void> }
}

/** The server's exit code stands, even when the ledger cannot be closed; what was lost is said. */
async function closeQuietly({ recorder }: Closable, warn: (text: string) => void): Promise<void> {
  try {
    await recorder.close()
  } catch (e) {
    warn(SwornError.is(e) ? `${e.code} ${e.message}` : 'the ledger could not be closed')
  }
}
