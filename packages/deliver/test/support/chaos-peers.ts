/**
 * The other side of sinks that fail in every way they can, at random and seeded, until they are told to behave.
 *
 * An HTTP server that keeps what it took as seqs, and a way to a TCP server that loses connections.
 */
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import type { Random } from '../../../../testkit/src/events.ts'

/** What an HTTP sink sends, and what is answered. */
export interface Wire {
  /** Seqs in what was posted. */
  seqs(request: IncomingMessage, body: string): readonly number[]
  /** The 200 that means no. */
  readonly lie: string
  /** The answer to what was taken, item by item where the wire has that; without it a batch is taken or not. */
  readonly answer?: (results: readonly { readonly seq: number; readonly status: 201 | 400 | 409 | 429 }[]) => string
  /** The answer to a batch that was taken; default `{}`. */
  readonly taken?: string
  /** The answer to a batch with an entry that is never taken; default 422 without text. */
  readonly refusal?: { readonly status: number; readonly text: string }
  /** Of answers that are no fault. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface ChaosPeer {
  readonly url: string
  /** Seqs in the order of their first arrival. */
  readonly held: readonly number[]
  /** Seqs that are refused for good while it is strict, once each. */
  readonly refused: ReadonlySet<number>
  readonly faults: ReadonlyMap<string, number>
  /** From now on it takes everything. */
  behave(): void
  close(): Promise<void>
}

const FAULTS = ['down', 'slow', 'lying', 'partial', 'reset', 'retry-after', 'error'] as const
/** Share of requests that go wrong. */
const FAULTY = 0.3

/** @param poison says which seqs are never taken */
export async function openChaosPeer(wire: Wire, random: Random, poison: (seq: number) => boolean): Promise<ChaosPeer> {
  const held: number[] = []
  const known = new Set<number>()
  const refused = new Set<number>()
  const faults = new Map<string, number>()
  let strict = true
  const isRefused = (seq: number) => {
    const no = strict && poison(seq)
    if (no) refused.add(seq)
    return no
  }
  const take = (seq: number): 201 | 409 => {
    if (known.has(seq)) return 409
    known.add(seq)
    held.push(seq)
    return 201
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const fault = strict && random() < FAULTY ? FAULTS[Math.floor(random() * FAULTS.length)]! : 'none'
    faults.set(fault, (faults.get(fault) ?? 0) + 1)
    if (fault === 'down') return void request.socket.destroy()
    if (fault === 'lying') return void response.writeHead(200).end(wire.lie)
    if (fault === 'error') return void response.writeHead(503).end()
    if (fault === 'retry-after') return void response.writeHead(429, { 'retry-after': '0' }).end()
    const seqs = wire.seqs(request, body)
    const text = wire.answer
      ? wire.answer(seqs.map((seq, i) => ({ seq, status: fault === 'partial' && i % 2 === 1 ? 429 : isRefused(seq) ? 400 : take(seq) })))
      : undefined
    const { status, text: refusal } = wire.refusal ?? { status: 422, text: '' }
    if (text === undefined && seqs.filter(isRefused).length > 0) return void response.writeHead(status, wire.headers).end(refusal)
    if (text === undefined) seqs.forEach(take)
    if (fault === 'reset') return void request.socket.destroy()
    response.writeHead(200, wire.headers)
    setTimeout(() => response.end(text ?? wire.taken ?? '{}'), fault === 'slow' ? 50 : 0)
  }

  const server = createHttp((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString('utf8')))
    request.on('error', () => {}) // it was killed
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ held, refused, faults },
    behave() {
      strict = false
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export interface FaultyWay {
  readonly port: number
  /** Connections that were refused, held up or cut. */
  readonly faults: ReadonlyMap<string, number>
  behave(): void
  close(): void
}

/** What a server says of its own place leads here: where `127.0.0.1` and its port stand in an answer, as Kafka writes them, ours does. */
export function readdress(from: number, to: number): Transform {
  const [theirs, ours] = [from, to].map((port) => {
    const place = Buffer.from('127.0.0.1\0\0\0\0', 'latin1')
    place.writeInt32BE(port, 9)
    return place
  })
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (let at = chunk.indexOf(theirs!); at >= 0; at = chunk.indexOf(theirs!, at)) ours!.copy(chunk, at)
      done(null, chunk)
    },
  })
}

/**
 * A way to a server on this machine: connections are refused, held up, or cut after some bytes of either direction.
 * @param says whether the server tells its clients where it is
 */
export async function openFaultyWay(target: number, random: Random, says = false): Promise<FaultyWay> {
  const sockets = new Set<Socket>()
  const faults = new Map<string, number>()
  let strict = true
  const server = createServer((near) => {
    const fault = strict ? (['down', 'slow', 'reset', 'none', 'none'] as const)[Math.floor(random() * 5)]! : 'none'
    faults.set(fault, (faults.get(fault) ?? 0) + 1)
    near.on('error', () => {}) // cut by us or by a kill
    if (fault === 'down') return void near.destroy()
    const far = connect(target, '127.0.0.1').on('error', () => near.destroy())
    for (const socket of [near, far]) sockets.add(socket.on('close', () => sockets.delete(socket)))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    let left = fault === 'reset' ? 2000 + random() * 4_000_000 : Number.POSITIVE_INFINITY
    const cut = (bytes: Buffer) => {
      left -= bytes.length
      if (left < 0 && strict) near.destroy()
    }
    for (const socket of [near, far]) socket.pause().on('data', cut) // paused first: what comes before the pipes stand is not lost
    const pipe = () => {
      near.pipe(far)
      ;(says ? far.pipe(readdress(target, port)) : far).pipe(near)
    }
    setTimeout(pipe, fault === 'slow' ? 50 : 0)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    faults,
    behave() {
      strict = false
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
