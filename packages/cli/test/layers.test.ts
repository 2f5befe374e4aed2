/** One action that several layers of one process see: two observations or three, counted once, and nothing that was announced is missed. @module */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import * as protocol from '@modelcontextprotocol/sdk/shared/protocol.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createObservations, createUnseen } from '@sworn/analyze/actions'
import type { Entry } from '@sworn/analyze/reading'
import { instrument, wrapTool } from '@sworn/instrument'
import { createRecorder, type Recorder } from '@sworn/recorder'
import * as ai from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import OpenAI from 'openai'
import { type FakeModel, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

const CALLS = ['call_1', 'call_2'].map((id) => ({ id, name: 'read', args: { path: 'a' } })) // equal, and at once
const MODULES = { openai: OpenAI, ai, '@modelcontextprotocol/sdk': protocol, fetch: undefined, http: undefined }
const NOTHING_UNSEEN = { no_outcome: 0, announced_not_recorded: 0, under_way: 0, not_followed: 0, newest: [] }

const USAGE = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 1, text: 1, reasoning: 0 } }

let model: FakeModel
let openai: OpenAI
before(async () => {
  model = await startFakeModel((_, n) => (n % 2 === 0 ? { tools: CALLS } : { text: 'done' }))
  openai = new OpenAI({ apiKey: 'none', baseURL: `${model.url}/v1`, maxRetries: 0 })
})
after(() => model.close())

type Read = (path: string) => Promise<string>

/** What `agent` does with a tool that an MCP server of the same process has. */
async function recorded(agent: (read: Read, recorder: Recorder) => Promise<unknown>): Promise<readonly Entry[]> {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, { modules: MODULES })
  const server = new Server({ name: 'files', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({ content: [{ type: 'text', text: `of ${params.arguments?.path}` }] }))
  const client = new Client({ name: 'agent', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  try {
    await Promise.all([server.connect(far), client.connect(near)])
    await recorder.withContext({ session_id: 's-1' }, () =>
      agent(async (path) => JSON.stringify((await client.callTool({ name: 'read', arguments: { path } })).content), recorder),
    )
  } finally {
    await client.close()
    undo()
  }
  await recorder.flush()
  return port.events().map((event, seq) => ({ ...event, seq }) as Entry)
}

/** Who saw each action, in the order of the ledger; only its first end counts. */
function actionsOf(entries: readonly Entry[]): { readonly seenBy: readonly string[]; readonly ends: number }[] {
  const observations = createObservations()
  const seen = entries.flatMap((entry) => {
    const observed = observations.observe(entry)
    return observed
      ? [{ ...observed, by: String((entry.source as { name: string }).name), isEnd: entry.event_type === 'tool_call_end' }]
      : []
  })
  return [...Map.groupBy(seen, ({ action }) => action).values()].map((all) => ({
    seenBy: [...new Set(all.map(({ by }) => by))],
    ends: all.filter(({ isEnd, repeats }) => isEnd && !repeats).length,
  }))
}

function unseenIn(entries: readonly Entry[]) {
  const builder = createUnseen()
  for (const entry of entries) builder.add(entry)
  return builder.done()
}

const modelsOf = (entries: readonly Entry[]) =>
  entries.filter(({ event_type }) => event_type === 'model_response').map(({ source }) => (source as { name: string }).name)

test('a loop over openai whose tools an MCP server of the process has: each call is one action that two saw', async () => {
  const entries = await recorded(async (read) => {
    const ask = () => openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'go' }] })
    const { choices } = await ask()
    const asked = (choices[0]?.message.tool_calls ?? []).flatMap((call) =>
      'function' in call ? [JSON.parse(call.function.arguments)] : [],
    )
    assert.deepEqual(await Promise.all(asked.map(({ path }) => read(path))), Array(2).fill('[{"type":"text","text":"of a"}]'))
    await ask()
  })
  assert.deepEqual(modelsOf(entries), ['openai', 'openai']) // and nothing of `fetch`
  assert.deepEqual(actionsOf(entries), Array(2).fill({ seenBy: ['mcp', 'mcp-received'], ends: 1 }))
  assert.deepEqual(unseenIn(entries), NOTHING_UNSEEN)
})

test('a tool of ai that calls it: one action that three saw; one model call, whoever else is below it', async () => {
  const provider = new MockLanguageModelV4({
    doGenerate: async () => {
      const { choices } = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'go' }] })
      const calls = (choices[0]?.message.tool_calls ?? []).flatMap((call) =>
        'function' in call
          ? [{ type: 'tool-call' as const, toolCallId: call.id, toolName: call.function.name, input: call.function.arguments }]
          : [],
      )
      const content = calls.length > 0 ? calls : [{ type: 'text' as const, text: 'done' }]
      const finishReason =
        calls.length > 0 ? { unified: 'tool-calls' as const, raw: 'tool_calls' } : { unified: 'stop' as const, raw: 'stop' }
      const usage = {
        inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 1, text: 1, reasoning: 0 },
      }
      return { content, finishReason, usage, warnings: [] }
    },
  })
  const entries = await recorded((read) =>
    ai.generateText({
      model: provider,
      prompt: 'go',
      stopWhen: ai.stepCountIs(2),
      tools: { read: ai.tool({ inputSchema: ai.jsonSchema<{ path: string }>({ type: 'object' }), execute: ({ path }) => read(path) }) },
    }),
  )
  assert.deepEqual(modelsOf(entries), ['ai-sdk', 'ai-sdk'])
  assert.deepEqual(actionsOf(entries), Array(2).fill({ seenBy: ['ai-sdk', 'mcp', 'mcp-received'], ends: 1 }))
  assert.deepEqual(unseenIn(entries), NOTHING_UNSEEN)
})

test('a model that a tool calls by itself is a call of its own, also where the provider of a model runs the tool', async () => {
  const entries = await recorded(async (_, recorder) => {
    const ask = wrapTool(recorder, 'ask', async () => {
      await fetch(`${model.url}/v1/chat/completions`, { method: 'POST', body: '{"model":"m","messages":[]}' }).then((answer) =>
        answer.text(),
      )
      return (await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'go' }] })).id
    })
    const provider = new MockLanguageModelV4({
      doGenerate: async () => ({
        content: [{ type: 'text', text: await ask() }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: USAGE,
        warnings: [],
      }),
    })
    await ai.generateText({ model: provider, prompt: 'go' })
  })
  assert.deepEqual(modelsOf(entries), ['fetch', 'openai', 'ai-sdk'])
})

test('of two calls that a model announced, the one that nobody ran is found', async () => {
  const entries = await recorded(async (read) => {
    const ask = () => openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'go' }] })
    await ask()
    await read('a')
    await ask()
  })
  const { newest, ...counts } = unseenIn(entries)
  assert.deepEqual(
    { ...counts, newest: newest.map(({ tool }) => tool) },
    { ...NOTHING_UNSEEN, announced_not_recorded: 1, newest: ['read'] },
  )
})
