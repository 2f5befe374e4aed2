/**
 * The MCP server behind pipe and proxy: official SDK, one tool that answers with as many characters as asked.
 * @module
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

const server = new Server({ name: 'echo', version: '1.0.0' }, { capabilities: { tools: {} } })
const schema = { type: 'object' as const, properties: { characters: { type: 'number' } } }
const words = 'answer of the tool in plain words, '

server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'echo', inputSchema: schema }] }))
server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
  const characters = Number(params.arguments?.characters ?? 0)
  return { content: [{ type: 'text', text: words.repeat(Math.ceil(characters / words.length)).slice(0, characters) }] }
})
await server.connect(new StdioServerTransport())
