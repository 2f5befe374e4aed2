/**
 * The sign-in of a Kafka broker before librdkafka's mock cluster, which has none: nothing but SaslHandshake and
 * SaslAuthenticate is heard until somebody has shown the password, as PLAIN (RFC 4616) or SCRAM (RFC 5802, 7677).
 * Source: Kafka protocol guide, KIP-152. Whether it speaks as brokers do is asked by librdkafka's own client.
 * @module
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { readdress } from './chaos-peers.ts'

export type Mechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export interface Account {
  readonly mechanism: Mechanism
  readonly username: string
  readonly password: string
}

export interface Gate {
  /** HOST:PORT. */
  readonly address: string
  /** How sign-ins ended. */
  readonly tries: { taken: number; refused: number }
  close(): void
}

const [API_VERSIONS, HANDSHAKE, AUTHENTICATE] = [18, 17, 36]
/** Highest version of each that is spoken here. */
const OWN: readonly (readonly [number, number])[] = [
  [HANDSHAKE, 1],
  [AUTHENTICATE, 1],
]
const [UNSUPPORTED_MECHANISM, UNSUPPORTED_VERSION, FAILED] = [33, 35, 58]
const FLEXIBLE = 3

/** One step of a mechanism; throws where the password was not shown. */
type Exchange = (token: Buffer) => { readonly answer: string; readonly done: boolean }

/** @param knows false: a server that takes everybody and cannot show that it knows the password */
export async function openGate(cluster: string, account: Account, knows = true): Promise<Gate> {
  const target = Number(cluster.split(':')[1])
  const tries = { taken: 0, refused: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1').on('error', () => near.destroy())
    for (const socket of [near, far]) sockets.add(socket.on('close', () => sockets.delete(socket)))
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    void admit(near, far, account, { tries, knows }).then(
      (isIn) => isIn && near.pipe(far).pipe(readdress(target, port)).pipe(near),
      () => near.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    tries,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Answers until somebody is signed in. @throws whatever is no sign-in */
async function admit(
  near: Socket,
  far: Socket,
  account: Account,
  { tries, knows }: { tries: Gate['tries']; knows: boolean },
): Promise<boolean> {
  const [requests, answers] = [openFrames(near), openFrames(far)]
  const exchange = openExchange(account, knows)
  for (;;) {
    const request = await requests.next()
    const [key, version] = [request.readInt16BE(0), request.readInt16BE(2)]
    const id = request.subarray(4, 8)
    const rest = request.subarray(10 + Math.max(0, request.readInt16BE(8))) // behind the name of the client
    if (key === API_VERSIONS) {
      far.write(framed(request))
      near.write(framed(withOwn(await answers.next(), version)))
    } else if (key === HANDSHAKE) {
      const isKnown = rest.subarray(2).toString() === account.mechanism
      near.write(framed(id, int16(isKnown ? 0 : UNSUPPORTED_MECHANISM), int32(1), text(account.mechanism)))
    } else if (key === AUTHENTICATE) {
      const answer = tryExchange(exchange, rest.subarray(4))
      const [code, message] = answer ? [0, int16(-1)] : [FAILED, text('no')]
      const bytes = Buffer.from(answer?.answer ?? '')
      near.write(framed(id, int16(code), message, int32(bytes.length), bytes, ...(version > 0 ? [Buffer.alloc(8)] : [])))
      if (!answer) tries.refused++
      if (!answer?.done) continue
      tries.taken++
      requests.end()
      answers.end()
      return true
    } else throw new Error(`${key} before the sign-in`)
  }
}

function tryExchange(exchange: Exchange, token: Buffer): ReturnType<Exchange> | undefined {
  try {
    return exchange(token)
  } catch {
    return undefined
  }
}

function openExchange({ mechanism, username, password }: Account, knows: boolean): Exchange {
  if (mechanism === 'PLAIN')
    return (token) => {
      if (token.toString() !== `\0${username}\0${password}`) throw new Error('another password')
      return { answer: '', done: true }
    }
  return openScram(mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', { username, password: knows ? password : 'another' }, knows)
}

/** The server's side of RFC 5802, §3 and §5. */
function openScram(hash: 'sha256' | 'sha512', { username, password }: Omit<Account, 'mechanism'>, knows: boolean): Exchange {
  const hmac = (key: Buffer, value: string) => createHmac(hash, key).update(value).digest()
  const salt = randomBytes(16)
  const iterations = 4096
  const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash)
  const stored = createHash(hash).update(hmac(salted, 'Client Key')).digest()
  let begun: { readonly bare: string; readonly first: string; readonly nonce: string } | undefined
  return (token) => {
    const said = token.toString()
    if (!begun) {
      const [, bare = '', name = '', theirs = ''] = /^n,,(n=([^,]*),r=([^,]+))$/.exec(said) ?? []
      if (name !== username.replaceAll('=', '=3D').replaceAll(',', '=2C')) throw new Error('another user')
      const nonce = theirs + randomBytes(12).toString('hex')
      begun = { bare, nonce, first: `r=${nonce},s=${salt.toString('base64')},i=${iterations}` }
      return { answer: begun.first, done: false }
    }
    const [, withoutProof = '', nonce, proof = ''] = /^(c=biws,r=([^,]+)),p=(.+)$/.exec(said) ?? []
    const message = `${begun.bare},${begun.first},${withoutProof}`
    const signature = hmac(stored, message)
    const key = Buffer.from(proof, 'base64').map((byte, i) => byte ^ (signature[i] ?? 0))
    const isShown = key.length === signature.length && timingSafeEqual(createHash(hash).update(key).digest(), stored)
    // As Kafka's own ScramSaslServer: librdkafka before 2.6.1 puts its own part before the nonce once more.
    if (!nonce?.endsWith(begun.nonce) || (knows && !isShown)) throw new Error('another password')
    return { answer: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`, done: true }
  }
}

const int16 = (n: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(n)
  return bytes
}
const int32 = (n: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(n)
  return bytes
}
const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])

function framed(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length), body])
}

/** The cluster's versions, and ours. Its list is shorter than 127 entries: a count is one byte where it is compact. */
function withOwn(answer: Buffer, version: number): Buffer {
  const isFlexible = version >= FLEXIBLE && answer.readInt16BE(4) !== UNSUPPORTED_VERSION
  const [at, count] = isFlexible ? [7, answer.readUInt8(6) - 1] : [10, answer.readInt32BE(6)]
  const end = at + count * (isFlexible ? 7 : 6)
  const own = OWN.map(([key, most]) => Buffer.concat([int16(key), int16(0), int16(most), Buffer.alloc(isFlexible ? 1 : 0)]))
  const total = count + OWN.length
  const size = isFlexible ? Buffer.from([total + 1]) : int32(total)
  return Buffer.concat([answer.subarray(0, 6), size, answer.subarray(at, end), ...own, answer.subarray(end)])
}

/** Frames of a connection, one after the other, until somebody else reads it. */
function openFrames(socket: Socket) {
  let held = Buffer.alloc(0)
  let wake: (() => void) | undefined
  const take = (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    wake?.()
  }
  socket.on('data', take)
  return {
    async next(): Promise<Buffer> {
      for (;;) {
        const size = held.length >= 4 ? held.readInt32BE(0) : -1
        if (size >= 0 && held.length >= 4 + size) {
          const frame = held.subarray(4, 4 + size)
          held = held.subarray(4 + size)
          return frame
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    end() {
      socket.off('data', take)
      socket.pause()
      if (held.length > 0) socket.unshift(held)
    },
  }
}
