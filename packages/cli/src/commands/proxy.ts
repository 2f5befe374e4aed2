/**
 * `sworn proxy`: the flags of the stdio proxy. stdout belongs to MCP; everything of ours goes to stderr.
 * @module
 */
import { runStdioProxy } from '@sworn/proxy'
import { SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import { type ApprovalsHandle, planApprovals } from '../open-approvals.ts'
import { openFor } from '../opening.ts'

const SIGNAL_BASE = 128
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

export const proxy = defineCommand({
  args: '-- CMD ARGS…',
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
    installed: { type: 'boolean', about: 'set by `sworn install`' },
  },
  example: 'sworn proxy --policy agent.yaml -- npx -y @modelcontextprotocol/server-filesystem /data',
  notes: ['The exit code is that of the server. Without a policy everything is recorded and nothing is blocked.'],
  async run(args, flags, io) {
    const [command, ...rest] = flags.target === undefined ? args : [...(await splitTarget(flags.target)), ...args]
    if (!command) throw new SwornError('USAGE', 'a server is missing: `-- CMD ARGS…` or --target "CMD ARGS"')
    const opened = await openFor(io, {
      path: flags['audit-log'],
      config: flags.config,
      policy: flags.policy,
      user: flags.user,
      agent: flags.agent,
      here: true,
    })
    if (!opened.policyNamed) io.say('warn', 'no policy: everything is recorded, nothing is blocked')
    if (opened.policyFault !== undefined) io.say('error', `policy_invalid: ${opened.policyFault}; everything is blocked`)
    if (flags['record-mode'] === 'batch') io.say('warn', 'batch mode: a power cut may lose the newest decisions')
    let approvals: ApprovalsHandle | undefined
    try {
      approvals = await planApprovals(opened, io)
      const exit = await runStdioProxy({
        command,
        args: rest,
        env: { ...io.env },
        cwd: io.cwd,
        stdin: io.stdin,
        stdout: io.stdout,
        stderr: io.stderr,
        get gate() {
          return opened.gate
        },
        recorder: opened.recorder,
        approvals: approvals.open,
        identity: opened.identity,
        get onAuditFailure() {
          return opened.config.values.on_audit_failure
        },
        say: io.say,
        recordMode: flags['record-mode'] === 'batch' ? 'batch' : 'before',
      })
      return toExitCode(exit)
    } finally {
      await approvals?.close()
      await closeQuietly(opened, (text) => io.say('error', text))
    }
  },
})

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
