/** Model calls with `fetch` itself, through the contract, and what is left to other adapters. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADAPTERS, instrument } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import fc from 'fast-check'
import OpenAI from 'openai'
import type { CellName } from '../../../testkit/src/adapter-cells.ts'
import { adapterContract, type StreamingPeer, streamContract } from '../../../testkit/src/adapter-contract.ts'
import { type Script, startFakeModel } from '../../../testkit/src/fake-model.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { createEventReader } from '../src/wire/events.ts'

const adapters = ADAPTERS.filter(({ id }) => id === 'fetch')
const echo: Script = ({ body, model }) => {
  if (model === 'fails') return { status: 429 }
  return {
    text: JSON.stringify(body.messages ?? body.input),
    ...(model === 'breaks' && { cut: true as const }),
    ...(model === 'waits' && { stalls: true as const }),
  }
}

/** Gemini's names the model, and whether it streams, in its path. */
function pathOf(path: string, { model, stream }: { readonly model: string; readonly stream?: boolean }): string {
  return path.replace('MODEL', model).replace(':generate', stream ? ':streamGenerate' : ':generate')
}

function peerOf(path: string): () => Promise<StreamingPeer> {
  return async () => {
    const model = await startFakeModel(echo, { deltaChars: 3, splitBytes: 19 })
    const post = (body: { model: string; stream?: boolean; messages?: unknown }) =>
      fetch(`${model.url}${pathOf(path, body)}`, { method: 'POST', body: JSON.stringify(body) })
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: { fetch }, adapters }),
      act: async (input) => (await post({ model: 'm', messages: [{ role: 'user', content: input }] })).text(),
      fail: async () => (await post({ model: 'fails' })).status,
      async stream(how) {
        const asked = { model: { whole: 'm', left: 'waits', broken: 'breaks' }[how], stream: true, messages: 'a long story '.repeat(9) }
        const response = await post(asked)
        let bytes = 0
        for await (const chunk of response.body ?? []) {
          bytes += chunk.length
          if (how === 'left' && bytes > 200) break
        }
        return how === 'left'
          ? 'left'
          : [bytes, response.url === `${model.url}${pathOf(path, asked)}`, response.status, response.redirected]
      },
      effects: () => model.requests.length,
      method: () => globalThis.fetch,
      close: () => model.close(),
    }
  }
}

const paths: [CellName, string][] = [
  ['fetch, OpenAI chat completions', '/v1/chat/completions'],
  ['fetch, OpenAI Responses', '/v1/responses'],
  ['fetch, Anthropic Messages', '/v1/messages'],
  ['fetch, Gemini', '/v1beta/models/MODEL:generateContent'],
]
for (const [name, path] of paths) {
  adapterContract(name, peerOf(path))
  streamContract(name, peerOf(path))
}

test('a call that an adapter of its SDK records is recorded once; other requests pass unseen, and so does what is no JSON', async () => {
  const model = await startFakeModel([{ text: 'hello' }])
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, { modules: { fetch, openai: OpenAI } })
  const client = new OpenAI({ apiKey: 'none', baseURL: `${model.url}/v1`, maxRetries: 0 })
  await client.chat.completions.create({ model: 'm', messages: [] })
  await fetch(`${model.url}/v1/chat/completions`)
  await fetch(`${model.url}/v1/embeddings`, { method: 'POST', body: '{"model":"m"}' })
  await fetch(`${model.url}/v1/chat/completions`, { method: 'POST', body: 'no json' }).catch(() => undefined)
  await assert.rejects(fetch('no address'), TypeError)
  undo()
  await model.close()
  await recorder.flush()
  const recorded = port.events().filter(({ event_type }) => String(event_type).startsWith('model_'))
  assert.deepEqual(
    recorded.map(({ event_type, source }) => [event_type, (source as { name: string }).name]),
    [
      ['model_request', 'openai'],
      ['model_response', 'openai'],
    ],
  )
})

test('the events of a stream are the same however its bytes are cut, whichever line ends it has', () => {
  const json = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean()))
  fc.assert(
    fc.property(fc.array(json), fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(40), { minLength: 1 }), (events, end, cuts) => {
      const text = events.map((event) => `event: e${end}data: ${JSON.stringify(event)}${end}${end}`).join('')
      const bytes = new TextEncoder().encode(`: comment${end}${text}data: no json${end}${end}`)
      const seen: unknown[] = []
      const reader = createEventReader((event) => seen.push(event))
      for (let at = 0, n = 0; at < bytes.length; n++) reader.add(bytes.subarray(at, (at += 1 + cuts[n % cuts.length]!)))
      assert.equal(JSON.stringify(seen), JSON.stringify(events))
    }),
  )
})
