/**
 * The telemetry of real coding agents, offline, against a scripted model and a real `sworn serve`.
 *
 * Installed by hand: npm ci --ignore-scripts --prefix testkit/peers/claude-code (codex).
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../testkit/src/children.ts'
import { type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { sworn, temporary } from './support/io.ts'
import { SWORN } from './support/process.ts'
import { startServe, tokenOf } from './support/served.ts'

interface Teller {
  readonly agent: string
  readonly program: string
  readonly args: readonly string[]
  /** Its shell tool, and how that is told to run `echo hi`. */
  readonly tool: string
  readonly call: Readonly<Record<string, string>>
  prepare(home: string, model: string, server: string, token: string): Readonly<Record<string, string>>
}

const peer = (path: string) => fileURLToPath(new URL(`../../../testkit/peers/${path}`, import.meta.url))
const TELLERS: readonly Teller[] = [
  {
    agent: 'claude-code',
    program: peer('claude-code/node_modules/@anthropic-ai/claude-code-linux-x64/claude'),
    args: ['-p', 'do it', '--allowedTools', 'Bash'],
    tool: 'Bash',
    call: { command: 'echo hi', description: 'x' },
    prepare: (_home, model, server, token) => ({
      ANTHROPIC_BASE_URL: model,
      ANTHROPIC_API_KEY: 'fake',
      CLAUDE_CODE_ENABLE_TELEMETRY: '1',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_ENDPOINT: server,
      OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer ${token}`,
      OTEL_LOG_USER_PROMPTS: '1',
      OTEL_LOG_TOOL_DETAILS: '1',
    }),
  },
  {
    agent: 'codex',
    program: peer('codex/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex'),
    args: ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', 'do it'],
    tool: 'exec_command',
    call: { cmd: 'echo hi' },
    prepare(home, model, server, token) {
      const otlp = `{ endpoint = "${server}/v1/logs", protocol = "json", headers = { "Authorization" = "Bearer ${token}" } }`
      const provider = `name = "fake"\nbase_url = "${model}/v1"\nwire_api = "responses"\nenv_key = "FAKE_KEY"\n`
      const otel = `[otel]\nlog_user_prompt = true\nexporter = { otlp-http = ${otlp} }\n`
      mkdirSync(join(home, '.codex'))
      writeFileSync(join(home, '.codex', 'config.toml'), `model = "m"\nmodel_provider = "fake"\n${otel}[model_providers.fake]\n${provider}`)
      return { FAKE_KEY: 'fake' }
    },
  },
]

/** One call of the shell, then the end, for whoever brings tools. */
function oneCall({ tool, call }: Teller): Script {
  let turns = 0
  return ({ body }) => {
    if (!Array.isArray(body.tools) || body.tools.length === 0 || turns++ > 0) return { text: 'done' }
    return { tools: [{ id: 'call-1', name: tool, args: call }] }
  }
}

function skipOf({ agent, program }: Teller): string | false {
  if (process.env.SWORN_TESTS !== 'full') return 'runs with SWORN_TESTS=full'
  return !existsSync(program) && `NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/${agent}`
}

/** What `sworn doctor` says of the newest entries. */
async function coverageAt(here: { readonly cwd: string; readonly home: string }): Promise<string> {
  const { out } = await sworn(['doctor', '--json'], here)
  return JSON.parse(out).checks.find(({ what }: { what: string }) => what === 'coverage').detail
}

/** One call of the agent, told to a server by its telemetry, and by its hooks when they are installed. */
async function runTeller(teller: Teller, hooked: boolean) {
  const here = { cwd: realpathSync(temporary()), home: temporary() }
  const server = await startServe(here)
  const model = await startFakeModel(oneCall(teller))
  const home = temporary()
  const own = teller.prepare(home, model.url, server.url, tokenOf(here, 'report'))
  const env = { PATH: process.env.PATH ?? '', HOME: home, SWORN_HOME: here.home, ...own }
  if (hooked) {
    const flags = ['--audit-log', join(here.cwd, 'audit'), '--yes']
    assert.equal((await sworn(['install', teller.agent, ...flags], { cwd: home, home, io: { self: SWORN } })).code, 0)
  }
  const args = hooked && teller.agent === 'codex' ? ['exec', '--dangerously-bypass-hook-trust', ...teller.args.slice(1)] : teller.args
  const child = endWithTests(spawn(teller.program, args, { cwd: home, env, stdio: 'ignore' }))
  await new Promise((resolve) => child.on('close', resolve))
  await model.close()
  server.process.kill('SIGTERM')
  assert.equal(await server.code, 0)
  const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], here)
  const lines: readonly Record<string, unknown>[] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { here, lines }
}

for (const teller of TELLERS) {
  test(`${teller.agent}: where hooks and telemetry tell of a session nothing is silent`, {
    skip: skipOf(teller),
    timeout: 120_000,
  }, async () => {
    const { here, lines } = await runTeller(teller, true)
    const kinds = new Set(lines.map(({ source }) => (source as { kind?: string } | undefined)?.kind))
    assert.ok(kinds.has('hook') && kinds.has('otlp'), [...kinds].join())
    assert.doesNotMatch(await coverageAt(here), /silent/)
  })

  test(`${teller.agent}: its own telemetry says what it was asked, what it decided, ran and used`, {
    skip: skipOf(teller),
    timeout: 120_000,
  }, async () => {
    const { here, lines } = await runTeller(teller, false)
    const told = lines.filter(({ source }) => (source as { kind?: string } | undefined)?.kind === 'otlp')
    const of = (type: string) => told.filter(({ event_type }) => event_type === type)
    assert.deepEqual([of('user_prompt').length, of('model_response').length, of('observation_gap').length], [1, 2, 0])
    const [[decision], [end]] = [of('authorization_decision'), of('tool_call_end')]
    assert.partialDeepStrictEqual(end, { tool: teller.tool, arguments: teller.call, source: { vantage: 'reported' }, is_error: false })
    assert.partialDeepStrictEqual(decision, { decision: 'allow', correlation_id: end?.correlation_id, session_id: end?.session_id })
    for (const { usage } of of('model_response')) assert.partialDeepStrictEqual(usage, { input_tokens: 7, output_tokens: 5 })
    assert.match(await coverageAt(here), new RegExp(`; hooks of ${teller.agent} silent: 1 sessions are told of by its telemetry alone`))
  })
}
