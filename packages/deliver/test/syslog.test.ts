/** The syslog sink against receivers on loopback: RFC 5424 over UDP, TCP with octet counting, and TLS. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { append, finish, makePlace, openAt, planOf, sinkContract, start, until } from '../../../testkit/src/sink-contract.ts'
import type { OpenSink } from '../src/index.ts'
import { type SyslogOptions, syslogSink } from '../src/sinks/syslog.ts'
import { certificate } from './support/certificate.ts'
import { splitFrames } from './support/syslog-frames.ts'

const OPTIONS = { host: '127.0.0.1', hostname: 'h', facility: 13, enterprise: 32_473 } as const
const isEntry = (message: string) => !/^<\d+>1 - h sworn \d+ probe - /.test(message)
const seqOf = (message: string) => Number(/ seq="(\d+)"/.exec(message)?.[1])

async function receiver(make: (take: (socket: Socket) => void) => Server) {
  const streams: Buffer[][] = []
  const sockets = new Set<Socket>()
  let ended = 0
  const server = make((socket) => {
    const chunks: Buffer[] = []
    streams.push(chunks)
    sockets.add(socket)
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => {})
    socket.on('close', () => ended++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    /** What came over so many connections: syslog says nothing back, so what was sent may still be on its way. */
    async messages(connections: number) {
      await until(() => ended >= connections)
      return streams.flatMap((chunks) => splitFrames(Buffer.concat(chunks)))
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function streamPeer(protocol: 'tcp' | 'tls') {
  const tls = protocol === 'tls' ? certificate() : undefined
  const peer = await receiver((take) => (tls ? createTlsServer(tls, take) : createServer(take)))
  const inner = syslogSink({ ...OPTIONS, protocol, port: peer.port, ca: tls?.cert })
  let closed = 0
  const open: OpenSink = async (mark) => {
    const sink = await inner(mark)
    return { ...sink, close: () => sink.close().then(() => void closed++) } // each had one connection
  }
  const held = async () => (await peer.messages(closed)).filter(isEntry).map(seqOf)
  return { ...peer, open, faults: [], fail: () => {}, held, drops: false }
}

sinkContract('syslog over TCP', () => streamPeer('tcp'))
sinkContract('syslog over TLS', () => streamPeer('tls'))

test('over UDP each event is a datagram, its text in CEF when that is asked for', async () => {
  const messages: string[] = []
  const socket = createSocket('udp4').on('message', (bytes) => void messages.push(bytes.toString('utf8')))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const options: SyslogOptions = { ...OPTIONS, protocol: 'udp', port: socket.address().port }
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 2)
  await finish(start(place.path, ledger.info.origin, [planOf({ open: syslogSink(options), shape: { dialect: 'cef' } })]))
  await until(() => messages.length === 2)
  const pattern =
    /^<110>1 2026-11-21T10:00:00\.000Z h sworn \d+ tool_call_end \[sworn@32473 seq="\d+" hash="[0-9a-f]{64}" session="s\d"\] \ufeffCEF:0\|sworn\|/
  for (const message of messages) assert.match(message, pattern)
  socket.close()
})
