/** `sworn tools serve` in real processes: both generations of the SDK, the policy, the record before the run, and when there is none. @module */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { runStdioProxy } from '@sworn/proxy'
import { readTools } from '@sworn/proxy/tools'
import { SwornError } from '@sworn/verify'
import { later } from '../../../testkit/src/suite.ts'
import { openToolServer } from '../src/tools/server.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, runProcess, SWORN } from './support/process.ts'

const TOOLS = `name: shop
version: 1.2.0
audit:
  log_path: ./audit
tools:
  - name: greet
    description: Say hello
    parameters:
      - {name: who, required: true, description: a name}
      - {name: times, type: integer, default: 1}
    script: {shell: 'echo "hello {{who}}" {{times}}; touch ran'}
  - name: silent
    audit: false
    parameters: [{name: secret_plan}]
    script: {command: printf, args: ["%s", "--", "{{secret_plan}}"]}
  - name: slow
    script: {shell: 'touch begun; sleep 60; touch ended'}
`
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec:\n  allowed_tools: [greet, slow]\n  tool_rules:\n    - {tool: slow, action: block}\n'
const INFO = { name: 't', version: '1' }
const INITIALIZE = { method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO } }
const call = (name: string, input: object = {}) => ({ method: 'tools/call', params: { name, arguments: input } })

function place(): Place {
  const cwd = temporary()
  writeFileSync(join(cwd, 'tools.yaml'), TOOLS)
  writeFileSync(join(cwd, 'policy.yaml'), POLICY)
  return { cwd, home: temporary() }
}

/** Sends all requests at once and closes the input. */
async function talk(here: Place, flags: readonly string[], requests: readonly object[]) {
  const lines = requests.map((request, i) => `${JSON.stringify({ jsonrpc: '2.0', id: i, ...request })}\n`)
  const { code, out, err } = await runProcess(['tools', 'serve', 'tools.yaml', ...flags], here, lines.join(''))
  const answers = out
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { code, err, answers: answers.toSorted((a, b) => a.id - b.id) }
}

async function recorded(here: Place) {
  const { out } = await sworn(['query', '--format', 'jsonl'], here)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('the file is checked without serving it: what it has, or where it is wrong', async () => {
  const here = place()
  const { code, out } = await sworn(['tools', 'serve', 'tools.yaml', '--check'], here)
  assert.deepEqual([code, out], [0, 'greet who [times]\nsilent [secret_plan] (not recorded)\nslow\n'])
  writeFileSync(join(here.cwd, 'bad.yaml'), 'tools:\n  - {name: a, parameters: [{name: v}], script: {shell: "eval {{v}}"}}\n')
  const bad = await sworn(['tools', 'serve', 'bad.yaml', '--check'], here)
  assert.equal(bad.code, 2)
  assert.match(bad.err, /CONFIG_INVALID \{\{v\}\} would be run as a program.*\(at bad\.yaml:2:\d+ tools\.0\.script\.shell\)/)
  assert.equal((await sworn(['tools', 'serve', 'none.yaml', '--check'], here)).code, 3)
  assert.equal((await sworn(['tools', 'list'], here)).code, 2)
  assert.deepEqual(readdirSync(here.cwd).toSorted(), ['bad.yaml', 'policy.yaml', 'tools.yaml'])
})

test('a call is recorded before it runs and after; a tool with audit: false leaves no record, and the session says which', {
  timeout: 120_000,
}, async () => {
  const here = place()
  const { code, answers } = await talk(
    here,
    [],
    [INITIALIZE, call('greet', { who: '"; touch pwned #' }), call('silent', { secret_plan: 'x' }), call('nope')],
  )
  assert.equal(code, 0)
  assert.deepEqual(answers[0].result.serverInfo, { name: 'shop', version: '1.2.0' })
  assert.deepEqual(answers[1].result, { content: [{ type: 'text', text: 'hello "; touch pwned # 1\n' }], isError: false })
  assert.equal(answers[2].result.content[0].text, '--x')
  assert.equal(answers[3].result.isError, true)
  assert.equal(existsSync(join(here.cwd, 'pwned')), false)
  const events = await recorded(here)
  const of = (tool: string) => events.filter((event) => event.tool === tool)
  assert.deepEqual(
    of('greet').map((event) => event.event_type),
    ['tool_call_start', 'tool_call_end'],
  )
  assert.deepEqual([of('greet')[0].arguments, of('greet')[1].server, of('greet')[1].is_error], [{ who: '"; touch pwned #' }, 'shop', false])
  assert.deepEqual(of('silent'), [])
  assert.equal(of('nope')[1].is_error, true)
  assert.deepEqual(events.find((event) => event.event_type === 'session_start').metadata.unrecorded_tools, ['silent'])
  assert.equal((await sworn(['verify', 'audit'], here)).code, 0)
})

test('an argument that no parameter declares is refused under every name, and on record as it came', { timeout: 120_000 }, async () => {
  const here = place()
  const names = ['__proto__', 'constructor', 'toString', 'x']
  const calls = names.map((name) => call('greet', JSON.parse(`{"who":"ann","${name}":{"times":2}}`)))
  const { answers } = await talk(here, [], [INITIALIZE, ...calls])
  const refused = { content: [{ type: 'text', text: 'only these arguments were expected: who, times' }], isError: true }
  assert.deepEqual(
    answers.slice(1).map(({ result }) => result),
    names.map(() => refused),
  )
  assert.equal(existsSync(join(here.cwd, 'ran')), false)
  const started = (await recorded(here)).filter((event) => event.event_type === 'tool_call_start')
  assert.deepEqual(started.map((event) => Object.keys(event.arguments).find((name) => name !== 'who')).toSorted(), names.toSorted())
})

test('the policy decides: what it refuses does not run, and is recorded even where audit is false', { timeout: 120_000 }, async () => {
  const here = place()
  const { answers } = await talk(
    here,
    ['--policy', 'policy.yaml'],
    [INITIALIZE, call('greet', { who: 'ann' }), call('slow'), call('silent', { secret_plan: 'x' })],
  )
  assert.deepEqual([answers[1].result.isError, answers[2].error.code, answers[3].error.code], [false, -32001, -32001])
  assert.equal(existsSync(join(here.cwd, 'begun')), false)
  const decisions = (await recorded(here)).filter((event) => event.event_type === 'authorization_decision')
  assert.deepEqual(
    decisions.map(({ tool, decision }) => [tool, decision]),
    [
      ['greet', 'allow'],
      ['slow', 'deny'],
      ['silent', 'deny'],
    ],
  )
})

test('a call that cannot be recorded does not run', { timeout: 120_000 }, async () => {
  const { cwd } = place()
  const stdin = Readable.from(
    [INITIALIZE, call('greet', { who: 'ann' })].map((request, id) =>
      Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`),
    ),
  )
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const recorder = { record: () => Promise.reject(new SwornError('IO_FAILED', 'no space left', 'disk')) }
  const relay = runStdioProxy({ recorder, stdin, stdout, stderr, command: 'tools.yaml' }, async () =>
    openToolServer(readTools(TOOLS, 'f', cwd), process.env),
  )
  assert.deepEqual(await relay, { exitCode: 0, signal: null })
  stdout.end()
  const answers = (await text(stdout))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(answers.find(({ id }) => id === 1).error.data.reason, 'audit_unavailable')
  assert.equal(existsSync(join(cwd, 'ran')), false)
})

const clients: readonly [string, (command: { command: string; args: string[]; cwd: string; env: Record<string, string> }) => Promise<ModernClient | LegacyClient>][] = [
  ['1.x', async (to) => { const client = new LegacyClient(INFO); await client.connect(new LegacyTransport(to)); return client }],
  ['2.x, 2025 era', async (to) => { const client = new ModernClient(INFO, { versionNegotiation: { mode: 'legacy' } }); await client.connect(new ModernTransport(to)); return client }],
  ['2.x, 2026 era', async (to) => { const client = new ModernClient(INFO, { versionNegotiation: { mode: 'auto' } }); await client.connect(new ModernTransport(to)); return client }],
] // biome-ignore format: a table
for (const [sdk, open] of clients) {
  test(`the client SDK ${sdk} lists and calls the tools, in parallel; a cancelled call ends its script`, {
    timeout: 120_000,
    skip: sdk === '1.x' ? later : false,
  }, async () => {
    const here = place()
    const [command, ...own] = SWORN
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: here.home,
      SWORN_HOME: here.home,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
    }
    const client = await open({ command, args: [...own, 'tools', 'serve', 'tools.yaml', '-q'], cwd: here.cwd, env })
    const { tools } = await client.listTools()
    assert.deepEqual(tools[0]!.inputSchema, {
      type: 'object',
      properties: { who: { type: 'string', description: 'a name' }, times: { type: 'integer', default: 1 } },
      required: ['who'],
      additionalProperties: false,
    })
    const greet = (who: string) => client.callTool({ name: 'greet', arguments: { who, times: 2 } })
    const said = await Promise.all(Array.from({ length: 20 }, (_, i) => greet(`${i}`)))
    assert.deepEqual(
      said.map(({ content }) => content),
      Array.from({ length: 20 }, (_, i) => [{ type: 'text', text: `hello ${i} 2\n` }]),
    )
    assert.match(JSON.stringify(await client.callTool({ name: 'greet', arguments: { who: 7 } })), /who: string was expected/)
    const stop = new AbortController()
    const options = { signal: stop.signal }
    const slow =
      client instanceof ModernClient ? client.callTool({ name: 'slow' }, options) : client.callTool({ name: 'slow' }, undefined, options)
    const refused = assert.rejects(slow)
    while (!existsSync(join(here.cwd, 'begun'))) await client.listTools()
    stop.abort()
    await refused
    await client.close()
    const events = await recorded(here)
    assert.equal(events.filter(({ event_type, tool }) => event_type === 'tool_call_end' && tool === 'greet').length, 21)
    assert.equal(events.findLast(({ event_type }) => !event_type.startsWith('log.')).event_type, 'session_end')
  })
}
