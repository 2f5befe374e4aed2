/** What a user installs works: packed, unpacked into an empty folder, without network, on every supported Node. @module */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hasPeer, installPacked } from './install.ts'

const slow = process.env.SWORN_TESTS === 'ci' || process.env.SWORN_TESTS === 'full'
const LIBRARY = `
import { openRecorder } from 'sworn'
import { instrument, wrapTool } from 'sworn/instrument'
const recorder = await openRecorder({ path: './library-audit', agent: { name: 'billing-agent' } })
await recorder.record({ event_type: 'data_access', target: 'crm.contacts', user: 'alice@example.com' })
const search = recorder.tool('search_database', async ({ query }) => [query])
await recorder.withContext({ user: 'alice@example.com', session_id: 's-1' }, () => search({ query: 'q' }))
await instrument(recorder)
await wrapTool(recorder, 'add', (a, b) => a + b)(1, 2)
await recorder.close()
`
const SERVE = `
import { spawn } from 'node:child_process'
const server = spawn('node_modules/.bin/sworn', ['serve', 'served', '--listen', '127.0.0.1:0'])
let said = ''
server.stderr.setEncoding('utf8').on('data', (text) => {
  const isNews = !said.includes('may govern')
  said += text
  if (isNews && said.includes('may govern')) server.kill('SIGTERM')
})
server.on('close', (code) => { process.exitCode = code ?? 1 })
`
const ECHO = `
process.stdin.setEncoding('utf8').on('data', (text) => {
  for (const line of text.split('\\n').filter(Boolean)) {
    const { id } = JSON.parse(line)
    if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'hello' }] } }))
  }
})
`

/** Asks a model of its own for every form in which a program loads an SDK, and uses each SDK that is light enough for that. */
const AGENT = `
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
const { default: OpenAI } = await import('openai')
const call = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] }
const ask = (Client, url) => new Client({ apiKey: 'none', baseURL: url, maxRetries: 0 }).chat.completions.create({ model: 'm', messages: [] })
if (!isMainThread) await ask(OpenAI, workerData)
else {
  const said = { id: 'c', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } }
  const server = createServer(({ url }, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(url === '/v1/messages' ? said : call)))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const url = 'http://127.0.0.1:' + server.address().port
  await ask(OpenAI, url)
  await ask(createRequire(import.meta.url)('openai').OpenAI, url)
  await new Promise((done) => new Worker(new URL(import.meta.url), { workerData: url }).on('exit', done))
  const { default: Anthropic } = await import('@anthropic-ai/sdk')
  await new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 0 }).messages.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
  const { generateText, jsonSchema, tool } = await import('ai')
  const model = { specificationVersion: 'v4', provider: 'p', modelId: 'm', supportedUrls: {}, doGenerate: async () => ({
    content: [{ type: 'tool-call', toolCallId: 'c', toolName: 'look', input: '{}' }], finishReason: { unified: 'tool-calls' }, usage: { inputTokens: {}, outputTokens: {} }, warnings: [] }) }
  await generateText({ model, prompt: 'go', tools: { look: tool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'seen' }) } })
  const [{ Client }, { Server }, { InMemoryTransport }, { CallToolRequestSchema }] = await Promise.all(
    ['client/index.js', 'server/index.js', 'inMemory.js', 'types.js'].map((file) => import('@modelcontextprotocol/sdk/' + file)))
  const info = { name: 'n', version: '1' }
  const [near, far] = InMemoryTransport.createLinkedPair()
  const tools = new Server(info, { capabilities: { tools: {} } })
  tools.setRequestHandler(CallToolRequestSchema, () => ({ content: [] }))
  const client = new Client(info)
  await Promise.all([tools.connect(far), client.connect(near)])
  await client.callTool({ name: 'greet' })
  await client.close()
  server.close()
  server.closeAllConnections()
}
`

const PROTOBUF = `
import { createOtlpRoute } from '@sworn/proxy/otlp'
const route = createOtlpRoute(() => { throw new Error('nothing was to be recorded') })
const headers = { 'content-type': 'application/x-protobuf' }
const metric = new Uint8Array([10, 8, 18, 6, 18, 4, 42, 2, 10, 0])
const response = await route(new Request('http://localhost/v1/metrics', { method: 'POST', headers, body: metric }), '/v1/metrics', 'ci')
process.exitCode = response.status === 200 && (await response.text()).includes('1 not recorded') ? 0 : 1
`

const nodes = [{ name: 'this Node', bin: resolve(process.execPath, '..') }]
for (const major of [22, 26])
  if (hasPeer(`node${major}`)) nodes.push({ name: `Node ${major}`, bin: resolve(`testkit/peers/node${major}/node_modules/.bin`) })

describe('packed and installed', { skip: slow ? false : 'slow: set SWORN_TESTS=ci' }, () => {
  let folder = ''
  let contents: Record<string, string[]> = {}
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sworn-packed-'))
    const built = spawnSync('npm', ['run', 'build'], { encoding: 'utf8' })
    assert.equal(built.status, 0, built.stdout + built.stderr)
    contents = installPacked(folder)
    writeFileSync(join(folder, 'library.js'), LIBRARY)
    writeFileSync(join(folder, 'echo.js'), ECHO)
    writeFileSync(join(folder, 'serve.js'), SERVE)
    writeFileSync(join(folder, 'protobuf.js'), PROTOBUF)
    writeFileSync(join(folder, 'agent.js'), AGENT)
    for (const sdk of ['openai', '@anthropic-ai/sdk', 'ai', '@modelcontextprotocol/sdk']) {
      mkdirSync(join(folder, 'node_modules', sdk, '..'), { recursive: true })
      symlinkSync(resolve('node_modules', sdk), join(folder, 'node_modules', sdk))
    }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('no source and no test is published', () => {
    for (const [name, files] of Object.entries(contents)) {
      assert.ok(
        files.some((f) => f.startsWith('dist/')),
        `${name} has a build`,
      )
      assert.deepEqual(
        files.filter((f) => f.startsWith('src/') || f.includes('test')),
        [],
        name,
      )
    }
  })

  for (const { name, bin } of nodes) {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NODE_OPTIONS: '' }
    const run = (command: string, args: string[], input = '', more: object = {}): SpawnSyncReturns<string> =>
      spawnSync(command, args, {
        cwd: folder,
        env: { ...env, SWORN_HOME: join(folder, `home-${name}`), ...more },
        encoding: 'utf8',
        input,
        timeout: 120_000,
      })
    const sworn = join('node_modules', '.bin', 'sworn')

    test(`${name}: sworn --help`, () => {
      const { status, stdout, stderr } = run(sworn, ['--help'])
      assert.equal(status, 0, stderr)
      assert.match(stdout, /proxy/)
    })

    test(`${name}: a proxied call is answered, recorded and verified`, () => {
      rmSync(join(folder, 'audit'), { recursive: true, force: true })
      const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{}}}\n'
      const proxied = run(sworn, ['proxy', '--', 'node', 'echo.js'], call)
      assert.equal(proxied.status, 0, proxied.stderr)
      assert.match(proxied.stdout, /hello/)
      const verified = run(sworn, ['verify', 'audit'])
      assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    })

    test(`${name}: sworn serve listens, and ends on SIGTERM with its ledger closed`, () => {
      rmSync(join(folder, 'served'), { recursive: true, force: true })
      const served = run('node', ['serve.js'])
      assert.equal(served.status, 0, served.stderr)
      assert.equal(run(sworn, ['verify', 'served']).status, 0)
    })

    test(`${name}: Protocol Buffers of OpenTelemetry are read, with nothing else installed`, () => {
      assert.ok(!existsSync(join(folder, 'node_modules', 'protobufjs')))
      const read = run('node', ['protobuf.js'])
      assert.equal(read.status, 0, read.stderr)
    })

    test(`${name}: the library records and the ledger verifies`, () => {
      rmSync(join(folder, 'library-audit'), { recursive: true, force: true })
      const used = run('node', ['library.js'])
      assert.equal(used.status, 0, used.stderr)
      assert.equal(run(sworn, ['verify', 'library-audit']).status, 0)
    })

    test(`${name}: an application under sworn/register is recorded: by import, by require and in a worker, models, tools and MCP`, () => {
      rmSync(join(folder, 'agent-audit'), { recursive: true, force: true })
      const agent = run('node', ['--import', 'sworn/register', 'agent.js'], '', { SWORN_LEDGER: 'agent-audit' })
      assert.deepEqual([agent.status, agent.stdout, agent.stderr], [0, '', ''])
      const ends = run(sworn, ['query', 'agent-audit', '--type', 'model_response,tool_call_end', '--format', 'jsonl'])
      const by = ends.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).source.name)
      assert.deepEqual(by.toSorted(), ['ai-sdk', 'ai-sdk', 'anthropic', 'mcp', 'mcp-received', 'openai', 'openai', 'openai'], ends.stderr)
      assert.equal(run(sworn, ['verify', 'agent-audit']).status, 0)
    })
  }
})
