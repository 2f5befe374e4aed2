/** Asking through MCP clients of both eras: the real clients take our messages for what they are. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type JSONRPCMessage, Client as ModernClient, InMemoryTransport as ModernPair } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import fc from 'fast-check'
import { parseElicitResult } from '../src/approvals/channels/mcp-messages.ts'
import {
  type Approvals,
  canElicit,
  createElicitationChannel,
  createInputRequiredChannel,
  INPUT_KEY,
  type InputRequiredChannel,
  parseRetry,
  type Question,
  toInputRequired,
} from '../src/approvals/index.ts'
import { ask, CALL, createRoom, requestOf } from './support/approvals.ts'
import { runs } from './support/make.ts'

const INFO = { name: 'peer', version: '1.0.0' }
const FORMS = { elicitation: { form: {} } }
type Decision = { action: 'accept' | 'decline' | 'cancel'; content?: { decision: string } }
const EACH: [Decision, string][] = [
  [{ action: 'accept', content: { decision: 'approve' } }, 'approved'],
  [{ action: 'accept', content: { decision: 'approve for this session' } }, 'approved'],
  [{ action: 'accept', content: { decision: 'refuse' } }, 'denied'],
  [{ action: 'decline' }, 'denied'],
  [{ action: 'cancel' }, 'unavailable'],
]

/** A client of the 2025-11-25 era, its server, and our channel between the two, as a proxy would hold it. */
async function connectLegacy(person: (message: string) => Promise<Decision> | Decision) {
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = new Server(INFO, { capabilities: { tools: {} } })
  server.setRequestHandler(CallToolRequestSchema, async () => ({ content: [] }))
  await server.connect(near)
  const elicitation = createElicitationChannel({ approver: 'peer', send: (message) => void near.send(message as JSONRPCMessage) })
  const toServer = near.onmessage!
  near.onmessage = (message, extra) => {
    if ('method' in message || !elicitation.receive(message)) toServer(message, extra)
  }
  const client = new Client(INFO, { capabilities: FORMS })
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message) as Promise<Decision>)
  await client.connect(far)
  return { client, server, channel: elicitation.channel, close: () => client.close() }
}

describe('MCP 2025-11-25: elicitation/create', () => {
  for (const [decision, expected] of EACH) {
    test(`a real client that answers ${JSON.stringify(decision)}: ${expected}`, async () => {
      const seen: string[] = []
      const peer = await connectLegacy((message) => {
        seen.push(message)
        return decision
      })
      const { approvals } = createRoom([peer.channel])
      const { question, settlement } = await ask(approvals)
      const { answer, members } = await settlement
      assert.equal(answer, expected)
      assert.deepEqual(seen, [question.text])
      assert.equal(members.human_decision?.channel, 'elicitation')
      await peer.close()
    })
  }

  test('the calls of the client and the questions of the server go on beside ours', async () => {
    const peer = await connectLegacy((message) => ({
      action: 'accept',
      content: { decision: message.startsWith('sworn') ? 'approve' : 'theirs' },
    }))
    const { approvals } = createRoom([peer.channel])
    const requestedSchema = { type: 'object' as const, properties: { decision: { type: 'string' as const } } }
    const [{ settlement }, called, theirs] = await Promise.all([
      ask(approvals),
      peer.client.callTool({ name: 'x' }),
      peer.server.elicitInput({ message: 'and you?', requestedSchema }),
    ])
    assert.equal((await settlement).answer, 'approved')
    assert.deepEqual(called.content, [])
    assert.equal(theirs.content?.decision, 'theirs')
    await peer.close()
  })

  test('a question that is settled elsewhere is cancelled at the client', async () => {
    const cancelled = Promise.withResolvers<void>()
    const shown = Promise.withResolvers<void>()
    const peer = await connectLegacy(() => new Promise(() => {}))
    peer.client.setRequestHandler(ElicitRequestSchema, (_request, { signal }) => {
      signal.addEventListener('abort', () => cancelled.resolve())
      shown.resolve()
      return new Promise(() => {})
    })
    const { approvals, time } = createRoom([peer.channel])
    const { settlement } = await ask(approvals)
    await shown.promise
    time.pass(60_000)
    assert.equal((await settlement).answer, 'timeout')
    await cancelled.promise
    await peer.close()
  })

  test('only a client that says it shows forms is asked', () => {
    for (const yes of [{ elicitation: {} }, FORMS, { elicitation: { form: {}, url: {} } }]) assert.equal(canElicit(yes), true)
    for (const no of [{}, { elicitation: { url: {} } }, { elicitation: true }, null, undefined, 'elicitation'])
      assert.equal(canElicit(no), false)
  })
})

/** A proxy's side of the 2026-07-28 era, as far as one tool call needs it. */
async function connectModern(
  person: (message: string) => Decision,
  judge: (side: Side, params: Record<string, unknown>, reply: (result: object) => void) => void,
) {
  const [near, far] = ModernPair.createLinkedPair()
  const asking = new Map<string, (result: object) => void>()
  const input = createInputRequiredChannel({ approver: 'peer', send: (id, result) => asking.get(id)!(result) })
  const { approvals } = createRoom([input.channel])
  near.onmessage = (message) => {
    if (!('method' in message) || !('id' in message)) return
    const reply = (result: object) =>
      void near.send({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...result } } as JSONRPCMessage)
    if (message.method === 'server/discover')
      reply({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo: INFO, ttlMs: 0, cacheScope: 'private' })
    else if (message.method === 'tools/call') judge({ approvals, input, asking }, message.params as Record<string, unknown>, reply)
  }
  await near.start()
  const client = new ModernClient(INFO, { capabilities: FORMS, versionNegotiation: { mode: 'auto' } })
  client.setRequestHandler('elicitation/create', ({ params }) => person(String(params.message)) as never)
  await client.connect(far)
  return client
}

interface Side {
  readonly approvals: Approvals
  readonly input: InputRequiredChannel
  readonly asking: Map<string, (result: object) => void>
}

const textResult = (text: string) => ({ content: [{ type: 'text', text }] })

describe('MCP 2026-07-28: input_required', () => {
  for (const [decision, expected] of EACH) {
    test(`a real client that answers ${JSON.stringify(decision)} retries the call with it: ${expected}`, async () => {
      const waiting = new Map<string, Promise<{ answer: string }>>()
      const seen: string[] = []
      const client = await connectModern(
        (message) => {
          seen.push(message)
          return decision
        },
        async ({ approvals, input, asking }, params, reply) => {
          const request = requestOf(params.arguments)
          const retry = parseRetry(params)
          if (retry) {
            input.receive(params, approvals.keyOf(request))
            return reply(textResult((await waiting.get(retry.id)!).answer))
          }
          const begun = await approvals.begin(request)
          if (!('ask' in begun)) return assert.fail(begun.reason)
          asking.set(begun.question.id, reply)
          waiting.set(begun.question.id, begun.ask())
        },
      )
      const { content } = await client.callTool({ name: 'write_file', arguments: CALL })
      assert.deepEqual(content, textResult(expected).content)
      assert.match(seen.join(), /^sworn asks/)
      await client.close()
    })
  }

  const retryOf = ({ id }: Question, over = {}) => ({
    name: 'write_file',
    requestState: id,
    inputResponses: { [INPUT_KEY]: { action: 'accept', content: { decision: 'approve' } } },
    ...over,
  })

  async function asked() {
    const input = createInputRequiredChannel({ send: () => {} })
    const room = createRoom([input.channel])
    return { ...room, ...(await ask(room.approvals)), receive: input.receive }
  }

  test('a retry with other arguments is another call: its answer approves neither', async () => {
    const { approvals, question, receive, settlement, time, notes } = await asked()
    const other = approvals.keyOf(requestOf({ ...CALL, path: '/etc/passwd' }))
    assert.equal(receive(retryOf(question), other), 'mismatch')
    assert.equal(notes[0]?.event_type, 'auth_failure')
    time.pass(60_000)
    assert.equal((await settlement).answer, 'timeout')
  })

  test('an answer is good once: its replay is late', async () => {
    const { approvals, question, receive, settlement } = await asked()
    const key = approvals.keyOf(requestOf())
    assert.equal(receive(retryOf(question), key), 'accepted')
    assert.equal(receive(retryOf(question), key), 'late')
    assert.equal((await settlement).answer, 'approved')
  })

  test('the state of somebody else, of a proxy that was restarted, or none at all is no answer of ours', async () => {
    const { approvals, question, receive } = await asked()
    const key = approvals.keyOf(requestOf())
    for (const requestState of ['', 'deploy:prod', 'f'.repeat(32), 7, null, undefined, `${question.id}\n`])
      assert.equal(receive(retryOf(question, { requestState }), key), undefined)
    assert.equal(receive(retryOf(question, { inputResponses: {} }), key), undefined)
    assert.equal(receive(undefined, key), undefined)
  })

  test('the result carries the exact text, and a state that says nothing about the call', async () => {
    const { question } = await asked()
    const result = toInputRequired(question)
    assert.equal(result.inputRequests[INPUT_KEY].params.message, question.text)
    assert.equal(result.requestState, question.id)
  })
})

test('for any result of a client: approval only by the exact words of an offered scope', async () => {
  const { approvals } = createRoom([createElicitationChannel({ send: () => {} }).channel])
  const { question } = await ask(approvals)
  const word = fc.oneof(fc.constantFrom('approve', 'APPROVE', 'yes', 'approve ', 'approve for this session', 'refuse'), fc.string())
  const result = fc.oneof(
    fc.anything(),
    fc.record({
      action: fc.constantFrom('accept', 'Accept', 'decline', 'cancel'),
      content: fc.oneof(fc.record({ decision: word }), fc.anything()),
    }),
  )
  fc.assert(
    fc.property(result, (given) => {
      const said = parseElicitResult(question, given)
      if (typeof said === 'string' || !said.approved) return
      const { action, content } = given as { action: string; content: { decision: string } }
      assert.equal(action, 'accept')
      assert.ok(['approve', 'approve for this session', 'approve exactly this call'].includes(content.decision))
    }),
    runs,
  )
})
