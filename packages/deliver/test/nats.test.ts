/** The NATS sink against a real JetStream on 127.0.0.1:4222; said loudly where none runs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type Peer, planOf, sinkContract } from '../../../testkit/src/sink-contract.ts'
import { type Item, probeSinks, systemClock } from '../src/index.ts'
import { natsSink } from '../src/sinks/nats.ts'
import { loadNats, type NatsDriver } from '../src/sinks/nats-driver.ts'

const SERVERS = '127.0.0.1:4222'
const isThere = await new Promise<boolean>((resolve) => {
  const socket = connectTcp(4222, '127.0.0.1', () => {
    socket.destroy()
    resolve(true)
  }).on('error', () => resolve(false))
})

const NO_NATS = 'NO NATS on 127.0.0.1:4222: the NATS sink was not tested'

/** The real driver; the next `times` answers are lost after the message was stored. */
function losing(inner: NatsDriver, lost: { times: number }): NatsDriver {
  return {
    async open(opening) {
      const stream = await inner.open(opening)
      return {
        ...stream,
        async publish(...message) {
          const sequence = await stream.publish(...message)
          if (lost.times-- > 0) throw Object.assign(new Error('the answer is lost'), { code: 'TIMEOUT' })
          return sequence
        },
      }
    },
  }
}

async function peerOf(): Promise<Peer> {
  const name = `sworn_test_${randomBytes(6).toString('hex')}`
  const lost = { times: 0 }
  const connection = await connect({ servers: SERVERS })
  const { streams } = await jetstreamManager(connection)
  const open = natsSink({
    servers: SERVERS,
    stream: name,
    subject: name,
    origin: 'sworn.local/test',
    driver: async () => losing(await loadNats(), lost),
  })
  const held = async () => {
    const { state } = await streams.info(name)
    const seqs: number[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const text = (await streams.getMessage(name, { seq }))?.string() // none where a probe was
      seqs.push(...(text?.split('\n') ?? []).map((line) => JSON.parse(line).seq))
    }
    return seqs
  }
  const close = async () => {
    await streams.delete(name).catch(() => {}) // a test that failed early never made it
    await connection.close()
  }
  return { open, faults: ['lost answer'], fail: (_, times) => void (lost.times = times), held, drops: true, close }
}

if (isThere) sinkContract('nats', peerOf)
else test('the NATS sink', { skip: NO_NATS }, () => {})

test('a stream from which nobody may remove keeps the probe, and that is said', { skip: isThere ? false : NO_NATS }, async (t) => {
  const name = `sworn_test_${randomBytes(6).toString('hex')}`
  const connection = await connect({ servers: SERVERS })
  const { streams } = await jetstreamManager(connection)
  await streams.add({ name, subjects: [`${name}.>`], deny_delete: true })
  t.after(async () => {
    await streams.delete(name)
    await connection.close()
  })
  const open = natsSink({ servers: SERVERS, stream: name, subject: name, origin: 'sworn.local/test' })
  const [result] = await probeSinks([planOf({ open })], { timeoutMs: 10_000, clock: systemClock })
  assert.deepEqual([result!.ok, result!.detail], [true, 'written, read back; the stream lets nobody remove it'])
})

const itemOf = (seq: number): Item => ({
  seq,
  key: `k/${seq}`,
  entryHash: '',
  event: { event_type: 'x' },
  body: `{"seq":${seq}}`,
  line: '',
})
const itemsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => itemOf(from + n))

/** A stream on the real server, what one subject of it holds, and a connection that is used for nothing else. */
async function streamOf(t: TestContext) {
  const name = `sworn_test_${randomBytes(6).toString('hex')}`
  const connection = await connect({ servers: SERVERS })
  const { streams } = await jetstreamManager(connection)
  await streams.add({ name, subjects: [`${name}.>`] })
  t.after(async () => {
    await streams.delete(name)
    await connection.close()
  })
  async function held(subject: string): Promise<number[]> {
    const { state } = await streams.info(name)
    const seqs: number[] = []
    for (let seq = 1; seq <= state.last_seq; seq++) {
      const message = await streams.getMessage(name, { seq })
      if (message?.subject === subject)
        seqs.push(
          ...message
            .string()
            .split('\n')
            .map((line) => JSON.parse(line).seq),
        )
    }
    return seqs
  }
  return { name, held, publisher: jetstream(connection) }
}

const { signal } = new AbortController()

test('several messages are under way at once, and others may write into the stream between them', {
  skip: isThere ? false : NO_NATS,
}, async (t) => {
  const { name, held, publisher } = await streamOf(t)
  let others = 0
  const pushed = async (): Promise<NatsDriver> => {
    const inner = await loadNats()
    return {
      async open(opening) {
        const stream = await inner.open(opening)
        return {
          ...stream,
          async publish(subject, body, message) {
            if (typeof message.after === 'string' && others++ === 0) await publisher.publish(`${name}.other`, '{"seq":0}')
            return await stream.publish(subject, body, message)
          },
        }
      },
    }
  }
  const common = { servers: SERVERS, stream: name, origin: 'sworn.local/a' }
  const sink = await natsSink({ ...common, subject: name, driver: pushed })(undefined)
  const twin = await natsSink({ ...common, subject: `${name}.twin` })(undefined)
  t.after(() => Promise.all([sink.close(), twin.close()]))
  for (const from of [0, 2000, 4000]) {
    const outcomes = await Promise.all([sink, twin].map((one) => one.send(itemsOf(from, from + 2000), signal)))
    for (const { again } of outcomes) assert.equal(again, undefined)
  }
  const all = itemsOf(0, 6000).map(({ seq }) => seq)
  assert.deepEqual(await held(`${name}.sworn_local_a`), all)
  assert.deepEqual(await held(`${name}.twin.sworn_local_a`), all)
  assert.deepEqual(await held(`${name}.other`), [0])
  assert.ok(others > 1)
})

/** A way to the server that ends each connection after so many bytes. */
async function openWay(t: TestContext, bytes: () => number): Promise<string> {
  const sockets = new Set<Socket>()
  const way = createServer((near) => {
    const far = connectTcp(4222, '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    let left = bytes()
    near.on('data', (chunk) => {
      far.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left <= 0) far.end(() => near.destroy())
    })
    near.on('close', () => far.destroy())
    far.pipe(near)
  })
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    way.close()
  })
  return `127.0.0.1:${(way.address() as AddressInfo).port}`
}

test('connections that are cut anywhere between messages under way leave nothing out and nothing twice', {
  skip: isThere ? false : NO_NATS,
}, async (t) => {
  const { name, held } = await streamOf(t)
  let cuts = 0
  const servers = await openWay(t, () => 4_000 + 1_777 * cuts++)
  const sink = await natsSink({ servers, stream: name, subject: name, origin: 'sworn.local/a' })(undefined)
  t.after(() => sink.close())
  for (let from = 0; from < 6000; from += 2000) {
    for (let tries = 0; (await sink.send(itemsOf(from, from + 2000), signal)).again; tries++) assert.ok(tries < 100)
  }
  assert.deepEqual(
    await held(`${name}.sworn_local_a`),
    itemsOf(0, 6000).map(({ seq }) => seq),
  )
  assert.ok(cuts > 3)
})

test('a connection that is cut while a batch is under way is said at once, and not after a time limit', {
  skip: isThere ? false : NO_NATS,
}, async (t) => {
  const name = `sworn_test_${randomBytes(6).toString('hex')}`
  const connection = await connect({ servers: SERVERS })
  const { streams } = await jetstreamManager(connection)
  const sockets = new Set<Socket>()
  let isCut = false
  const way = createServer((near) => {
    const far = connectTcp(4222, '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.pause().on('error', () => {}))
    near.on('data', () => isCut && near.destroy())
    near.on('close', () => far.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
  const servers = `127.0.0.1:${(way.address() as AddressInfo).port}`
  const sink = await natsSink({ servers, stream: name, subject: name, origin: 'sworn.local/test' })(undefined)
  t.after(async () => {
    await sink.close()
    for (const socket of sockets) socket.destroy()
    way.close()
    await streams.delete(name)
    await connection.close()
  })
  assert.equal((await sink.send([itemOf(0)], signal)).again, undefined)
  isCut = true
  const { again } = await sink.send([itemOf(1)], signal)
  assert.deepEqual([again?.indexes, /time/i.test(again?.reason ?? '')], [[0], false], again?.reason)
  isCut = false
  assert.equal((await sink.send([itemOf(1)], signal)).again, undefined)
})
