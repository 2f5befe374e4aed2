/** A server on a real ledger and a real listener, and requests byte for byte. @module */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createRecorder, openPortHere, type Recorder } from '@sworn/recorder'
import { openServer, type Server, type ServerOptions } from '../../src/index.ts'

export const REPORT = 'report-token-0123456789'
export const GOVERN = 'govern-token-0123456789'
export const EVENT = '{"event_type":"data_access"}'

export interface Serving extends Server {
  readonly port: number
  readonly recorder: Recorder
  /** Every event of the ledger, oldest first. */
  recorded(): Promise<Record<string, unknown>[]>
  /** Sends exactly these bytes and reads until the connection ends. */
  raw(text: string): Promise<Answer>
  ask(path: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<Answer>
  socket(): Socket
}

export interface Answer {
  readonly status: number
  /** Header and body, as they came. */
  readonly text: string
  readonly code: string | undefined
}

export async function serve(options: Partial<ServerOptions> = {}): Promise<Serving> {
  const home = mkdtempSync(join(tmpdir(), 'sworn-server-'))
  const path = join(home, 'audit')
  const recorder = createRecorder({ port: await openPortHere({ path, home, version: '0.1.0' }) })
  const server = await openServer({
    listen: { host: '127.0.0.1', port: 0 },
    access: {
      tokens: [
        { token: REPORT, name: 'ci', may: 'report' },
        { token: GOVERN, name: 'ops', may: 'govern' },
      ],
    },
    recorder,
    ...options,
  })
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    await server.close()
    await recorder.close()
  }
  after(async () => {
    await close()
    rmSync(home, { recursive: true, force: true })
  })
  const port = Number(new URL(server.url).port)
  const socket = () => connect(port, '127.0.0.1').on('error', () => {}) // its end is the answer
  const raw = (text: string) =>
    new Promise<Answer>((resolve) => {
      let got = ''
      const line = socket()
      line.setEncoding('utf8').on('data', (chunk: string) => {
        got += chunk
      })
      line.on('close', () => resolve(toAnswer(got)))
      line.write(text)
    })
  return {
    ...server,
    port,
    recorder,
    close,
    raw,
    socket,
    ask: (target, headers = {}, body) => raw(formatRequest(target, { host: `127.0.0.1:${port}`, ...headers }, body)),
    async recorded() {
      if (open) await recorder.flush()
      const text = readFileSync(join(path, 'segments', `${'0'.repeat(20)}.jsonl`), 'utf8')
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
  }
}

export function formatRequest(path: string, headers: Readonly<Record<string, string>>, body?: string): string {
  const all = {
    connection: 'close',
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }),
    ...headers,
  }
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\n${fields.join('')}\r\n${body ?? ''}`
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

function toAnswer(text: string): Answer {
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text, code: /"code":"(\w+)"/.exec(text)?.[1] }
}
