/** One proxied echo server with its client's ends in the test's hands. @module */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type ProxyExit, type ProxyOptions, runStdioProxy } from '../../src/index.ts'
import { createMemoryRecorder, type MemoryRecorder } from './memory-recorder.ts'

export interface Wire {
  readonly recorder: MemoryRecorder
  readonly exit: Promise<ProxyExit>
  readonly stdin: PassThrough
  readonly stdout: PassThrough
  /** Writes a value as JSON, or a string or bytes as they are with an LF. */
  send(...messages: unknown[]): void
  /** The next line for which `want` holds; lines before it are dropped. */
  next(want?: (message: Answer) => boolean): Promise<Answer>
  /** Lines the server received. */
  seen(): string[]
  errors(): string
  /** Closes the client's side and waits for the end. */
  close(): Promise<ProxyExit>
}

export interface Answer {
  readonly raw: string
  readonly id?: string | number | null
  readonly method?: string
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> }
}

const SERVER = fileURLToPath(new URL('./echo-server.ts', import.meta.url))

function toBytes(message: unknown): Buffer {
  if (Buffer.isBuffer(message)) return Buffer.concat([message, Buffer.from('\n')])
  return Buffer.from(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
}

/** Lines of a stream, each handed out once. */
function createReader(stream: PassThrough): (want: (message: Answer) => boolean) => Promise<Answer> {
  const lines: Answer[] = []
  const waiting: { want: (message: Answer) => boolean; resolve: (message: Answer) => void }[] = []
  let rest = ''
  const match = () => {
    const first = waiting[0]
    const at = first === undefined ? -1 : lines.findIndex(first.want)
    if (first === undefined || at < 0) return
    waiting.shift()
    first.resolve(lines.splice(0, at + 1).at(-1)!)
    match()
  }
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const raw of parts) lines.push({ raw, ...(JSON.parse(raw) as object) })
    match()
  })
  return (want) =>
    new Promise((resolve) => {
      waiting.push({ want, resolve })
      match()
    })
}

export function openWire(options: Partial<ProxyOptions> & { recorder?: MemoryRecorder } = {}): Wire {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-proxy-'))
  const seen = join(folder, 'seen')
  const recorder = options.recorder ?? createMemoryRecorder()
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let errors = ''
  stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  const own = { command: process.execPath, args: [SERVER], env: { ...process.env, SEEN: seen }, stdin, stdout, stderr, closeGraceMs: 1000 }
  const all: ProxyOptions = Object.defineProperties({ ...own, recorder }, Object.getOwnPropertyDescriptors(options)) // a getter stays one
  const exit = runStdioProxy(all).finally(() => setImmediate(() => rmSync(folder, { recursive: true, force: true })))
  const read = createReader(stdout)
  return {
    recorder,
    exit,
    stdin,
    stdout,
    send: (...messages) => stdin.write(Buffer.concat(messages.map(toBytes))),
    next: (want = () => true) => read(want),
    seen: () => {
      try {
        return readFileSync(seen, 'utf8').split('\n').slice(0, -1)
      } catch {
        return [] // nothing was received yet
      }
    },
    errors: () => errors,
    close() {
      stdin.end()
      return exit
    },
  }
}

export function call(id: string | number, name: string, input: Record<string, unknown> = {}): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input } }
}
