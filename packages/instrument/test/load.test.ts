/** SDKs that say that they are there: footers by hooks and in bundles, what comes before and after somebody listens. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ADAPTERS, instrument } from '@sworn/instrument'
import { instrumented } from '@sworn/instrument/esbuild'
import { createRecorder } from '@sworn/recorder'
import { build } from 'esbuild'
import { startFakeModel } from '../../../testkit/src/fake-model.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import type { Found } from '../src/adapter.ts'
import { onArrival } from '../src/load/arrivals.ts'
import { placeOf } from '../src/load/copies.ts'
import { ARRIVALS, footerOf } from '../src/load/footer.ts'
import { hasLoadHooks } from '../src/load/hooks.ts'
import { createPatches } from '../src/patches.ts'

const copy = { pkg: 'sdk', version: '1.2.3', path: 'sdk/index.js', format: 'cjs' } as const
const file = { file: /./, names: ['Client', 'call', 'Absent'], rebind: ['call'] }

test('a footer hands over what a file declares, and a function of it can be bound again for everybody', () => {
  const arrived: Found[] = []
  const stop = onArrival((found) => arrived.push(found))
  const source = 'class Client {}\nfunction call() { return "theirs" }\nexports.user = () => call()\n//# sourceMappingURL=none'
  const exports = {} as { user: () => string }
  new Function('exports', source + footerOf(copy, file))(exports)
  stop()
  const [found] = arrived
  assert.deepEqual({ ...found, module: undefined }, { ...copy, module: undefined })
  const module = found?.module as Record<string, unknown>
  assert.equal(typeof module.Client, 'function')
  assert.equal(module.Absent, undefined)
  const patches = createPatches()
  assert.equal(
    patches.method(module, 'call', () => () => 'ours'),
    true,
  )
  assert.equal(exports.user(), 'ours')
  patches.undo()
  assert.equal(exports.user(), 'theirs')
})

test('what came before anybody listened is told to whoever listens; what is no copy is told to nobody', () => {
  const list = ((globalThis as Record<symbol, unknown>)[Symbol.for(ARRIVALS)] ??= []) as unknown[]
  list.push({ ...copy, path: 'early', module: { Client: 1 } })
  for (const wrong of [undefined, 1, {}, { ...copy, module: null }, { ...copy, module: { Absent: undefined } }, { module: { Client: 1 } }])
    list.push(wrong)
  const hostile = {
    get pkg() {
      throw new RangeError('no')
    },
  }
  list.push(hostile)
  const paths: unknown[] = []
  const stop = onArrival(({ path }) => paths.push(path))
  list.push(hostile, { ...copy, path: 'late', module: { Client: 1 } })
  stop()
  list.push({ ...copy, path: 'too late', module: { Client: 1 } })
  assert.deepEqual(paths.slice(-2), ['early', 'late'])
  assert.ok(!paths.includes('too late'))
})

test('hooks are used where they see every file', () => {
  const versions = [
    '20.20.2',
    '22.22.2',
    '22.22.3',
    '22.23.0',
    '23.11.0',
    '24.12.0',
    '24.13.0',
    '24.21.0',
    '25.0.0',
    '25.1.0',
    '26.0.0',
    '27.1.0',
  ]
  assert.deepEqual(
    versions.filter((version) => hasLoadHooks(version)),
    ['22.22.3', '22.23.0', '24.13.0', '24.21.0', '25.1.0', '26.0.0', '27.1.0'],
  )
})

test('a place names no folder of a machine', () => {
  assert.equal(placeOf('/home/u/app/node_modules/@scope/sdk/dist/index.js'), 'node_modules/@scope/sdk/dist/index.js')
  assert.equal(placeOf('C:\\app\\node_modules\\a\\node_modules\\sdk\\client.mjs'), 'node_modules/sdk/client.mjs')
})

test('what is loaded after the installation is instrumented when it is, by import and by require, and given back', async () => {
  const [port, require] = [memoryPort(), createRequire(import.meta.url)]
  const recorder = createRecorder({ port })
  const adapters = ADAPTERS.filter(({ id }) => ['mcp', 'openai', 'anthropic', 'google-genai', 'ai-sdk', 'fetch'].includes(id))
  const { coverage, undo } = await instrument(recorder, { find: 'as_loaded', adapters })
  const before = coverage.map((one) => one.format)
  assert.ok(!before.includes('esm') && !before.includes('cjs'))
  await Promise.all([import('openai6'), import('@anthropic-ai/sdk'), import('genai2'), import('@modelcontextprotocol/server')])
  const cjs: { OpenAI: typeof import('openai6').OpenAI } = require('openai6')
  require('@modelcontextprotocol/sdk/client/index.js')
  const found = coverage.filter(({ format }) => format === 'esm' || format === 'cjs')
  assert.deepEqual(
    found.map(({ package: name, version, format, tested, can_block }) => [name, version, format, tested, can_block]).sort(),
    [
      ['@anthropic-ai/sdk', '1.11.0', 'esm', true, true],
      ['@google/genai', '2.32.0', 'esm', true, true],
      ['@modelcontextprotocol/sdk', '1.32.2', 'cjs', true, true],
      ['@modelcontextprotocol/server', '2.4.0', 'esm', true, true],
      ['openai', '6.49.0', 'cjs', true, true],
      ['openai', '6.49.0', 'esm', true, true],
    ],
  )
  const patched = cjs.OpenAI.Chat.Completions.prototype.create
  undo()
  assert.notEqual(cjs.OpenAI.Chat.Completions.prototype.create, patched)
  await recorder.flush()
  const reports = port.events().filter(({ event_type }) => event_type === 'instrumentation_report')
  assert.equal(reports.length, coverage.length)
})

const APP = `
import OpenAI from 'openai'
import { generateText, jsonSchema, tool } from 'ai5'
import { createRecorder } from '@sworn/recorder'
import { ADAPTERS, instrument } from '@sworn/instrument'
const events = []
const port = {
  info: { logId: 'AAAA', origin: 'test', path: 'memory' },
  submit: async (batch) => batch.map(({ json }) => (events.push(JSON.parse(json)), { logId: 'AAAA', seq: events.length, entryHash: 'ab'.repeat(32), durable: true })),
  reserve: async () => ({ granted: true, retryAfterMs: 0 }), flush: async () => {}, reopen: async () => {}, flushSync: () => true, close: async () => {},
}
const recorder = createRecorder({ port })
await instrument(recorder)
const client = new OpenAI({ apiKey: 'none', baseURL: process.env.MODEL_URL + '/v1', maxRetries: 0 })
await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
const model = { specificationVersion: 'v2', provider: 'p', modelId: 'm', supportedUrls: {}, doGenerate: async () => ({
  content: [{ type: 'tool-call', toolCallId: 'c', toolName: 'look', input: '{}' }], finishReason: 'tool-calls', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, warnings: [] }) }
await generateText({ model, prompt: 'go', tools: { look: tool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'seen' }) } })
await recorder.flush()
console.log(JSON.stringify(events))
`

test('SDKs inside a bundle are recorded when it was made with the plugin, also minified', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-bundle-'))
  const model = await startFakeModel([{ text: 'hello' }])
  try {
    await build({
      stdin: { contents: APP, resolveDir: resolve('packages/instrument/test'), loader: 'ts' },
      outfile: join(folder, 'app.mjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      conditions: ['sworn-source'],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'error',
      plugins: [instrumented()],
    })
    const { promise, resolve: done } = Promise.withResolvers<{ out: string; err: string }>()
    const child = spawn(process.execPath, [join(folder, 'app.mjs')], { cwd: folder, env: { ...process.env, MODEL_URL: model.url } })
    const said = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
    child.once('close', () => done(said))
    const { out, err } = await promise
    assert.equal(err, '')
    const events: Record<string, unknown>[] = JSON.parse(out)
    const types = events.map(({ event_type }) => event_type)
    assert.deepEqual(
      types.filter((type) => type !== 'instrumentation_report'),
      ['model_request', 'model_response', 'model_request', 'model_response', 'tool_call_start', 'tool_call_end'],
    )
    const reports = events.flatMap(({ metadata }) =>
      (metadata as { format?: string; path?: string } | undefined)?.format === 'bundled'
        ? [metadata as { path: string; package: string; version: string }]
        : [],
    )
    assert.deepEqual(reports.find((one) => one.package === 'openai')?.path, 'node_modules/openai/client.mjs')
    assert.equal(reports.find((one) => one.package === 'ai')?.version, '5.0.277')
  } finally {
    await model.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
