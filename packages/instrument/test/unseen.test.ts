/** The check on the adapters: a model that is called without any of them seeing it is a gap in the ledger. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer, request } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { instrument } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import * as ai7 from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import OpenAI from 'openai'
import { type FakeModel, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

const taken = globalThis.fetch // before anything is installed
const BODY = '{"model":"m","messages":[]}'
let model: FakeModel
before(async () => {
  model = await startFakeModel([{ text: 'hello' }])
})
after(() => model.close())

type Recorded = Record<string, unknown>

async function watching(modules: Record<string, unknown>, act: () => Promise<unknown>): Promise<Recorded[]> {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, { modules: { http: undefined, ...modules } })
  try {
    await act()
  } finally {
    undo()
  }
  await recorder.flush()
  return port.events().filter(({ event_type }) => event_type !== 'instrumentation_report')
}

const post = (path: string, send: typeof fetch = fetch) =>
  send(`${model.url}${path}`, { method: 'POST', body: BODY }).then((answer) => answer.text())

function postByHttp(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${model.url}${path}`, { method: 'POST' }, (answer) => answer.resume().once('end', resolve))
    sent.once('error', reject).end(BODY)
  })
}

const gaps = (events: readonly Recorded[]) =>
  events.filter(({ event_type }) => event_type === 'observation_gap').map(({ metadata }) => metadata as Recorded)

const ways: [string, string, () => Promise<unknown>][] = [
  ['a fetch that was taken before', '/v1/chat/completions', () => post('/v1/chat/completions', taken)],
  [
    'a Request object',
    '/v1/messages',
    () => fetch(new Request(`${model.url}/v1/messages`, { method: 'POST', body: BODY })).then((r) => r.text()),
  ],
  [
    'a body that is no text',
    '/v1/responses',
    () => fetch(`${model.url}/v1/responses`, { method: 'POST', body: Buffer.from(BODY) }).then((r) => r.text()),
  ],
  ['node:http', '/v1beta/models/m:generateContent', () => postByHttp('/v1beta/models/m:generateContent?key=AIzaSyD-secret')],
  ['the API of Bedrock', '/model/m/converse', () => postByHttp('/model/m/converse')],
]
for (const [name, path, act] of ways)
  test(`${name}: a model call that is not recorded is a gap, said once, without its query`, async () => {
    const events = await watching({ fetch }, async () => {
      await act()
      await act()
    })
    assert.deepEqual(gaps(events), [{ reason: 'model_call_unseen', host: '127.0.0.1', path }])
    assert.equal(events.length, 1)
  })

test('a method of any name does no harm', async () => {
  const ask = (method: string) => fetch(`${model.url}/v1/messages`, { method }).then((answer) => answer.text())
  assert.deepEqual(gaps(await watching({}, () => Promise.all(['constructor', '__proto__', 'toString'].map(ask)))), [])
})

test('a model by WebSocket or gRPC is a gap, said once; other ones are none', async () => {
  const server = createServer()
  server.on('upgrade', (_, socket) => socket.destroy())
  const rpc = createHttp2Server()
  rpc.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const portOf = (one: typeof server | typeof rpc) =>
    new Promise<number>((done) => one.listen(0, '127.0.0.1', () => done((one.address() as AddressInfo).port)))
  const [socketPort, rpcPort] = [await portOf(server), await portOf(rpc)]
  const open = (path: string) =>
    new Promise<void>((done) => {
      const socket = new WebSocket(`ws://127.0.0.1:${socketPort}${path}`)
      socket.addEventListener('close', () => done())
    })
  const client = connect(`http://127.0.0.1:${rpcPort}`)
  const ask = (path: string) =>
    new Promise<void>((done) => {
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
      stream.once('close', done).resume().end()
    })
  const generate = '/google.ai.generativelanguage.v1.GenerativeService/StreamGenerateContent'
  const events = await watching({ fetch }, async () => {
    await open('/v1/realtime?model=m')
    await open('/v1/realtime?model=m')
    await open('/chat')
    await ask(generate)
    await ask('/google.pubsub.v1.Publisher/Publish')
  })
  client.close()
  rpc.close()
  server.close()
  assert.deepEqual(gaps(events), [
    { reason: 'model_call_unseen', host: '127.0.0.1', path: '/v1/realtime' },
    { reason: 'model_call_unseen', host: '127.0.0.1', path: generate },
  ])
})

test('a process that is started is a gap, once for each program, without its arguments; Node with sworn/register is none', async () => {
  const run = (program: string, args: readonly string[]) =>
    new Promise<void>((done) => void spawn(program, args, { stdio: 'ignore' }).once('close', () => done()))
  const events = await watching({}, async () => {
    await run('/bin/true', ['--token', 'hunter2'])
    await run('/bin/true', [])
    await run(process.execPath, ['--version', '--import', 'sworn/register'])
  })
  assert.deepEqual(gaps(events), [{ reason: 'process_unseen', program: 'true' }])
})

test('what an adapter or the fetch recorder saw is no gap, and neither is what is no model', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `${model.url}/v1`, maxRetries: 0 })
  const events = await watching({ fetch, openai: OpenAI }, async () => {
    await client.chat.completions.create({ model: 'm', messages: [] })
    for await (const _ of await client.chat.completions.create({ model: 'm', messages: [], stream: true }));
    await post('/v1/messages')
    await post('/survey/responses', taken)
    await fetch(`${model.url}/v1/chat/completions`).then((answer) => answer.text())
  })
  assert.deepEqual(gaps(events), [])
  assert.equal(events.filter(({ event_type }) => event_type === 'model_request').length, 3)
})

test('without an adapter of its SDK and without fetch, a model call is a gap', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `${model.url}/v1`, maxRetries: 0 })
  const events = await watching({}, () => client.chat.completions.create({ model: 'm', messages: [] }))
  assert.equal(gaps(events).length, 1)
})

test('a tool of ai 7 whose call switches telemetry off is announced on the wire and recorded nowhere: a report finds that', async () => {
  const calling = await startFakeModel([{ tools: [{ id: 'call_1', name: 'look', args: {} }] }])
  const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 1, text: 1, reasoning: 0 } }
  const provider = new MockLanguageModelV4({
    doGenerate: async () => {
      await fetch(`${calling.url}/v1/chat/completions`, { method: 'POST', body: BODY }).then((answer) => answer.text())
      const content = [{ type: 'tool-call' as const, toolCallId: 'call_1', toolName: 'look', input: '{}' }]
      return { content, finishReason: { unified: 'tool-calls' as const, raw: 'tool_calls' }, usage, warnings: [] }
    },
  })
  const tools = { look: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object' }), execute: async () => 'seen' }) }
  const events = await watching({ fetch, ai: ai7 }, () =>
    ai7.generateText({ model: provider, prompt: 'go', tools, telemetry: { isEnabled: false } }),
  )
  await calling.close()
  assert.deepEqual(
    events.map(({ event_type }) => event_type),
    ['model_request', 'model_response'],
  )
  assert.match(JSON.stringify(events[1]?.result), /"tool_calls":\[\{"id":"call_1","name":"look"/)
})
