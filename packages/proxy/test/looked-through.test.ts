/** What a client says besides requests is looked through as they are: its answers to the server, and its notifications. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { denyingGate, maskingGate } from './support/gates.ts'
import { call, openWire, type Wire } from './support/wire.ts'

const PING = { jsonrpc: '2.0', id: 'p', method: 'ping' }
const lastSeen = async (wire: Wire) => {
  wire.send(PING)
  await wire.next((m) => m.id === 'p')
  return wire.seen().filter((line) => !line.includes('"ping"'))
}

/** A wire on which the server waits for the answer to its request `s1`. */
async function asked(action: 'mask' | 'block') {
  const wire = openWire({ gate: maskingGate('s3cret', action, 'request') })
  wire.send(call(1, 'ask'))
  await wire.next((m) => m.id === 1)
  return wire
}

const ANSWERS: readonly (readonly [what: string, answer: object, masked: object])[] = [
  [
    'an answer to sampling',
    { result: { role: 'assistant', content: { type: 'text', text: 'it is s3cret' }, n: 1 } },
    { result: { role: 'assistant', content: { type: 'text', text: 'it is [REDACTED:word]' }, n: 1 } },
  ],
  [
    'an answer to elicitation',
    { result: { action: 'accept', content: { password: 's3cret' } } },
    { result: { action: 'accept', content: { password: '[REDACTED:word]' } } },
  ],
  [
    'a list of roots',
    { result: { roots: [{ uri: 'file:///home/s3cret' }] } },
    { result: { roots: [{ uri: 'file:///home/[REDACTED:word]' }] } },
  ],
  ['an error', { error: { code: -1, message: 's3cret' } }, { error: { code: -1, message: '[REDACTED:word]' } }],
]

describe('the answers of the client to the server', () => {
  for (const [what, answer, masked] of ANSWERS) {
    it(`are masked: ${what}`, async () => {
      const wire = await asked('mask')
      wire.send({ jsonrpc: '2.0', id: 's1', ...answer })
      assert.deepEqual(JSON.parse((await lastSeen(wire)).at(-1) ?? ''), { jsonrpc: '2.0', id: 's1', ...masked })
      await wire.close()
      const [match] = wire.recorder.ofType('dlp_match')
      assert.deepEqual([match?.method, match?.rpc_id, match?.direction, match?.dlp_action], ['roots/list', 's1', 'request', 'mask'])
    })

    it(`are held back, and the server is told: ${what}`, async () => {
      const wire = await asked('block')
      wire.send({ jsonrpc: '2.0', id: 's1', ...answer })
      const told = JSON.parse((await lastSeen(wire)).at(-1) ?? '')
      assert.deepEqual([told.id, told.error?.data?.reason, told.result], ['s1', 'dlp_blocked', undefined])
      await wire.close()
      assert.doesNotMatch(wire.seen().join(), /s3cret/)
      assert.partialDeepStrictEqual(wire.recorder.ofType('session_end')[0]?.metadata, { stats: { dlp_blocked: 1 } })
    })
  }

  it('that hold nothing pass byte for byte', async () => {
    const wire = await asked('block')
    const spelled = '{ "id" : "s1","result":{"roots":[ ],"n":1.50},"jsonrpc":"2.0"}'
    wire.send(spelled)
    assert.equal((await lastSeen(wire)).at(-1), spelled)
    await wire.close()
  })

  it('are not shown where the gate fails', async () => {
    const inspect = () => {
      throw new TypeError('broken')
    }
    const wire = openWire({ gate: denyingGate([], [], { inspect }) })
    wire.send({ jsonrpc: '2.0', id: 's1', result: { roots: [] } })
    assert.match((await lastSeen(wire)).at(-1) ?? '', /dlp_blocked/)
    await wire.close()
  })

  it('that come with the retry of a call are looked through with it', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'mask', 'request') })
    const params = {
      name: 'echo',
      arguments: { words: 'x' },
      requestState: 's3cret of the server',
      inputResponses: { q: { action: 'accept', content: { word: 's3cret' } } },
    }
    wire.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    await wire.next()
    assert.deepEqual(JSON.parse((await lastSeen(wire))[0] ?? '').params, {
      ...params,
      inputResponses: { q: { action: 'accept', content: { word: '[REDACTED:word]' } } },
    })
    await wire.close()
  })
})

describe('notifications of the client', () => {
  const note = (method: string, params: object) => ({ jsonrpc: '2.0', method, params })

  it('are masked', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'mask', 'request') })
    wire.send(note('notifications/progress', { message: 's3cret' }))
    assert.deepEqual(JSON.parse((await lastSeen(wire))[0] ?? '').params, { message: '[REDACTED:word]' })
    await wire.close()
    assert.equal(wire.recorder.ofType('dlp_match')[0]?.method, 'notifications/progress')
  })

  it('are held back, recorded and never answered', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'block', 'request') })
    wire.send(note('notifications/progress', { message: 's3cret' }))
    assert.deepEqual(await lastSeen(wire), [])
    await wire.close()
    assert.deepEqual(
      wire.recorder.ofType('method_blocked').map((e) => [e.method, e.reason_code, e.policy_name]),
      [['notifications/progress', 'dlp_blocked', 'test']],
    )
  })

  it('that cancel leave without their reason: what they stop is stopped', async () => {
    const wire = openWire({ gate: maskingGate('s3cret', 'block', 'request') })
    wire.send(call(1, 'hang'))
    await lastSeen(wire)
    wire.send(note('notifications/cancelled', { requestId: 1, reason: 's3cret' }))
    assert.deepEqual(JSON.parse((await lastSeen(wire)).at(-1) ?? '').params, { requestId: 1 })
    await wire.close()
    assert.equal(wire.recorder.ofType('tool_call_error')[0]?.error_type, 'cancelled')
  })
})
