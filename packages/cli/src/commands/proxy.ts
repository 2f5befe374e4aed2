/**
 * `sworn proxy`: the flags of the stdio proxy. stdout belongs to MCP; everything of ours goes to stderr.
 * @module
 */
import { extendRelay, type RelayOptions, runStdioProxy } from '@sworn/proxy'
import { SwornError } from '@sworn/verify'
import { readIssuer } from '../access-tokens.ts'
import { ACTING_FLAGS } from '../frame/acting-flags.ts'
import { defineCommand } from '../frame/command.ts'
import { type ApprovalsHandle, planApprovals } from '../open-approvals.ts'
import { openIdentity } from '../open-identity.ts'
import { openFor } from '../opening.ts'
import type { ProxyApi } from '../proxy-api.ts'
import { closeQuietly, toExitCode, warnAtStart } from '../relaying.ts'
import { openToolPins, pinsFile } from '../tool-pins.ts'

export const proxy = defineCommand({
  args: '[-- CMD ARGS…]',
  maxArgs: 10_000,
  flags: {
    ...ACTING_FLAGS,
    target: { type: 'string', value: '"CMD ARGS"', about: 'the server as one text, quoted as in a shell' },
    'record-mode': {
      type: 'string',
      choices: ['before', 'batch'],
      about: 'before (default): decisions are on disk before a call is forwarded',
    },
    url: { type: 'string', value: 'URL', about: 'a server that speaks Streamable HTTP, in place of a command' },
    listen: { type: 'string', value: 'HOST:PORT', about: 'serve clients over Streamable HTTP instead of stdio' },
    'header-file': { type: 'string', value: 'FILE', about: 'with --url over stdio: `Name: value` lines for the server; 0600' },
    'token-file': { type: 'string', value: 'FILE', about: 'with --listen: one token a line, and its user; needed beyond loopback; 0600' },
    'jwt-keys': {
      type: 'string',
      value: 'FILE',
      about: 'with --listen, --api: a JWK Set; JWTs that its keys signed are tokens, their `sub` the user',
    },
    'jwt-issuer': { type: 'string', value: 'ISS', about: 'with --jwt-keys: who issues the JWTs' },
    'jwt-audience': { type: 'string', value: 'AUD', about: 'with --jwt-keys: for whom they are' },
    'allow-host': { type: 'string', value: 'HOST', multiple: true, about: 'with --listen: a further Host that is ours' },
    'allow-origin': {
      type: 'string',
      value: 'ORIGIN',
      multiple: true,
      about: 'with --listen: a further origin whose pages may call',
    },
    'tls-cert': { type: 'string', value: 'FILE', about: 'with --listen: certificate, PEM' },
    'tls-key': { type: 'string', value: 'FILE', about: 'with --listen: its key, PEM' },
    'client-ca': { type: 'string', value: 'FILE', about: 'with --listen: clients show a certificate of this authority' },
    validator: {
      type: 'string',
      value: 'URL',
      about: 'a policy server that judges the calls (/v1/validate); --policy then says what holds when it does not answer',
    },
    'validator-token-file': { type: 'string', value: 'FILE', about: 'with --validator: the token that it knows; 0600' },
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
    const run = await over?.planHttp(flags, command === undefined ? [] : [command, ...rest], io)
    const beside = flags.api === undefined ? undefined : await import('../proxy-api.ts')
    const front = flags.api === undefined ? undefined : beside?.readFront({ listen: flags.api }, '--api')
    const check = await readIssuer(flags, io.cwd)
    const validating = flags.validator === undefined ? undefined : await (await import('../validating.ts')).planValidator(flags, io)
    const opened = await openFor(io, {
      path: flags['audit-log'],
      config: flags.config,
      policy: flags.policy,
      roles: flags.roles,
      policyKeys: flags['policy-key'],
      user: flags.user,
      agent: flags.agent,
      here: true,
      actsOn: beside || validating ? ['identity', 'server'] : ['identity'],
      ...(beside ? { producerId: beside.HTTP_PRODUCER } : { opensLater: true }), // the API reads what the ledger holds
    })
    warnAtStart(opened, { isBatch: flags['record-mode'] === 'batch', isJudged: validating !== undefined }, io)
    let approvals: ApprovalsHandle | undefined
    let api: ProxyApi | undefined
    try {
      const tokens = await openIdentity(opened)
      const remembered = () => approvals?.remembered() ?? []
      if (beside && front)
        api = await beside.openProxyApi(opened, io, front, { remembered, identity: tokens, check, samples: validating?.samples })
      approvals = await planApprovals(opened, io, api ? { more: [api.channel] } : {})
      const server = flags.url === undefined ? [command ?? '', ...rest] : [flags.url]
      const relay: RelayOptions = {
        stderr: io.stderr,
        get gate() {
          return validating ? validating.gateOf(opened) : opened.gate
        },
        recorder: opened.recorder,
        approvals: approvals.open,
        identity: opened.identity,
        tokens,
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
