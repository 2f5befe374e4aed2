/** Real servers of both SDK generations behind real HTTP. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as http from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { createTestServer } from '../../../../testkit/src/mcp/server.ts'
import { listen } from './http-wire.ts'

export interface RemoteServer {
  readonly url: URL
  close(): Promise<void>
}

/** server-everything of the reference servers: SDK 1.x, sessions, streams, resumption. */
export async function openEverything(): Promise<RemoteServer> {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')
  const port = await freePort()
  const child: ChildProcess = spawn(process.execPath, [join(dirname(manifest), 'dist', 'index.js'), 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for await (const chunk of child.stderr!) if (String(chunk).includes('listening')) break
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    async close() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = http.createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A server on SDK 2.x, the testkit's by default: stateless, both eras. `seen` gets every body before it is served. */
export async function openModern(seen: string[] = [], handler = createMcpHandler(createTestServer)): Promise<RemoteServer> {
  const server = http.createServer(async (request, response) => {
    const stop = new AbortController()
    response.once('close', () => stop.abort())
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer) // no encoding is set
    const body = Buffer.concat(chunks)
    if (body.length > 0) seen.push(body.toString('utf8'))
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string])
    const init = { method: request.method!, headers, signal: stop.signal, ...(body.length > 0 && { body }) }
    const answer = await handler.fetch(new Request(`http://${request.headers.host}${request.url}`, init))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.flushHeaders()
    if (answer.body === null) response.end()
    else
      Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0])
        .on('error', () => response.destroy())
        .pipe(response)
  })
  const url = new URL(`http://127.0.0.1:${await listen(server)}/mcp`)
  return {
    url,
    async close() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
