/**
 * A model server on loopback that says what a script says: OpenAI chat completions and Responses, Anthropic Messages,
 * Gemini, each as JSON and as SSE, with faults. The real SDKs are its clients.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  anthropicEvents,
  anthropicMessage,
  chatChunks,
  chatCompletion,
  geminiAnswer,
  geminiChunks,
  responseEvents,
  responseObject,
  type Turn,
} from './fake-model-dialects.ts'

/** A request as it came; `body` is parsed JSON. */
export interface ModelRequest {
  readonly path: string
  /** From the body, or for Gemini from the path. */
  readonly model: string
  readonly body: Readonly<Record<string, unknown>>
}

/** A list is said in order, its last turn again and again. */
export type Script = readonly Turn[] | ((request: ModelRequest, n: number) => Turn)

export interface FakeModel {
  /** `http://127.0.0.1:PORT`; OpenAI clients add `/v1`. */
  readonly url: string
  readonly requests: readonly ModelRequest[]
  close(): Promise<void>
}

/** How long the text of one delta is; `splitBytes`: how long one write to the socket is, which tears lines and characters. */
export interface FakeModelOptions {
  readonly deltaChars?: number
  readonly splitBytes?: number
}

interface Dialect {
  readonly json: (turn: Turn, model: string) => object
  readonly sse: (turn: Turn, model: string, deltaChars: number) => readonly string[]
}

const GEMINI_STREAM = ':streamGenerateContent'
const DIALECTS: readonly [suffix: string, dialect: Dialect][] = [
  ['/chat/completions', { json: chatCompletion, sse: chatChunks }],
  ['/responses', { json: responseObject, sse: responseEvents }],
  ['/messages', { json: anthropicMessage, sse: anthropicEvents }],
  [':generateContent', { json: geminiAnswer, sse: geminiChunks }],
  [GEMINI_STREAM, { json: geminiAnswer, sse: geminiChunks }],
]

export async function startFakeModel(script: Script, options: FakeModelOptions = {}): Promise<FakeModel> {
  const requests: ModelRequest[] = []
  const server = createServer((incoming, response) => {
    void answer(incoming, response, { script, requests, options }).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Served {
  readonly script: Script
  readonly requests: ModelRequest[]
  readonly options: FakeModelOptions
}

async function answer(incoming: IncomingMessage, response: ServerResponse, { script, requests, options }: Served): Promise<void> {
  const request = await readRequest(incoming)
  const n = requests.push(request) - 1
  const turn = typeof script === 'function' ? script(request, n) : (script[Math.min(n, script.length - 1)] ?? {})
  const [, dialect] = DIALECTS.find(([suffix]) => request.path.endsWith(suffix)) ?? []
  if (!dialect || turn.status !== undefined) return fail(response, turn.status ?? 404)
  const { model } = request
  if (request.body.stream === true || request.path.endsWith(GEMINI_STREAM))
    return stream(response, dialect.sse(turn, model, options.deltaChars ?? 1000), turn, options)
  const text = JSON.stringify(dialect.json(turn, model))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  if (!turn.cut) return void response.end(text)
  response.write(text.slice(0, text.length / 2), () => response.destroy())
}

async function readRequest(incoming: IncomingMessage): Promise<ModelRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const path = (incoming.url ?? '').split('?')[0] ?? ''
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
  return { path, model: String(body.model ?? /models\/([^:]+):/.exec(path)?.[1]), body }
}

function fail(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ type: 'error', error: { type: 'api_error', message: `scripted ${status}` } }))
}

/** A stream that is cut ends after half of its events, without saying so. */
async function stream(response: ServerResponse, events: readonly string[], turn: Turn, { splitBytes }: FakeModelOptions): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const bytes = Buffer.from(events.slice(0, turn.cut || turn.stalls ? Math.ceil(events.length / 2) : events.length).join(''))
  const step = splitBytes ?? Math.max(bytes.length, 1)
  for (let at = 0; at < bytes.length; at += step)
    await new Promise<void>((resolve) => response.write(bytes.subarray(at, at + step), () => resolve()))
  if (turn.cut) response.destroy()
  else if (!turn.stalls) response.end()
}
