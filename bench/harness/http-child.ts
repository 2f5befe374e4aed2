/** Processes that listen, and an MCP client for them that costs little: bodies by hand over kept-alive connections. @module */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import type { Command } from './commands.ts'
import type { McpClient } from './mcp-client.ts'

/** In a child: listens, says where on a line of its own, and ends with its stdin. */
export async function sayAddress(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp\n`) // listens on TCP
  process.stdin.resume().on('end', () => process.exit())
}

export interface HttpChild {
  readonly url: string
  close(): Promise<void>
}

/** Starts a process that listens. @throws Error when it says no address */
export async function openHttpChild({ command, args }: Command): Promise<HttpChild> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const { value: url } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (typeof url !== 'string') throw new Error(`${args.join(' ')} ended before it listened`)
  return {
    url,
    async close() {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** A client of a process that listens; closing it ends the process. @throws Error when `initialize` fails */
export async function openHttpClient(command: Command): Promise<McpClient> {
  const child = await openHttpChild(command)
  const agent = new Agent({ keepAlive: true, noDelay: true })
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  let newest = 0

  async function send(body: string): Promise<IncomingMessage & { text: string }> {
    const [reply] = (await once(
      request(child.url, { method: 'POST', agent, headers }).end(body) as unknown as NodeJS.EventEmitter, // once wants the plain kind
      'response',
    )) as [IncomingMessage]
    let text = ''
    reply.setEncoding('utf8')
    for await (const chunk of reply) text += chunk
    return Object.assign(reply, { text })
  }
  const rpc = (method: string, params: unknown) => send(JSON.stringify({ jsonrpc: '2.0', id: ++newest, method, params }))
  const hello = await rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } })
  headers['mcp-session-id'] = String(hello.headers['mcp-session-id'])
  await send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return {
    async call(characters) {
      const start = performance.now()
      const { statusCode, text } = await rpc('tools/call', { name: 'echo', arguments: { characters, note: 'a call of the bench' } })
      if (statusCode !== 200 || !text.includes('"content"')) throw new Error(`the call failed: ${statusCode} ${text.slice(0, 400)}`)
      return performance.now() - start
    },
    async close() {
      agent.destroy()
      await child.close()
    },
  }
}
