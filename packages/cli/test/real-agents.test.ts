/**
 * Real coding agents, offline, against a scripted model: what they do with our hooks.
 *
 * Installed by hand, 180 to 400 MB each: npm ci --ignore-scripts --prefix testkit/peers/claude-code (codex, gemini, copilot, opencode, pi).
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../testkit/src/children.ts'
import { type FakeModel, type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'
import type { ToolUse, Turn } from '../../../testkit/src/fake-model-dialects.ts'
import { HOOK_CELLS } from '../../../testkit/src/hook-cells.ts'
import { listCodexHooks } from './support/codex-server.ts'
import { startGeminiModel } from './support/gemini-model.ts'
import { sworn, temporary } from './support/io.ts'
import { end, type Started, SWORN, startProcess } from './support/process.ts'

interface Peer {
  readonly agent: string
  /** The file that is there when it is installed, and started by Node when it is a script. */
  readonly program: string
  /** Of the user, below the home. */
  readonly file: string
  /** The command line, without the program. */
  readonly args: readonly string[]
  prepare(home: string, model: FakeModel): Readonly<Record<string, string>>
  /** What it talks to, where that is not the fake model. */
  readonly start?: (script: Script) => Promise<FakeModel>
}

const peer = (path: string) => fileURLToPath(new URL(`../../../testkit/peers/${path}`, import.meta.url))
const CLAUDE: Peer = {
  agent: 'claude-code',
  program: peer('claude-code/node_modules/@anthropic-ai/claude-code-linux-x64/claude'),
  file: '.claude/settings.json',
  args: ['-p', 'do it', '--allowedTools', 'Bash,Read,WebFetch,Agent'],
  prepare: (_home, { url }) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'fake', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }),
}
const CODEX: Peer = {
  agent: 'codex',
  program: peer('codex/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex'),
  file: '.codex/hooks.json',
  args: ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', '--dangerously-bypass-hook-trust', 'do it'],
  prepare(home, { url }) {
    const provider = `name = "fake"\nbase_url = "${url}/v1"\nwire_api = "responses"\nenv_key = "FAKE_KEY"\n`
    mkdirSync(join(home, '.codex'), { recursive: true })
    writeFileSync(join(home, '.codex', 'config.toml'), `model = "m"\nmodel_provider = "fake"\n[model_providers.fake]\n${provider}`)
    return { FAKE_KEY: 'fake' }
  },
}
const COPILOT: Peer = {
  agent: 'copilot',
  program: peer('copilot/node_modules/@github/copilot-linux-x64/copilot'),
  file: '.copilot/hooks/sworn.json',
  args: ['-p', 'do it', '--allow-all-tools'],
  prepare: (_home, { url }) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_PROVIDER_API_KEY: 'fake',
    COPILOT_MODEL: 'gpt-x',
  }),
}
const OPENCODE: Peer = {
  agent: 'opencode',
  program: peer('opencode/node_modules/opencode-linux-x64/bin/opencode'),
  file: '.config/opencode/plugins/sworn.js',
  args: ['run', 'do it'],
  prepare(home, { url }) {
    const options = { baseURL: `${url}/v1`, apiKey: 'fake' }
    const fake = { npm: '@ai-sdk/openai-compatible', name: 'fake', options, models: { m: { name: 'm' } } }
    mkdirSync(join(home, '.config', 'opencode'), { recursive: true })
    writeFileSync(join(home, '.config', 'opencode', 'opencode.json'), JSON.stringify({ model: 'fake/m', provider: { fake } }))
    return {}
  },
}
const PI: Peer = {
  agent: 'pi',
  program: peer('pi/node_modules/@earendil-works/pi-coding-agent/dist/cli.js'),
  file: '.pi/agent/extensions/sworn.ts',
  args: ['-p', '--provider', 'fake', '--model', 'm', 'do it'],
  prepare(home, { url }) {
    const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    const m = { id: 'm', name: 'm', reasoning: false, input: ['text'], cost, contextWindow: 100_000, maxTokens: 1000 }
    const fake = { baseUrl: `${url}/v1`, apiKey: 'fake', api: 'openai-completions', models: [m] }
    mkdirSync(join(home, '.pi', 'agent'), { recursive: true })
    writeFileSync(join(home, '.pi', 'agent', 'models.json'), JSON.stringify({ providers: { fake } }))
    return {}
  },
}
const GEMINI: Peer = {
  agent: 'gemini',
  program: peer('gemini/node_modules/.bin/gemini'),
  file: '.gemini/settings.json',
  args: ['-p', 'do it', '--yolo'],
  prepare(home, { url }) {
    mkdirSync(join(home, '.gemini'))
    writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }))
    return { GEMINI_API_KEY: 'fake', GOOGLE_GEMINI_BASE_URL: url, GEMINI_CLI_TRUST_WORKSPACE: 'true' }
  },
  start: startGeminiModel,
}

function skipOf({ agent, program }: Peer): string | false {
  if (process.env.SWORN_TESTS !== 'full') return 'runs with SWORN_TESTS=full'
  return !existsSync(program) && `NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/${agent}`
}

const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: real}
spec: {allowed_tools: [Bash, Read, Agent, run_shell_command], tool_rules: [{tool: Write, action: ask}]}
`
const MASKING = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: masking}
spec:
  allowed_tools: [Bash, bash, run_shell_command]
  dlp: {scan_requests: true, on_request_match: redact, patterns: [{name: Key, regex: "AKIA[A-Z0-9]{16}"}]}
`
type Entry = Readonly<Record<string, unknown>>

interface Session {
  readonly cwd: string
  /** How often the model was asked with tools to call. */
  readonly asked: number
  readonly entries: readonly Entry[]
}

interface RunOptions {
  /** Made to the file with the hooks. */
  readonly change?: (text: string) => string
  readonly args?: readonly string[]
  readonly policy?: string
  /** Starts who answers the hooks; gives the flags of `sworn install` for it. */
  readonly serve?: (place: Place, ledger: string) => Promise<readonly string[]>
  /** Between the installation and the run. */
  readonly between?: (place: Place, env: NodeJS.ProcessEnv) => Promise<void>
}

interface Place {
  readonly cwd: string
  readonly home: string
}

/** One run of the agent: hooks installed, the model's turns said. */
async function runAgent(peer: Peer, script: (ledger: string) => Script, options: RunOptions = {}): Promise<Session> {
  const { change = (text) => text, args = peer.args, policy = POLICY, serve = async () => [], between } = options
  const [cwd, home] = [temporary(), temporary()]
  const ledger = join(home, 'coding-agents')
  const model = await (peer.start ?? startFakeModel)(script(ledger))
  try {
    const own = peer.prepare(home, model)
    writeFileSync(join(cwd, 'agent.yaml'), policy)
    const flags = ['--policy', 'agent.yaml', ...(await serve({ cwd, home }, ledger))]
    const installed = await sworn(['install', peer.agent, ...flags, '--yes'], { cwd, home, io: { self: SWORN } })
    assert.equal(installed.code, 0, installed.err)
    const file = join(home, peer.file)
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    const env = { PATH: process.env.PATH ?? '', HOME: home, SWORN_HOME: home, ...own }
    await between?.({ cwd, home }, env)
    const [program, ...before] = /\.js$|gemini$/.test(peer.program) ? [process.execPath, peer.program] : [peer.program]
    const child = endWithTests(spawn(program!, [...before, ...args], { cwd, env, stdio: 'ignore' }))
    await new Promise((resolve) => child.on('close', resolve))
    const asked = model.requests.filter(({ body }) => Array.isArray(body.tools) && body.tools.length > 0).length
    return { cwd, asked, entries: await entriesOf(ledger, { cwd, home }) }
  } finally {
    await model.close()
    await end(['recorder', ledger])
  }
}

async function entriesOf(ledger: string, place: { readonly cwd: string; readonly home: string }): Promise<readonly Entry[]> {
  if (!existsSync(ledger)) return []
  assert.equal((await sworn(['verify', ledger, '--require', 'complete'], place)).code, 0)
  const { out } = await sworn(['query', ledger, '--format', 'jsonl', '--limit', '1000'], place)
  return out
    .trim()
    .split('\n')
    .map((line): Entry => JSON.parse(line))
}

/** What became of each call, by the client's id of it. */
function callsOf(entries: readonly Entry[]): Readonly<Record<string, readonly string[]>> {
  const ids = new Map(
    entries.map(({ correlation_id, metadata }) => [correlation_id, (metadata as { call_id?: string })?.call_id]).filter(([, id]) => id) as [
      unknown,
      string,
    ][],
  )
  const words = ({ event_type, decision, reason_code, error_type }: Entry) =>
    [event_type, decision, decision === 'deny' ? reason_code : error_type].filter(Boolean).join(' ')
  const calls = entries.filter(({ correlation_id }) => ids.has(correlation_id))
  return Object.fromEntries([...Map.groupBy(calls, (entry) => ids.get(entry.correlation_id)!)].map(([id, of]) => [id, of.map(words)]))
}

const tool = (id: string, name: string, args: ToolUse['args']): Turn => ({ tools: [{ id, name, args }] })
/** Turns in order for whoever brings tools; a subagent is told by its prompt. */
function inTurn(turns: readonly Turn[], sub: readonly Turn[] = []): Script {
  let [main, below] = [0, 0]
  return ({ body }) => {
    if (!Array.isArray(body.tools) || body.tools.length === 0) return { text: 'ok' }
    const isBelow = Array.isArray(body.messages) && JSON.stringify(body.messages[0]).includes('SUBAGENT')
    const [said, n] = isBelow ? [sub, below++] : [turns, main++]
    return said[Math.min(n, said.length - 1)] ?? { text: 'done' }
  }
}
const RAN = ['authorization_decision allow', 'tool_call_start', 'tool_call_end']

test('Claude Code: calls are decided before they run, refusals are obeyed, subagents are linked, and nothing stays open', {
  skip: skipOf(CLAUDE),
  timeout: 120_000,
}, async () => {
  const { cwd, entries } = await runAgent(CLAUDE, (ledger) =>
    inTurn(
      [
        {
          tools: [
            { id: 'run', name: 'Bash', args: { command: 'echo > ran', description: 'x' } },
            { id: 'fetch', name: 'WebFetch', args: { url: 'https://example.com/', prompt: 'x' } },
          ],
        },
        tool('tamper', 'Bash', { command: `rm -rf ${ledger}`, description: 'x' }),
        tool('fail', 'Read', { file_path: '/nonexistent/file' }),
        tool('ask', 'Write', { file_path: 'written', content: 'x' }),
        tool('spawn', 'Agent', { description: 'x', prompt: 'SUBAGENT', subagent_type: 'general-purpose', run_in_background: false }),
        { text: 'done' },
      ],
      [tool('below', 'Bash', { command: 'echo', description: 'x' }), { text: 'done' }],
    ),
  )
  assert.deepEqual([existsSync(join(cwd, 'ran')), existsSync(join(cwd, 'written'))], [true, false])
  const { tamper, ...calls } = callsOf(entries)
  assert.deepEqual(calls, {
    run: RAN,
    fetch: ['authorization_decision deny tool_not_allowed'],
    fail: ['authorization_decision allow', 'tool_call_start', 'tool_call_error'],
    ask: ['approval_requested ask', 'authorization_decision allow', 'tool_call_start', 'tool_call_error outcome_unknown'],
    spawn: RAN,
    below: RAN,
  })
  assert.equal(tamper?.[0], 'authorization_decision deny protected_path')
  const of = (id: string) => entries.find(({ metadata }) => (metadata as { call_id?: string })?.call_id === id)
  assert.equal(of('below')?.parent_id, of('spawn')?.correlation_id)
  const types = new Set(entries.map(({ event_type }) => event_type))
  for (const type of [
    'session_start',
    'instrumentation_report',
    'user_prompt',
    'subagent_start',
    'subagent_end',
    'turn_end',
    'session_end',
  ])
    assert.ok(types.has(type), type)
})

/** Commands by whichever shell tool the client brings. */
function shellTurns(commands: readonly (readonly [id: string, command: string])[]): Script {
  let n = 0
  return ({ body }) => {
    const tools = Array.isArray(body.tools) ? body.tools : []
    const names: readonly string[] = tools.map(
      (one: { name?: string; function?: { name: string } }) => one.name ?? one.function?.name ?? '',
    )
    const shell = names.find((name) => ['exec_command', 'shell_command', 'run_shell_command', 'bash', 'Bash'].includes(name))
    const [id, command] = shell === undefined ? [] : (commands[n++] ?? [])
    if (shell === undefined || id === undefined || command === undefined) return { text: 'done' }
    return tool(id, shell, shell === 'exec_command' ? { cmd: command } : { command, description: 'x' })
  }
}

const touching = () => shellTurns([['run', 'echo > ran']])

/** What each column of docs/reference/hooks.md tells of a client, with the client itself. */
const SHOWN: Readonly<Record<string, (peer: Peer, runs: boolean) => Promise<void>>> = {
  async crash(peer, runs) {
    const { cwd, asked, entries } = await runAgent(peer, touching, { change: (text) => text.replaceAll(SWORN[0], '/nonexistent/node') })
    assert.deepEqual([existsSync(join(cwd, 'ran')), entries], [runs, []])
    assert.ok(asked > 1 || peer === GEMINI, 'the refusal went back to the model; Gemini refuses the whole turn, because its hook failed')
  },
  async timeout(peer, runs) {
    const silent = join(temporary(), 'silent')
    writeFileSync(silent, '#!/bin/sh\nexec sleep 20\n', { mode: 0o755 })
    const change = (text: string) => text.replaceAll(SWORN[0], silent).replaceAll(/("timeout(?:Sec)?":\s*)60/g, (_, name) => `${name}1`)
    const { cwd, entries } = await runAgent(peer, touching, { change })
    assert.deepEqual([existsSync(join(cwd, 'ran')), entries], [runs, []])
  },
  async untrusted(peer, runs) {
    const { cwd, entries } = await runAgent(peer, touching, { args: peer.args.filter((arg) => !arg.endsWith('-hook-trust')) })
    assert.deepEqual([existsSync(join(cwd, 'ran')), entries], [runs, []])
  },
}

for (const peer of [CLAUDE, CODEX, GEMINI, COPILOT, OPENCODE, PI]) {
  const options = { skip: skipOf(peer), timeout: 180_000 }

  test(`${peer.agent}: a call is decided before it runs, a refusal is obeyed, and the turn's end is told`, options, async () => {
    const { cwd, entries } = await runAgent(peer, (ledger) =>
      shellTurns([
        ['run', 'echo > ran'],
        ['tamper', `rm -rf ${ledger}`],
      ]),
    )
    assert.equal(existsSync(join(cwd, 'ran')), true)
    const shown = entries
      .filter(({ tool }) => /^bash$|^run_shell_command$/i.test(String(tool)))
      .map(({ event_type, decision }) => [event_type, decision].filter(Boolean).join(' '))
    assert.deepEqual(shown, [...RAN, 'authorization_decision deny', 'config_tampered'])
    assert.ok(entries.some(({ event_type }) => event_type === 'turn_end'))
  })

  test(`${peer.agent}: what a policy masks is run masked, or not at all`, options, async () => {
    const { cwd, entries } = await runAgent(peer, () => shellTurns([['run', 'echo AKIAQYLPMN5HHHFPZAM2 > ran']]), { policy: MASKING })
    const ran = existsSync(join(cwd, 'ran')) ? readFileSync(join(cwd, 'ran'), 'utf8').trim() : undefined
    assert.equal(ran, HOOK_CELLS[peer.agent]!.masked === 'run' ? '[REDACTED:Key]' : undefined)
    assert.ok(entries.some(({ event_type, dlp_action: action }) => event_type === 'dlp_match' && action === (ran ? 'mask' : 'block')))
    assert.ok(!JSON.stringify(entries.filter(({ event_type }) => event_type !== 'user_prompt')).includes('AKIAQ'))
  })

  for (const [column, told] of Object.entries(HOOK_CELLS[peer.agent]!)) {
    if (typeof told === 'string' || told.by !== 'client') continue
    const show = SHOWN[column]
    test(`${peer.agent}, ${column}: the call ${told.runs ? 'runs' : 'is refused'}`, options, async () => {
      assert.ok(show, 'a cell of the page without a test')
      await show(peer, told.runs)
    })
  }
}

const overHttp = { skip: skipOf(CLAUDE), timeout: 180_000 }
for (const isThere of [true, false])
  test(`Claude Code asks over HTTP: a server that is ${isThere ? 'there decides' : 'gone refuses the call'}`, overHttp, async () => {
    let server: Started | undefined
    const serve: RunOptions['serve'] = async (place, ledger) => {
      server = startProcess(['serve', ledger, '--listen', '127.0.0.1:0', '--policy', 'agent.yaml'], place)
      let said = ''
      server.process.stderr.on('data', (text: string) => {
        said += text
      })
      await server.until('report.token')
      if (!isThere) await ended(server)
      return ['--server', /listening on (\S+)/.exec(said)?.[1] ?? '', '--audit-log', ledger]
    }
    const script = (ledger: string) =>
      shellTurns([
        ['run', 'echo > ran'],
        ['tamper', `rm -rf ${ledger}`],
      ])
    const { cwd, entries } = await runAgent(CLAUDE, script, { serve }).finally(() => server && ended(server))
    assert.equal(existsSync(join(cwd, 'ran')), isThere)
    const { run, tamper } = callsOf(entries)
    assert.deepEqual([run, tamper?.[0]], isThere ? [RAN, 'authorization_decision deny protected_path'] : [undefined, undefined])
  })

async function ended({ process: child, code }: Started): Promise<void> {
  child.kill('SIGTERM')
  await code
}

const withoutTrust = CODEX.args.filter((arg) => !arg.includes('trust'))

/** What `sworn doctor` says of Codex. */
async function coveredAt({ cwd, home }: Place): Promise<string> {
  const { out } = await sworn(['doctor', '--json'], { cwd, home })
  return JSON.parse(out).checks.find(({ what }: { what: string }) => what === 'codex').detail
}

test('NOT found: Codex skips hooks that nobody trusted, and nothing is recorded; doctor says so', {
  skip: skipOf(CODEX),
  timeout: 120_000,
}, async () => {
  const between = async (place: Place) => assert.match(await coveredAt(place), /, not trusted yet, so they are skipped/)
  const { cwd, entries } = await runAgent(CODEX, () => shellTurns([['run', 'echo > ran']]), { args: withoutTrust, between })
  assert.deepEqual([existsSync(join(cwd, 'ran')), entries], [true, []])
})

test('Codex runs hooks that its user trusted, and doctor knows which by the hashes of Codex', {
  skip: skipOf(CODEX),
  timeout: 120_000,
}, async () => {
  const between = async (place: Place, env: NodeJS.ProcessEnv) => {
    const asking = { program: CODEX.program, cwd: place.cwd, env }
    const status = async (trusts: boolean) => new Set((await listCodexHooks(asking, trusts)).map(({ trustStatus }) => trustStatus))
    assert.deepEqual(await status(true), new Set(['untrusted']))
    assert.deepEqual(await status(false), new Set(['trusted']))
    assert.match(await coveredAt(place), /^recorded: 10 hooks/)
  }
  const { cwd, entries } = await runAgent(CODEX, () => shellTurns([['run', 'echo > ran']]), { args: withoutTrust, between })
  assert.equal(existsSync(join(cwd, 'ran')), true)
  assert.deepEqual(callsOf(entries).run, RAN)
})
