/** The fake model speaks so that the real SDKs understand it, whole and in pieces. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { type FakeModelOptions, type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'

const TEXT = 'Zürich: 21 °C ☀'
const turn = { text: TEXT, tools: [{ id: 'call_1', name: 'weather', args: { city: 'Zürich', days: [1, 2] } }] }
const ways: [string, FakeModelOptions][] = [
  ['in one piece', {}],
  ['in torn pieces', { deltaChars: 2, splitBytes: 7 }],
]

async function withModel<T>(script: Script, options: FakeModelOptions, act: (url: string) => Promise<T>): Promise<T> {
  const model = await startFakeModel(script, options)
  try {
    return await act(model.url)
  } finally {
    await model.close()
  }
}
const openai = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
const anthropic = (url: string) => new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'weather?' }]

for (const [way, options] of ways) {
  test(`chat completions, ${way}: text, tool calls and usage arrive`, () =>
    withModel([turn], options, async (url) => {
      const client = openai(url)
      const whole = await client.chat.completions.create({ model: 'm', messages })
      const streamed = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion()
      for (const { choices } of [whole, streamed]) {
        const [call] = choices[0]?.message.tool_calls ?? []
        assert.equal(choices[0]?.message.content, TEXT)
        assert.deepEqual(call?.type === 'function' && [call.id, JSON.parse(call.function.arguments)], ['call_1', turn.tools[0]?.args])
      }
      assert.deepEqual([whole.usage?.total_tokens, streamed.usage?.total_tokens], [12, 12])
    }))

  test(`responses, ${way}: text, tool calls and usage arrive`, () =>
    withModel([turn], options, async (url) => {
      const client = openai(url)
      const whole = await client.responses.create({ model: 'm', input: 'weather?' })
      const streamed = await client.responses.stream({ model: 'm', input: 'weather?' }).finalResponse()
      for (const response of [whole, streamed]) {
        assert.deepEqual([response.output_text, response.usage?.total_tokens], [TEXT, 12])
        const call = response.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))[0]
        assert.deepEqual([call?.call_id, JSON.parse(call?.arguments ?? '')], ['call_1', turn.tools[0]?.args])
      }
    }))

  test(`messages, ${way}: text, tool calls and usage arrive`, () =>
    withModel([turn], options, async (url) => {
      const client = anthropic(url)
      const body = { model: 'm', max_tokens: 100, messages }
      const whole = await client.messages.create(body)
      const streamed = await client.messages.stream(body).finalMessage()
      for (const { content, usage, stop_reason } of [whole, streamed]) {
        const [said, call] = content
        assert.equal(said?.type === 'text' && said.text, TEXT)
        assert.deepEqual(call?.type === 'tool_use' && [call.id, call.input], ['call_1', turn.tools[0]?.args])
        assert.deepEqual([usage.input_tokens, usage.output_tokens, stop_reason], [7, 5, 'tool_use'])
      }
    }))
}

test('turns follow each other, the last one stays; a function sees the request', () =>
  withModel([{ text: 'one' }, { text: 'two' }], {}, async (url) => {
    const say = async () => (await anthropic(url).messages.create({ model: 'm', max_tokens: 9, messages })).content
    const said = [await say(), await say(), await say()].map(([block]) => block?.type === 'text' && block.text)
    assert.deepEqual(said, ['one', 'two', 'two'])
    const echo: Script = ({ body }, n) => ({ text: `${n} ${body.model}` })
    await withModel(echo, {}, async (other) => {
      const { choices } = await openai(other).chat.completions.create({ model: 'echo', messages })
      assert.equal(choices[0]?.message.content, '0 echo')
    })
  }))

test('faults arrive as the errors that the SDKs have for them', () =>
  withModel(
    ({ body }) => (body.model === 'cut' ? { text: TEXT.repeat(50), cut: true } : { status: 529 }),
    { deltaChars: 5 },
    async (url) => {
      await assert.rejects(
        openai(url).chat.completions.create({ model: 'm', messages }),
        (e) => e instanceof OpenAI.APIError && e.status === 529,
      )
      await assert.rejects(
        anthropic(url).messages.create({ model: 'm', max_tokens: 9, messages }),
        (e) => e instanceof Anthropic.APIError && e.status === 529,
      )
      await assert.rejects(openai(url).chat.completions.create({ model: 'cut', messages }))
      const stream = await openai(url).chat.completions.create({ model: 'cut', messages, stream: true })
      let seen = 0
      await assert.rejects(async () => {
        for await (const _ of stream) seen++
      })
      assert.ok(seen > 0)
    },
  ))
