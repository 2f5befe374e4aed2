/** `ask`: people decide while everything else goes on, and one yes lets one call out. @module */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maskingGate } from './support/gates.ts'
import { createMemoryRecorder, type Recorded } from './support/memory-recorder.ts'
import { askingGate, createPeople } from './support/people.ts'
import { type Answer, call, openWire } from './support/wire.ts'

const initialize = (capabilities: object) => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'c', version: '9' } },
})
const FORMS = { elicitation: { form: {} } }
const decisionOf = ({ decision, reason_code, human_decision, metadata }: Recorded | undefined = { event_type: '' }) => ({
  decision,
  reason_code,
  human_decision,
  metadata,
})
const idOf = (question: Answer) => String(question.id)
const calls = (lines: readonly string[]) => lines.filter((line) => line.includes('tools/call'))

describe('a call that the policy asks about', () => {
  it('is on record, then shown, then forwarded; what came behind it did not wait', async () => {
    const people = createPeople()
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'x', token: 'sk-live-4eC39HqLyjWDarjtT1zdp7dc' }), call(2, 'ask'))
    const asked = await people.next()
    assert.equal(wire.recorder.ofType('approval_requested').length, 1)
    assert.equal((await wire.next((m) => m.id === 2)).error, undefined)
    assert.ok(calls(wire.seen()).every((line) => !line.includes('echo')))
    assert.doesNotMatch(asked.question.text, /4eC39/)
    asked.answer(true)
    assert.equal((await wire.next((m) => m.id === 1)).error, undefined)
    await wire.close()
    const decided = wire.recorder.ofType('authorization_decision').find(({ tool }) => tool === 'echo')
    assert.partialDeepStrictEqual(decisionOf(decided), {
      decision: 'allow',
      reason_code: 'human_approved',
      human_decision: { channel: 'hand', approved: true, approver: 'ada', shown_hash: asked.question.shownHash },
      metadata: { approval: { id: asked.question.id, scope: 'once' } },
    })
    assert.equal(wire.recorder.ofType('approval_requested')[0]?.correlation_id, decided?.correlation_id)
    assert.partialDeepStrictEqual(wire.recorder.ofType('session_end')[0]?.metadata, { stats: { approvals: 1, allowed: 2, denied: 0 } })
  })

  it('is refused with its own code when a person says no, and never reaches the server', async () => {
    const people = createPeople()
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'x' }))
    ;(await people.next()).answer(false)
    assert.deepEqual((await wire.next()).error, { code: -32004, message: 'User denied', data: { reason: 'A person refused' } })
    await wire.close()
    assert.deepEqual(calls(wire.seen()), [])
    assert.equal(wire.recorder.ofType('authorization_decision')[0]?.reason_code, 'human_denied')
  })

  it('is shown to nobody when the question cannot be recorded', async () => {
    const people = createPeople()
    const recorder = createMemoryRecorder()
    recorder.behave = 'refuse'
    const wire = openWire({ recorder, gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'x' }))
    assert.equal((await wire.next()).error?.code, -32004)
    await wire.close()
    assert.deepEqual(calls(wire.seen()), [])
    assert.equal(recorder.ofType('authorization_decision')[0]?.human_decision, undefined)
  })

  it('is denied where asking cannot be opened, and where nobody is to be asked', async () => {
    for (const approvals of [() => Promise.reject(new Error('no module')), undefined]) {
      const wire = openWire({ gate: askingGate(['echo']), ...(approvals && { approvals }) })
      wire.send(call(1, 'echo', { words: 'x' }))
      assert.equal((await wire.next()).error?.code, -32004)
      await wire.close()
      assert.equal(wire.recorder.ofType('authorization_decision')[0]?.reason_code, 'approval_unavailable')
    }
  })

  it('that the client takes back is taken back from people, unanswered and unsent', async () => {
    const people = createPeople()
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'x' }))
    const asked = await people.next()
    wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, call(2, 'ask'))
    assert.equal((await wire.next((m) => m.id !== 's1')).id, 2)
    asked.answer(true)
    await wire.close()
    assert.deepEqual([calls(wire.seen()).length, wire.seen().some((line) => line.includes('cancelled'))], [1, false])
    const decided = wire.recorder.ofType('authorization_decision').find(({ tool }) => tool === 'echo')
    assert.partialDeepStrictEqual(decisionOf(decided), { decision: 'deny', metadata: { approval: { cancelled: true } } })
    assert.deepEqual(
      people.notes.map(({ event_type }) => event_type),
      ['approval_answered'],
    )
  })

  it('does not keep the proxy when the client goes away', async () => {
    const people = createPeople()
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'x' }))
    await people.next()
    assert.deepEqual(await wire.close(), { exitCode: 0, signal: null })
    assert.partialDeepStrictEqual(decisionOf(wire.recorder.ofType('authorization_decision')[0]), {
      decision: 'deny',
      reason_code: 'approval_unavailable',
    })
  })

  it('is shown as it would go out: what is masked is masked before people see it', async () => {
    const people = createPeople()
    const gate = askingGate(['echo'], { inspect: maskingGate('topaz', 'mask', 'request').inspect })
    const wire = openWire({ gate, approvals: people.approvals })
    wire.send(call(1, 'echo', { words: 'topaz' }))
    const asked = await people.next()
    assert.doesNotMatch(asked.question.text, /topaz/)
    asked.answer(true)
    await wire.next((m) => m.id === 1)
    await wire.close()
    assert.ok(calls(wire.seen()).every((line) => !line.includes('topaz')))
  })
})

describe('a client of the 2025 era that shows forms', () => {
  it('is asked by elicitation/create; its answer is ours and does not reach the server', async () => {
    const people = createPeople({ withHand: false })
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(initialize(FORMS), call(1, 'echo', { words: 'x' }))
    const question = await wire.next((m) => m.method === 'elicitation/create')
    wire.send({ jsonrpc: '2.0', id: idOf(question), result: { action: 'accept', content: { decision: 'approve' } } })
    assert.equal((await wire.next((m) => m.id === 1)).error, undefined)
    await wire.close()
    assert.ok(wire.seen().every((line) => !line.includes(idOf(question))))
    assert.partialDeepStrictEqual(decisionOf(wire.recorder.ofType('authorization_decision')[0]), {
      reason_code: 'human_approved',
      human_decision: { channel: 'elicitation' },
    })
    assert.deepEqual(wire.recorder.ofType('security_alert'), [])
  })

  it('is not asked when it does not say so', async () => {
    const people = createPeople({ withHand: false })
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(initialize({}), call(1, 'echo', { words: 'x' }))
    assert.equal((await wire.next((m) => m.id === 1)).error?.code, -32004)
    await wire.close()
  })
})

describe('a client of the 2026 era that shows forms', () => {
  const META = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': FORMS,
  }
  const modern = (id: number, words: string, rest: object = {}) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'echo', arguments: { words }, _meta: META, ...rest },
  })
  const retryOf = ({ result }: Answer, decision = 'approve') => ({
    requestState: result?.requestState,
    inputResponses: { sworn_approval: { action: 'accept', content: { decision } } },
  })

  it('gets the question as the answer; the retry goes out once, as the call was first sent, and is its child', async () => {
    const people = createPeople({ withHand: false })
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(modern(1, 'x', { requestState: 'of the server', inputResponses: { name: 'n' } }))
    const question = await wire.next()
    assert.deepEqual([question.id, question.result?.resultType, calls(wire.seen())], [1, 'input_required', []])
    wire.send(modern(1, 'x', retryOf(question)))
    const done = await wire.next()
    assert.partialDeepStrictEqual(done, { id: 1, result: { content: [{ text: 'x' }] } })
    wire.send(modern(3, 'x', retryOf(question)))
    assert.equal((await wire.next()).result?.resultType, 'input_required', 'a second retry is another call')
    await wire.close()
    assert.deepEqual(
      calls(wire.seen()).map((line) => JSON.parse(line).params),
      [{ name: 'echo', arguments: { words: 'x' }, _meta: META, requestState: 'of the server', inputResponses: { name: 'n' } }],
    )
    const [first, second] = wire.recorder.ofType('authorization_decision')
    assert.deepEqual([first?.reason_code, second?.reason_code], ['human_approved', 'human_approved'])
    assert.equal(second?.parent_id, first?.correlation_id)
    assert.equal(wire.recorder.ofType('tool_call_start').length, 1)
  })

  it('approves only the call that was asked about, and a refusal is one', async () => {
    const people = createPeople({ withHand: false })
    const wire = openWire({ gate: askingGate(['echo']), approvals: people.approvals })
    wire.send(modern(1, 'x'))
    const question = await wire.next()
    wire.send(modern(2, 'y', retryOf(question)))
    assert.equal((await wire.next()).result?.resultType, 'input_required')
    wire.send(modern(3, 'x', retryOf(question, 'refuse')))
    assert.deepEqual((await wire.next()).result?.isError, true)
    await wire.close()
    assert.deepEqual(calls(wire.seen()), [])
    assert.deepEqual(
      people.notes.map(({ event_type }) => event_type),
      ['auth_failure'],
    )
  })
})
