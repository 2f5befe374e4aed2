/** A loopback server that keeps what was posted, and fails as it is told. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fault } from '../../../../testkit/src/sink-contract.ts'

export interface Posted {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpPeer {
  readonly url: string
  /** Requests that were taken. */
  readonly taken: Posted[]
  /** All that came. */
  readonly seen: Posted[]
  fail(fault: Fault, times: number): void
  close(): Promise<void>
}

export interface HttpPeerOptions {
  /** The answer to what was taken. */
  readonly accept?: (posted: Posted) => { status?: number; body?: string; headers?: Record<string, string> }
  /** The 200 that means no. */
  readonly lie?: string
  /** Takes a part of what was posted; gives the answer. */
  readonly takePart?: (posted: Posted) => { body: string }
}

export async function openHttpPeer({ accept = () => ({}), lie = '{"error":"no"}', takePart }: HttpPeerOptions = {}): Promise<HttpPeer> {
  const taken: Posted[] = []
  const seen: Posted[] = []
  let armed: { fault: Fault; left: number } = { fault: 'error', left: 0 }
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => {
      const posted = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      }
      seen.push(posted)
      const fault = armed.left-- > 0 ? armed.fault : undefined
      if (fault === 'down') return request.socket.destroy()
      if (fault === 'error') return response.writeHead(503, { 'retry-after': '0' }).end('the body of an error')
      if (fault === 'lying') return response.writeHead(200).end(lie)
      if (fault === 'partial' && takePart) return response.writeHead(200).end(takePart(posted).body)
      const { status = 200, body = '{}', headers = {} } = accept(posted)
      if (status < 300) taken.push(posted)
      if (fault === 'lost answer') return request.socket.destroy()
      return response.writeHead(status, headers).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    taken,
    seen,
    fail: (fault, left) => {
      armed = { fault, left }
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
