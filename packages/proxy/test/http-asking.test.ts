/** `ask` over Streamable HTTP: people are asked by any channel, and clients of the 2026 era by the answer to their call. @module */
import assert from 'node:assert/strict'
import * as http from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { openHttpProxy, openStdioServer } from '../src/http/index.ts'
import { openEverything, openModern } from './support/http-servers.ts'
import { JSON_HEADERS, openHttpWire } from './support/http-wire.ts'
import { createMemoryRecorder } from './support/memory-recorder.ts'
import { type FormAnswer, openClient1, openClient2, type Peer, testServer } from './support/peers.ts'
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

describe('an ask put to the real client of the 2025 era, over HTTP', () => {
  const accept = (decision: string): FormAnswer => ({ action: 'accept', content: { decision } })
  const fillWith = (answer: FormAnswer, asked: string[]) => (form: { readonly message: string }) => {
    asked.push(form.message)
    return answer
  }
  const clients = [
    ['1.x', (to: URL, answer: FormAnswer, asked: string[]) => openClient1(to, fillWith(answer, asked))],
    ['2.x', (to: URL, answer: FormAnswer, asked: string[]) => openClient2(to, 'legacy', fillWith(answer, asked))],
  ] as const
  const own = () => ({ stderr: new PassThrough().resume(), listen: { host: '127.0.0.1', port: 0 }, gate: askingGate(['echo']) })
  const callEcho = (peer: Peer) =>
    peer.callTool({ name: 'echo', arguments: { words: 'hi', message: 'hi' } }).then(
      (result) => JSON.stringify(result),
      (e: unknown) => String(e),
    )

  for (const [sdk, open] of clients)
    for (const [upstream, openUpstream] of [
      ['with sessions', openEverything],
      ['without sessions', openModern],
    ] as const)
      it(`${sdk}, upstream ${upstream}: yes lets the call out, no and no answer do not`, { timeout: 120_000 }, async () => {
        const server = await openUpstream()
        for (const [answer, outcome, code] of [
          [accept('approve'), /hi/, 'human_approved'],
          [accept('refuse'), /User denied/, 'human_denied'],
          [{ action: 'decline' }, /User denied/, 'human_denied'],
          [{ action: 'cancel' }, /User denied/, 'approval_unavailable'],
        ] as const) {
          const [recorder, asked] = [createMemoryRecorder(), [] as string[]]
          const proxy = await openHttpProxy({
            ...own(),
            recorder,
            upstream: server.url,
            approvals: createPeople({ withHand: false }).approvals,
          })
          const peer = await open(new URL(proxy.url), answer, asked)
          assert.match(await callEcho(peer), outcome)
          assert.deepEqual([asked.length, /echo/.test(asked[0]!)], [1, true])
          assert.equal((await peer.listTools()) !== undefined, true) // the session goes on
          await peer.close()
          await proxy.close()
          const decision = recorder.ofType('authorization_decision').find((e) => e.tool === 'echo')
          assert.equal(decision?.reason_code, code)
          assert.equal(recorder.ofType('tool_call_end').length, code === 'human_approved' ? 1 : 0)
          assert.deepEqual(recorder.ofType('security_alert'), [])
        }
        await server.close()
      })

  for (const [sdk, open] of clients)
    it(`${sdk}, a server over stdio: the same`, { timeout: 120_000 }, async () => {
      const [recorder, asked] = [createMemoryRecorder(), [] as string[]]
      const proxy = await openStdioServer({ ...own(), ...testServer(), recorder, approvals: createPeople({ withHand: false }).approvals })
      const peer = await open(new URL(proxy.url), accept('approve'), asked)
      assert.match(await callEcho(peer), /hi/)
      await peer.close()
      await proxy.close()
      assert.equal(asked.length, 1)
      assert.partialDeepStrictEqual(recorder.ofType('authorization_decision')[0], { human_decision: { channel: 'elicitation' } })
    })

  it('a client that shows forms and takes no streams is not asked: the call is denied', async () => {
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: createPeople({ withHand: false }).approvals })
    const capabilities = { elicitation: {} }
    await wire.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { capabilities } })
    const session = { 'mcp-session-id': 'the-session' }
    const answer = await wire.post(call(1, 'echo'), { ...session, accept: 'application/json' })
    assert.deepEqual([JSON.parse(answer.body).error.code, wire.seen.length], [-32004, 1])
    await wire.close()
  })

  it('a client that goes away while it is asked: denied on record, nothing goes upstream, whatever it answers later', async () => {
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: createPeople({ withHand: false }).approvals })
    await wire.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { capabilities: { elicitation: {} } } })
    const session = { 'mcp-session-id': 'the-session' }
    const question = await new Promise<{ id: string }>((resolve) => {
      const request = http.request(wire.proxy.url, { method: 'POST', headers: { ...JSON_HEADERS, ...session }, agent: false }, (answer) =>
        answer.once('data', (event: Buffer) => {
          resolve(JSON.parse(String(event).replace('data: ', '')))
          request.destroy()
        }),
      )
      request.on('error', () => {})
      request.end(JSON.stringify(call(1, 'echo')))
    })
    while (wire.recorder.ofType('authorization_decision').length === 0) await new Promise(setImmediate)
    const late = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: { decision: 'approve' } } }
    assert.equal((await wire.post(late, session)).status, 202)
    await wire.close()
    assert.partialDeepStrictEqual(wire.recorder.ofType('authorization_decision')[0], {
      decision: 'deny',
      reason_code: 'approval_unavailable',
    })
    assert.deepEqual([wire.seen.length, wire.recorder.ofType('tool_call_start').length], [1, 0])
  })

  it('an upstream that refuses an approved call is heard on the stream that the question began', async () => {
    const people = createPeople({ withHand: false })
    const wire = await openHttpWire({ gate: askingGate(['echo']), approvals: people.approvals })
    await wire.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { capabilities: { elicitation: {} } } })
    wire.behave((_seen, response) => response.writeHead(401, { 'content-type': 'text/plain' }).end('no'))
    const session = { 'mcp-session-id': 'the-session' }
    const events = await new Promise<string>((resolve) => {
      let text = ''
      const request = http.request(wire.proxy.url, { method: 'POST', headers: { ...JSON_HEADERS, ...session }, agent: false }, (answer) => {
        answer.setEncoding('utf8')
        answer.once('data', (event: string) => {
          const { id } = JSON.parse(event.replace('data: ', ''))
          void wire.post({ jsonrpc: '2.0', id, result: { action: 'accept', content: { decision: 'approve' } } }, session)
        })
        answer.on('data', (event: string) => (text += event))
        answer.on('end', () => resolve(text))
      })
      request.end(JSON.stringify(call(1, 'echo')))
    })
    await wire.close()
    assert.match(events, /"id":1,"error".*"reason":"http_status"/)
    assert.equal(wire.recorder.ofType('tool_call_error')[0]?.error_code, 401)
  })
})
