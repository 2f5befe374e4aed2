/** Sinks that hand over messages, under chaos: syslog and mail. @module */
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { until } from '../../../../testkit/src/sink-contract.ts'
import { assertArrived, type MakeSubject, pick } from './chaos.ts'
import { splitFrames } from './syslog-frames.ts'

/** Syslog says nothing back: what a connection loses is lost. So nobody cuts or refuses one here; the receiver is slow. */
export const syslog: MakeSubject = async (random) => {
  const streams: Buffer[][] = []
  const sockets = new Set<Socket>()
  let isStrict = true
  const server = createTcp((socket) => {
    const chunks: Buffer[] = []
    streams.push(chunks)
    sockets.add(socket)
    socket.on('error', () => {}) // it was killed
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (!isStrict || random() > 0.05) return
      socket.pause()
      setTimeout(() => socket.resume(), 30)
    })
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    config: { type: 'syslog', host: '127.0.0.1', port, protocol: 'tcp' },
    behave() {
      isStrict = false
    },
    async check(expected) {
      await until(() => sockets.size === 0) // what the kernel still had
      const held = streams.flatMap((chunks) =>
        splitFrames(Buffer.concat(chunks)).map((message) => Number(/ seq="(\d+)"/.exec(message)?.[1])),
      )
      assertArrived(held, expected, 'the receiver')
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A connection a mail, and 20 events in one: a part of the events is enough. */
const SHARE = '7'

/** Turns connections away, is busy, takes a mail and loses the connection. */
export const email: MakeSubject = async (random) => {
  const held: number[] = []
  let isStrict = true
  const refusal = (responseCode: number) => Object.assign(new Error('no'), { responseCode })
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onConnect: (_, done) => done(isStrict && random() < 0.1 ? refusal(421) : null),
    onData(stream, _, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => {
        const fault = isStrict && random() < 0.3 ? pick(random, ['busy', 'lost', 'lost answer'] as const) : 'none'
        if (fault === 'busy') return done(refusal(451))
        const text = Buffer.concat(chunks).toString('latin1')
        if (fault !== 'lost') held.push(...[...text.matchAll(/seq=(?:3D)?(\d+);/g)].map(([, seq]) => Number(seq)))
        return done(fault === 'none' ? null : refusal(421))
      })
    },
  })
  server.on('error', () => {}) // a sender that was killed
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    config: {
      ...{ type: 'email', host: '127.0.0.1', port: (server.server.address() as AddressInfo).port, tls: 'none' },
      ...{ from: 'sworn@example.com', to: ['a@example.com'], where: `tool.endsWith("${SHARE}")`, start: 'beginning', body: 'seq={{seq}};' },
    },
    behave() {
      isStrict = false
    },
    check: (expected) =>
      assertArrived(held, { ...expected, seqs: expected.seqs.filter((_, n) => String(n).endsWith(SHARE)) }, 'the mailbox'),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
