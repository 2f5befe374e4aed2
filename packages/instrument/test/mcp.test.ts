/** MCP from inside: both SDK generations, both ends, through the contract, and what is MCP's alone. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client2 from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { InMemoryTransport as Memory1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server as Server1 } from '@modelcontextprotocol/sdk/server/index.js'
import * as protocol1 from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import * as server2 from '@modelcontextprotocol/server'
import { ADAPTERS, auditTransport, type Deciding, instrument, type McpTransport } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import { type AdapterPeer, adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

const INFO = { name: 'peer', version: '1.2.3' }
const mcp = ADAPTERS.filter(({ id }) => id === 'mcp')

/** What is used of either generation. */
interface Generation {
  readonly pkg: Readonly<Record<'client' | 'server', string>>
  readonly modules: Readonly<Record<'client' | 'server', unknown>>
  readonly prototypes: Readonly<Record<'client' | 'server', { connect: unknown }>>
  pair(): [McpTransport, McpTransport]
  /** A server that answers each call of a tool with `answer`. */
  server(answer: (name: string, args: unknown) => object): { connect(transport: never): Promise<void>; close(): Promise<void> }
  client(): Connected
}

interface Connected {
  connect(transport: never): Promise<void>
  close(): Promise<void>
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
}

const first: Generation = {
  pkg: { client: '@modelcontextprotocol/sdk', server: '@modelcontextprotocol/sdk' },
  modules: { client: protocol1, server: protocol1 },
  prototypes: { client: protocol1.Protocol.prototype, server: protocol1.Protocol.prototype },
  pair: () => Memory1.createLinkedPair(),
  server(answer) {
    const server = new Server1(INFO, { capabilities: { tools: {} } })
    server.setRequestHandler(CallToolRequestSchema, async ({ params }) => answer(params.name, params.arguments))
    return server as never
  },
  client: () => new Client1({ name: 'us', version: '1' }) as never,
}

const second: Generation = {
  pkg: { client: '@modelcontextprotocol/client', server: '@modelcontextprotocol/server' },
  modules: { client: client2, server: server2 },
  prototypes: { client: client2.Protocol.prototype, server: server2.Protocol.prototype },
  pair: () => client2.InMemoryTransport.createLinkedPair(),
  server(answer) {
    const server = new server2.Server(INFO, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/call', async ({ params }) => answer(params.name, params.arguments) as never)
    return server as never
  },
  client: () => new client2.Client({ name: 'us', version: '1' }) as never,
}

/** The watched end connects after the installation, the other one before it. */
function peerOf(generation: Generation, end: 'client' | 'server'): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const server = generation.server((name, args) => {
      effects++
      if (name === 'fail') throw new RangeError('the tool broke')
      return { content: [{ type: 'text', text: JSON.stringify(args) }], resultType: 'complete' }
    })
    const client = generation.client()
    const [ours, theirs] = generation.pair()
    const connectServer = () => server.connect(theirs as never)
    if (end === 'client') await connectServer()
    const connecting = end === 'server' ? client.connect(ours as never) : undefined // it waits for the server
    return {
      install: (recorder, deciding) =>
        instrument(recorder, { ...deciding, modules: { [generation.pkg[end]]: generation.modules[end] }, adapters: mcp }),
      async open() {
        if (end === 'server') await connectServer()
        await (connecting ?? client.connect(ours as never))
      },
      act: async (input) => JSON.stringify(await client.callTool({ name: 'echo', arguments: { input } })),
      fail: () => client.callTool({ name: 'fail', arguments: {} }),
      effects: () => effects,
      method: () => generation.prototypes[end].connect,
      async close() {
        await client.close()
        await server.close()
        await connecting?.catch(() => undefined)
      },
    }
  }
}

adapterContract('MCP 1.x, client', peerOf(first, 'client'))
adapterContract('MCP 1.x, server', peerOf(first, 'server'))
adapterContract('MCP 2.x, client', peerOf(second, 'client'))
adapterContract('MCP 2.x, server', peerOf(second, 'server'))

const DENYING: Deciding = {
  gate: {
    policy: { name: 'p' },
    judgeMethod: (method) =>
      method === 'resources/read'
        ? { decision: 'deny', reason: 'no', reasonCode: 'method_not_allowed' }
        : { decision: 'allow', reason: 'yes', reasonCode: 'default_allow' },
    judge: async () => ({ decision: 'deny', reason: 'no', reasonCode: 'tool_blocked', policyName: 'p' }),
    inspect: (value) => ({ value, matches: [], blocked: false }),
  },
}

function setUp() {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const events = async () => {
    await recorder.flush()
    return port.events()
  }
  return { port, recorder, events }
}

const transportOf = (event: Record<string, unknown> | undefined) => (event?.metadata as { transport?: string } | undefined)?.transport

test('in the era of 2026-07-28, over HTTP, a call is recorded and a refusal is a result that the client accepts', async () => {
  const { recorder, events } = setUp()
  const handler = server2.createMcpHandler(() => {
    const server = new server2.McpServer(INFO)
    server.registerTool('echo', {}, async () => ({ content: [{ type: 'text', text: 'hello' }] }))
    return server
  })
  const connect = async () => {
    const fetchHere = (url: string | URL, init?: RequestInit) => handler.fetch(new Request(url, init))
    const client = new client2.Client({ name: 'us', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new client2.StreamableHTTPClientTransport(new URL('http://localhost/mcp'), { fetch: fetchHere }))
    return client
  }
  const modules = { '@modelcontextprotocol/client': client2 }
  const allowing = await instrument(recorder, { modules, adapters: mcp })
  const client = await connect()
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
  assert.deepEqual((await client.callTool({ name: 'echo' })).content, [{ type: 'text', text: 'hello' }])
  await client.close()
  allowing.undo()
  const denying = await instrument(recorder, { modules, adapters: mcp, ...DENYING })
  const refused = await connect()
  const { isError, content } = await refused.callTool({ name: 'echo' })
  assert.deepEqual([isError, content], [true, [{ type: 'text', text: 'Forbidden (tool_blocked)' }]])
  await refused.close()
  denying.undo()
  const recorded = (await events()).filter(({ tool }) => tool === 'echo')
  assert.deepEqual(
    recorded.map(({ event_type, decision }) => [event_type, decision]),
    [
      ['tool_call_start', undefined],
      ['tool_call_end', undefined],
      ['authorization_decision', 'deny'],
    ],
  )
  assert.equal(transportOf(recorded[0]), 'http')
})

test('a server that is asked in this process is caused by the call of its client', async () => {
  const { recorder, events } = setUp()
  const { undo } = await instrument(recorder, { modules: { '@modelcontextprotocol/sdk': protocol1 }, adapters: mcp })
  const [client, server] = [first.client(), first.server(() => ({ content: [] }))]
  const [ours, theirs] = first.pair()
  await Promise.all([server.connect(theirs as never), client.connect(ours as never)])
  await client.callTool({ name: 'echo' })
  await client.close()
  undo()
  const starts = (await events()).filter(({ event_type }) => event_type === 'tool_call_start')
  assert.equal(starts.length, 2)
  assert.equal(starts[1]?.parent_id, starts[0]?.correlation_id)
  assert.deepEqual([starts[0]?.server, starts[0]?.method], ['peer', 'tools/call'])
})

test('resources, sampling and elicitation are recorded; a method that is not allowed is answered with an error', async () => {
  const { recorder, events } = setUp()
  const server = new Server1(INFO, { capabilities: { resources: {} } })
  server.setRequestHandler(ReadResourceRequestSchema, async () => ({ contents: [] }))
  const client = new Client1({ name: 'us', version: '1' }, { capabilities: { sampling: {}, elicitation: {} } })
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'hi' },
  }))
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' }))
  const [ours, theirs] = Memory1.createLinkedPair()
  auditTransport(recorder, ours, { ...DENYING, server: 'known' })
  await Promise.all([server.connect(theirs), client.connect(ours)])
  await assert.rejects(client.readResource({ uri: 'file:///etc/hosts' }), /Forbidden/)
  await server.createMessage({ messages: [], maxTokens: 1 })
  await server.elicitInput({ message: 'sure?', requestedSchema: { type: 'object', properties: {} } })
  await client.close()
  assert.deepEqual(
    (await events()).map(({ event_type, tool, model, method, server: name }) => [event_type, tool ?? model, method, name]),
    [
      ['method_blocked', 'file:///etc/hosts', 'resources/read', 'known'],
      ['model_request', 'sampling', 'sampling/createMessage', 'known'],
      ['model_response', 'sampling', 'sampling/createMessage', 'known'],
      ['tool_call_start', 'elicitation', 'elicitation/create', 'known'],
      ['tool_call_end', 'elicitation', 'elicitation/create', 'known'],
    ],
  )
})

test('a call that its client gives up, and one whose server goes away, are ended as such', async () => {
  const { recorder, events } = setUp()
  const arrivals = new Map(['hang', 'wait'].map((name) => [name, Promise.withResolvers<void>()]))
  const server = first.server((name) => {
    arrivals.get(name)?.resolve()
    return new Promise(() => undefined)
  })
  const client = new Client1({ name: 'us', version: '1' })
  const [ours, theirs] = Memory1.createLinkedPair()
  auditTransport(recorder, ours)
  await Promise.all([server.connect(theirs as never), client.connect(ours)])
  const leaving = new AbortController()
  const hanging = client.callTool({ name: 'hang' }, undefined, { signal: leaving.signal })
  await arrivals.get('hang')?.promise
  leaving.abort()
  await assert.rejects(hanging)
  const waiting = client.callTool({ name: 'wait' })
  await arrivals.get('wait')?.promise
  await Promise.all([assert.rejects(waiting, /closed/i), server.close()])
  const errors = (await events()).filter(({ event_type }) => event_type === 'tool_call_error')
  assert.deepEqual(
    errors.map(({ tool, error_type }) => [tool, error_type]),
    [
      ['hang', 'cancelled'],
      ['wait', 'connection_closed'],
    ],
  )
})

test('a server behind stdio is recorded with the name and version that it gives itself', async () => {
  const { recorder, events } = setUp()
  const { undo } = await instrument(recorder, { modules: { '@modelcontextprotocol/sdk': { Client: Client1 } }, adapters: mcp })
  const client = new Client1({ name: 'us', version: '1' })
  const args = ['node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'stdio']
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }))
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
  await client.close()
  undo()
  assert.match(JSON.stringify(content), /hello/)
  const [start, end] = (await events()).filter(({ tool }) => tool === 'echo')
  assert.match(String(start?.server), /everything/)
  assert.equal(transportOf(start), 'stdio')
  assert.equal(end?.event_type, 'tool_call_end')
})
