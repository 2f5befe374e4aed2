/**
 * A small MCP server of the 2026-07-28 era: tools, a resource, input_required, progress, cancellation.
 *
 * Stateless on purpose: each request stands alone, as the era wants it. It also answers clients of
 * the 2025-11-25 era, which `serveStdio` does by itself. Run as a process: `node server.ts`.
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { acceptedContent, inputRequired, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })

/** The server; one instance per connection. */
export function createTestServer(): McpServer {
  const server = new McpServer({ name: 'sworn-testkit', version: '1.0.0' }, { capabilities: { tools: {}, resources: {}, logging: {} } })
  addPlainTools(server)
  addDeploy(server)
  addSlowTools(server)
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'the first note' }],
  }))
  return server
}

function addPlainTools(server: McpServer): void {
  server.registerTool('echo', { description: 'gives back its words', inputSchema: z.object({ words: z.string() }) }, async ({ words }) =>
    text(words),
  )
  server.registerTool('fail', { description: 'fails' }, async () => ({ ...text('it failed'), isError: true }))
  server.registerTool(
    'sum',
    { description: 'adds', inputSchema: z.object({ of: z.array(z.number()) }), outputSchema: z.object({ sum: z.number() }) },
    async ({ of }) => {
      const sum = of.reduce((a, b) => a + b, 0)
      return { ...text(String(sum)), structuredContent: { sum } }
    },
  )
}

/** Asks the client before it acts, the multi-round-trip way. */
function addDeploy(server: McpServer): void {
  const answer = z.object({ confirm: z.boolean() })
  server.registerTool('deploy', { description: 'asks first', inputSchema: z.object({ env: z.string() }) }, async ({ env }, ctx) => {
    const given = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', answer)
    if (given?.confirm === true) return text(`deployed to ${env}`)
    const confirm = inputRequired.elicit({ message: `deploy to ${env}?`, requestedSchema: answer })
    return inputRequired({ inputRequests: { confirm }, requestState: `deploy:${env}` })
  })
}

function addSlowTools(server: McpServer): void {
  server.registerTool(
    'count',
    { description: 'reports progress', inputSchema: z.object({ to: z.number().int().max(100) }) },
    async ({ to }, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken
      for (let progress = 1; progress <= to; progress++) {
        if (progressToken !== undefined)
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: to } })
      }
      return text(`counted to ${to}`)
    },
  )
  server.registerTool('sleep', { description: 'ends when it is cancelled, or after a minute' }, async (ctx) => {
    await wait(60_000, undefined, { signal: ctx.mcpReq.signal, ref: false }).catch(() => {})
    return text('woke up')
  })
}

if (import.meta.main) serveStdio(createTestServer)
