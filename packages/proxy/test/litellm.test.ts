/** What LiteLLM's gateway logs: payloads made after its documentation, in the three forms that it sends. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createRecorder, SwornError } from '@sworn/recorder'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { createLitellmRoute, type GatewayLimits, LITELLM_PATH } from '../src/gateways/index.ts'

type Payload = Record<string, unknown>

const SAMPLES: readonly Payload[] = JSON.parse(readFileSync(new URL('../../../vectors/gateways/litellm.json', import.meta.url), 'utf8'))
const SECRET = 'sk-ant-api03-canary0000000000000000000000000000000000'

function openRoom(limits: Partial<GatewayLimits> = {}) {
  const port = memoryPort()
  const route = createLitellmRoute(createRecorder({ port }).record, limits)
  const post = (body: string, headers: Record<string, string> = {}, method = 'POST') =>
    route(
      new Request(`http://127.0.0.1${LITELLM_PATH}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(method === 'POST' && { body }),
      }),
      'gateway',
    )
  return { port, post }
}

test('an array of logs, as LiteLLM sends it by default: a model that answered, one that failed, a tool of its MCP gateway', async () => {
  const { port, post } = openRoom()
  const response = await post(JSON.stringify(SAMPLES))
  assert.deepEqual([response.status, await response.json()], [200, { recorded: 3 }])
  const [answered, failed, tool] = port.events()
  assert.partialDeepStrictEqual(answered, {
    event_type: 'model_response',
    timestamp: '2026-01-02T03:04:06.500Z',
    model: 'gpt-x',
    provider: 'openai',
    user: 'alice@example.com',
    user_source: 'header',
    agent_id: 'billing-agent',
    session_id: 'c0a80a5e-7c19-4f9d-9c3b-4f2a34a3c111',
    correlation_id: 'b980db26-9512-45cc-b1da-c511a363b83f',
    source: { kind: 'import', name: 'litellm', vantage: 'reported' },
    arguments: { messages: [{ role: 'user', content: 'what is due?' }] },
    usage: { input_tokens: 10, output_tokens: 20 },
    cost_usd: 0.0000285,
    duration_ms: 1250,
    metadata: { ext: { litellm: { model_group: 'fast', request_tags: ['billing'] } } },
    org_unit: 'finance',
  })
  assert.partialDeepStrictEqual(failed, {
    event_type: 'model_error',
    user: 'gateway',
    user_source: 'token',
    error: 'litellm.RateLimitError: too many',
    error_type: 'RateLimitError',
  })
  assert.partialDeepStrictEqual(tool, { event_type: 'tool_call_end', tool: 'search', server: 'crm', arguments: { query: 'overdue' } })
})

test('one log, and one a line, are the same events; a log that comes again is the same event', async () => {
  const [one, lines] = [openRoom(), openRoom()]
  for (const sample of SAMPLES) await one.post(JSON.stringify(sample))
  const text = SAMPLES.map((sample) => `${JSON.stringify(sample)}\n`).join('\n')
  for (let n = 0; n < 2; n++) assert.equal((await lines.post(text, { 'content-type': 'application/x-ndjson' })).status, 200)
  assert.deepEqual(lines.port.events().slice(0, 3), one.port.events())
  const ids = lines.port.batches.flat().map(({ eventId, json }) => [eventId, json])
  assert.deepEqual(ids.slice(3), ids.slice(0, 3))
})

test('a secret in a prompt is not recorded, and what is no log is counted or refused', async () => {
  const { port, post } = openRoom()
  await post(JSON.stringify({ ...SAMPLES[0], messages: `my key is ${SECRET}` }))
  assert.equal(JSON.stringify(port.events()).includes(SECRET), false)
  const some = await post(
    JSON.stringify([{}, { id: 'a' }, { id: 'a', endTime: 1e12 }, { ...SAMPLES[0], model: null, metadata: 7, usage: [] }]),
  )
  assert.deepEqual(await some.json(), { recorded: 1, left: { 'no id': 1, 'no end': 2 } })
  const refused: [number, string, Record<string, string>?, string?][] = [
    [400, 'x'],
    [400, '7'],
    [400, '[7]'],
    [400, '{"id":1,"id":2}'],
    [400, '['.repeat(300)],
    [405, '', {}, 'GET'],
    [413, JSON.stringify([{}, {}, {}, {}, {}])],
    [413, `{"id":"${'x'.repeat(300_000)}"}`],
    [415, '{}', { 'content-type': 'text/plain' }],
    [415, '{}', { 'content-encoding': 'br' }],
  ]
  const narrow = openRoom({ records: 4, bytes: 200_000 })
  for (const [status, body, headers, method] of refused)
    assert.equal((await narrow.post(body, headers, method)).status, status, body.slice(0, 20))
  assert.equal(narrow.port.batches.length, 0)
})

test('a line that is broken, and a text that was cut within an emoji, take no other log along', async () => {
  const { port, post } = openRoom()
  const cut = { ...SAMPLES[0], id: 'cut', messages: 'a\ud83d', end_user: 'carol' }
  const lines = `${JSON.stringify(cut)}\n{"response_cost":NaN}\nnot JSON\n${JSON.stringify(SAMPLES[1])}\n`
  const told = await post(lines, { 'content-type': 'application/x-ndjson' })
  assert.deepEqual(await told.json(), { recorded: 2, left: { 'no JSON': 2 } })
  assert.partialDeepStrictEqual(port.events()[0], {
    arguments: { messages: 'a\ufffd' },
    ip_address: '10.0.0.7',
    metadata: { ext: { litellm: { end_user: 'carol' } } },
  })
})

test('what the ledger does not take is 503, and may be sent again', async () => {
  const { port, post } = openRoom()
  port.fail = new SwornError('APPEND_REFUSED', 'no space left')
  const refused = await post(JSON.stringify(SAMPLES))
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
  port.fail = undefined
  assert.deepEqual(await (await post(JSON.stringify(SAMPLES))).json(), { recorded: 3 })
})
