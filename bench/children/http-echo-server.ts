/**
 * The MCP server behind the HTTP proxies: official SDK, sessions, answers as events or, with `json`, as JSON. Says its address.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { sayAddress } from '../harness/http-child.ts'

const enableJsonResponse = process.argv[2] === 'json'
const sessions = new Map<string, StreamableHTTPServerTransport>()
const words = 'answer of the tool in plain words, '

async function open(): Promise<StreamableHTTPServerTransport> {
  const onsessioninitialized = (id: string) => void sessions.set(id, transport)
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, enableJsonResponse, onsessioninitialized })
  const server = new Server({ name: 'echo', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    const characters = Number(params.arguments?.characters ?? 0)
    return { content: [{ type: 'text', text: words.repeat(Math.ceil(characters / words.length)).slice(0, characters) }] }
  })
  await server.connect(transport as Transport) // its optional members may be undefined, which the strict flags tell apart
  return transport
}

const server = createServer(async (request, response) => {
  const transport = sessions.get(String(request.headers['mcp-session-id'])) ?? (await open())
  await transport.handleRequest(request, response)
})
await sayAddress(server)
