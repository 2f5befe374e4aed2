/** One proxied HTTP upstream whose behaviour and client are both in the test's hands. @module */
import * as http from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { PassThrough } from 'node:stream'
import { type HttpProxy, type HttpProxyOptions, openHttpProxy } from '../../src/http/index.ts'
import { createMemoryRecorder, type MemoryRecorder } from './memory-recorder.ts'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export type Handler = (seen: Seen, response: http.ServerResponse) => void

export interface HttpWire {
  readonly recorder: MemoryRecorder
  readonly proxy: HttpProxy
  /** What reached the upstream, in order. */
  readonly seen: Seen[]
  readonly upstreamUrl: URL
  /** How the upstream answers from now on. */
  behave(handler: Handler): void
  /** POSTs a value as JSON, or a text or bytes as they are. */
  post(message: unknown, headers?: http.OutgoingHttpHeaders): Promise<Reply>
  request(options: http.RequestOptions & { body?: string | Buffer }): Promise<Reply>
  close(): Promise<void>
}

export const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Answers calls with their arguments, initialize with a session, and whatever else with an empty result. */
export const echo: Handler = ({ body, method }, response) => {
  if (method !== 'POST') return void response.writeHead(405, { allow: 'POST' }).end()
  const { id, method: name, params } = JSON.parse(body) as { id?: unknown; method?: string; params?: { arguments?: unknown } }
  if (id === undefined || name === undefined) return void response.writeHead(202).end()
  const result =
    name === 'initialize'
      ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'echo', version: '1.2.3' } }
      : { content: [{ type: 'text', text: JSON.stringify(params?.arguments ?? null) }] }
  const session = name === 'initialize' ? { 'mcp-session-id': 'the-session' } : {}
  response.writeHead(200, { 'content-type': 'application/json', ...session }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

export function ask(url: string | URL, { body, ...options }: http.RequestOptions & { body?: string | Buffer }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
      answer.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

export async function openHttpWire(options: Partial<HttpProxyOptions> = {}, path = '/mcp'): Promise<HttpWire> {
  const seen: Seen[] = []
  let handler: Handler = echo
  const upstream = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    response.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
      seen.push(one)
      handler(one, response)
    })
  })
  const upstreamUrl = new URL(`http://127.0.0.1:${await listen(upstream)}${path}`)
  const recorder = createMemoryRecorder()
  const own = { recorder, stderr: new PassThrough().resume(), listen: { host: '127.0.0.1', port: 0 }, upstream: upstreamUrl }
  const proxy = await openHttpProxy(Object.defineProperties(own, Object.getOwnPropertyDescriptors(options)))
  const toBody = (message: unknown) => (typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  return {
    recorder,
    proxy,
    seen,
    upstreamUrl,
    behave: (next) => (handler = next),
    post: (message, headers = {}) => ask(proxy.url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: toBody(message) }),
    request: (request) => ask(proxy.url, request),
    async close() {
      await proxy.close()
      upstream.closeAllConnections()
      await new Promise((resolve) => upstream.close(resolve))
    },
  }
}
