/** `ask` over Streamable HTTP: people are asked by any channel, and clients of the 2026 era by the answer to their call. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openHttpWire } from './support/http-wire.ts'
import { askingGate, createPeople } from './support/people.ts'
import { call } from './support/wire.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
}
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
const modern = (id: number, rest: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: { words: 'x' }, _meta: META, ...rest },
})

describe('an ask over HTTP', () => {
  it('waits for a person, and the call goes upstream after the yes', async () => {
    const people = createPeople()
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: people.approvals })
    const answer = wire.post(call(1, 'echo', { words: 'x' }))
    const asked = await people.next()
    assert.equal(wire.seen.length, 0)
    asked.answer(true)
    assert.equal((await answer).status, 200)
    assert.equal(wire.seen.length, 1)
    await wire.close()
    assert.equal(wire.recorder.ofType('authorization_decision')[0]?.reason_code, 'human_approved')
  })

  it('is the answer to a call of the 2026 era; the retry goes upstream once', async () => {
    const people = createPeople({ withHand: false })
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: people.approvals })
    const first = JSON.parse(String((await wire.post(modern(1), HEADERS)).body))
    assert.deepEqual([first.id, first.result.resultType, wire.seen.length], [1, 'input_required', 0])
    const { requestState } = first.result
    const inputResponses = { sworn_approval: { action: 'accept', content: { decision: 'approve' } } }
    const second = JSON.parse(String((await wire.post(modern(2, { requestState, inputResponses }), HEADERS)).body))
    assert.deepEqual([second.id, second.error, wire.seen.length], [2, undefined, 1])
    assert.doesNotMatch(String(wire.seen[0]?.body), /sworn_approval|requestState/)
    await wire.close()
  })

  it('ends with the proxy, however long people would have had', async () => {
    const people = createPeople()
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: people.approvals })
    const answer = wire.post(call(1, 'echo', { words: 'x' })).catch(() => undefined)
    await people.next()
    await wire.close()
    await answer
    assert.equal(wire.seen.length, 0)
    assert.equal(wire.recorder.ofType('authorization_decision')[0]?.reason_code, 'approval_unavailable')
  })
})
