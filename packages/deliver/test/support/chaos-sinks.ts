/** Every sink under chaos, a row each: what it is, what stands in its way, and what it holds in the end. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { getRequestListener } from '@hono/node-server'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { SMTPServer } from 'smtp-server'
import { endWithTests } from '../../../../testkit/src/children.ts'
import type { Random } from '../../../../testkit/src/index.ts'
import { isListening } from '../../../../testkit/src/services.ts'
import { until } from '../../../../testkit/src/sink-contract.ts'
import { createCollector, fileStore, openCosigner } from '../../src/index.ts'
import { CREDENTIALS, openS3Peer, REGION } from './aws-peer.ts'
import { ascending, assertSame, assertSessions, digestOf, type Expected, type MakeSubject, segmentsOf } from './chaos.ts'
import { HTTP_SINKS } from './chaos-http.ts'
import { openFaultyWay } from './chaos-peers.ts'
import { NO_KCAT, startCluster } from './kafka-cluster.ts'
import { withClient } from './postgres.ts'
import { splitFrames } from './syslog-frames.ts'

const POSTGRES = 5432
const NATS = 4222

const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!
const newName = () => `sworn_chaos_${randomBytes(6).toString('hex')}`
const seqsIn = (text: string) => [...text.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq))

/** At least once: each is there, first arrivals in the order of their sessions. */
function assertArrived(arrivals: readonly number[], expected: Expected, what: string): void {
  const held = [...new Set(arrivals)]
  assertSame(held.toSorted(ascending), expected.seqs, `what ${what} holds`)
  assertSessions(held, expected, what)
}

/** Of a file and what was rotated away: `copy.jsonl.20261121_100000` before `…-1` before `…-10` before `copy.jsonl`. */
function partsOf(path: string): string[] {
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`))
  const keyOf = (name: string) => name.replace(/(?:-(\d+))?$/, (_, n = '0') => `-${n.padStart(9, '0')}`)
  const rotated = names.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return [...rotated.map((name) => join(dirname(path), name)), path]
}

const jsonl: MakeSubject = async (_, place) => {
  const path = join(place.path, '..', 'copy.jsonl')
  return {
    config: { type: 'jsonl', path, rotate_bytes: 256 << 10 },
    behave() {},
    check: async () => assert.equal(await digestOf(partsOf(path)), await digestOf(segmentsOf(place.path)), 'the copy is not the ledger'),
    close() {},
  }
}

/** Another writer holds the database now and then. */
const sqlite: MakeSubject = async (random, place) => {
  const path = join(place.path, '..', 'aegis.db')
  const other = new DatabaseSync(path)
  other.exec('PRAGMA journal_mode = WAL')
  let isHeld = false
  const timer = setInterval(() => {
    if (isHeld) other.exec('ROLLBACK')
    isHeld = !isHeld && random() < 0.3 && begin()
  }, 80)
  const begin = () => {
    try {
      other.exec('BEGIN IMMEDIATE')
      return true
    } catch {
      return false // the sink holds it
    }
  }
  const behave = () => {
    clearInterval(timer)
    if (isHeld) other.exec('ROLLBACK')
    isHeld = false
  }
  return {
    config: { type: 'sqlite', path },
    behave,
    check({ seqs }) {
      const rows = other.prepare('SELECT seq FROM sworn_entry JOIN audit_log USING (id) ORDER BY id').all()
      assertSame(
        rows.map(({ seq }) => Number(seq)),
        seqs,
        'what the table holds',
      )
      assert.equal(other.prepare('SELECT count(*) AS n FROM audit_log').get()?.n, seqs.length)
    },
    close() {
      behave()
      other.close()
    },
  }
}

const postgres: MakeSubject = async (random) => {
  const way = await openFaultyWay(POSTGRES, random)
  const table = newName()
  const query = (statement: string) => withClient((client) => client.query(statement))
  return {
    config: { type: 'postgres', connection: `postgres://postgres@127.0.0.1:${way.port}/test`, table },
    behave: way.behave,
    async check({ sessions: { length } }) {
      const { rows } = await query(
        `SELECT count(*) AS rows, count(DISTINCT seq) AS seqs, min(seq) AS least, max(seq) AS most FROM ${table}`,
      )
      assert.deepEqual(Object.values(rows[0]!).map(Number), [length, length, 0, length - 1])
    },
    async close() {
      way.close()
      await query(`DROP TABLE IF EXISTS ${table}, ${table}_head, ${table}_meta, ${table}_checkpoint CASCADE`)
    },
  }
}

const nats: MakeSubject = async (random) => {
  const way = await openFaultyWay(NATS, random)
  const name = newName()
  const connection = await connect({ servers: `127.0.0.1:${NATS}` })
  const { streams } = await jetstreamManager(connection)
  return {
    config: { type: 'nats', url: `127.0.0.1:${way.port}`, stream: name, subject: name },
    behave: way.behave,
    async check({ seqs }) {
      const { state } = await streams.info(name)
      const held: number[] = []
      for (let seq = state.first_seq; seq <= state.last_seq; seq++)
        held.push(...seqsIn((await streams.getMessage(name, { seq }))?.string() ?? ''))
      assertSame(held, seqs, 'what the stream holds')
    },
    async close() {
      way.close()
      await streams.delete(name).catch(() => {}) // a test that failed early never made it
      await connection.close()
    },
  }
}

/** A consumer of kcat's reads along: the cluster keeps 5 MB a partition. */
const kafka: MakeSubject = async (random) => {
  const address = await startCluster()
  const way = await openFaultyWay(Number(address.split(':')[1]), random, true)
  const topic = newName()
  const child = endWithTests(
    spawn('kcat', ['-b', address, '-C', '-t', topic, '-o', 'beginning', '-q', '-u', '-f', '%p %s\n'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  const held: number[] = []
  createInterface(child.stdout).on('line', (line) => void held.push(...seqsIn(line)))
  return {
    config: { type: 'kafka', brokers: `127.0.0.1:${way.port}`, topic, tls: false },
    behave: way.behave,
    async check(expected) {
      await until(() => new Set(held).size >= expected.seqs.length)
      assertArrived(held, expected, 'the topic')
    },
    close() {
      child.kill('SIGKILL')
      way.close()
    },
  }
}

const s3: MakeSubject = async (random, place) => {
  let isStrict = true
  const peer = await openS3Peer(() => {
    if (isStrict && random() < 0.4) peer.fail(pick(random, ['down', 'error', 'lying', 'lost answer'] as const), 1) // what comes next
    return undefined
  })
  return {
    config: {
      ...{ type: 's3', endpoint: peer.url, region: REGION, bucket: 'audit' },
      ...{ access_key_id: CREDENTIALS.accessKeyId, secret_access_key: CREDENTIALS.secretAccessKey },
    },
    behave() {
      isStrict = false
    },
    async check({ sessions }) {
      const segments = [...peer.objects].filter(([key]) => key.includes('/segments/')).toSorted(([a], [b]) => (a < b ? -1 : 1))
      const lines = segments.flatMap(([, { body }]) => body.split('\n').slice(0, -1))
      assertSame(
        lines.map((line) => Number(/"seq":(\d+)/.exec(line)?.[1])),
        [...sessions.keys()],
        'what the bucket holds',
      )
      const digest = createHash('sha256')
        .update(segments.map(([, { body }]) => body).join(''))
        .digest('hex')
      assert.equal(digest, await digestOf(segmentsOf(place.path)), 'the objects are not the ledger')
    },
    close: peer.close,
  }
}

/** Before a request is heard, or after it was taken. */
const collector: MakeSubject = async (random, place) => {
  const token = 'the-token-of-the-producer'
  const directory = join(place.path, '..', 'collector')
  const accused: unknown[] = []
  const route = createCollector({
    storeOf: (logId) => fileStore(join(directory, 'mirrors', logId)),
    cosigner: openCosigner(join(directory, 'state')),
    tokens: [{ token, name: 'one' }],
    now: Date.now,
    record: async (event) => void accused.push(event),
  })
  let isStrict = true
  let logId = ''
  const server = createServer((request, response) => {
    logId = /mirrors\/([^/]+)/.exec(request.url ?? '')?.[1] ?? logId
    const fault = isStrict && random() < 0.3 ? pick(random, ['down', 'error', 'lying', 'lost answer'] as const) : 'none'
    if (fault === 'down') return void request.socket.destroy()
    if (fault === 'error') return void response.writeHead(503, { 'retry-after': '0' }).end()
    if (fault === 'lying') return void response.end('{}')
    void getRequestListener(async (asked) => {
      const answer = (await route(asked)) ?? new Response(null, { status: 404 })
      if (fault === 'lost answer') request.socket.destroy()
      return answer
    })(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    config: { type: 'collector', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token },
    behave() {
      isStrict = false
    },
    async check() {
      const mirror = join(directory, 'mirrors', logId)
      assert.equal(await digestOf(segmentsOf(mirror)), await digestOf(segmentsOf(place.path)), 'the mirror is not the ledger')
      assert.deepEqual(accused, [])
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Syslog says nothing back: what a connection loses is lost. So nobody cuts or refuses one here; the receiver is slow. */
const syslog: MakeSubject = async (random) => {
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
const email: MakeSubject = async (random) => {
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

export interface Row {
  readonly make: MakeSubject
  /** Why it is left out here. */
  readonly skip: string | false
}

const here = (make: MakeSubject): Row => ({ make, skip: false })
const noPostgres = (await isListening(POSTGRES)) ? false : `NO POSTGRESQL on 127.0.0.1:${POSTGRES}: the PostgreSQL sink was not tested`
const noNats = (await isListening(NATS)) ? false : `NO NATS on 127.0.0.1:${NATS}: the NATS sink was not tested`

/** Sinks by what they are. A new sink is a row here. */
export const SINKS: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(Object.entries(HTTP_SINKS).map(([what, make]) => [what, here(make)])),
  jsonl: here(jsonl),
  sqlite: here(sqlite),
  s3: here(s3),
  collector: here(collector),
  syslog: here(syslog),
  email: here(email),
  postgres: { make: postgres, skip: noPostgres },
  nats: { make: nats, skip: noNats },
  kafka: { make: kafka, skip: NO_KCAT },
}
