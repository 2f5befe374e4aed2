/** The Kafka sink against librdkafka's mock cluster over TCP, read by librdkafka's consumer; said loudly where kcat is absent. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { append, finish, makePlace, openAt, type Peer, planOf, sinkContract, start } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { readLetters } from '../src/dead-letters.ts'
import { type Item, sinkPlaces } from '../src/index.ts'
import { kafkaSink } from '../src/sinks/kafka.ts'
import { type KafkaDriver, loadKafka } from '../src/sinks/kafka-driver.ts'
import { certificate } from './support/certificate.ts'
import { NO_KCAT, startCluster } from './support/kafka-cluster.ts'

const ORIGIN = 'sworn.local/test'
const skip = NO_KCAT
const address = skip ? '' : await startCluster()

interface Message {
  readonly partition: number
  readonly key: string
  readonly header: string
  readonly value: string
}

const run = promisify(execFile)

/** Everything in the topic, partition by partition in their order. */
async function consume(topic: string): Promise<Message[]> {
  const { stdout } = await run('kcat', ['-b', address, '-C', '-t', topic, '-e', '-q', '-f', '%p\t%k\t%h\t%s\n'], {
    maxBuffer: 64 << 20,
  })
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [partition = '', key = '', header = '', value = ''] = line.split('\t')
      return { partition: Number(partition), key, header, value }
    })
}

/** The real driver; the next `times` answers are lost after the messages were stored. */
function losing(inner: KafkaDriver, lost: { times: number }): KafkaDriver {
  return {
    open(opening) {
      const producer = inner.open(opening)
      return {
        ...producer,
        async send(messages) {
          const count = await producer.send(messages)
          if (lost.times-- > 0) throw Object.assign(new Error('the answer is lost'), { code: 'ETIMEDOUT' })
          return count
        },
      }
    },
  }
}

const newTopic = () => `sworn-${randomBytes(6).toString('hex')}`
const sinkTo = (topic: string, lost = { times: 0 }) =>
  kafkaSink({ brokers: [address], topic, origin: ORIGIN, driver: async () => losing(await loadKafka(), lost) })

const itemOf = (body: string): Item => ({ seq: 0, key: 'k', entryHash: '', event: { event_type: 'x' }, body, line: '{}' })

async function peerOf(): Promise<Peer> {
  const topic = newTopic()
  const lost = { times: 0 }
  return {
    open: sinkTo(topic, lost),
    faults: ['lost answer'],
    fail: (_, times) => void (lost.times = times),
    held: async () => (await consume(topic)).map(({ value }) => JSON.parse(value).seq),
    drops: false,
    close: () => {},
  }
}

if (skip || later) test('the contract of the Kafka sink', { skip: skip || later }, () => {})
else sinkContract('kafka', peerOf)

test('a session is in one partition, in the order of the ledger; each message has the key of its entry', { skip }, async () => {
  const [place, topic] = [makePlace(), newTopic()]
  const ledger = openAt(place)
  append(ledger, 0, 60)
  await finish(start(place.path, ledger.info.origin, [planOf({ open: sinkTo(topic) })]))
  const messages = await consume(topic)
  assert.equal(messages.length, 60)
  for (const [session, of] of Map.groupBy(messages, ({ key }) => key)) {
    const entries = of.map(({ value }) => JSON.parse(value))
    assert.ok(entries.every(({ session_id }) => session_id === session))
    assert.equal(new Set(of.map(({ partition }) => partition)).size, 1)
    const seqs = entries.map(({ seq }) => seq)
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    )
    assert.deepEqual(
      of.map(({ header }) => header),
      seqs.map((seq) => `sworn-key=${ledger.info.origin}/${seq}`),
    )
  }
})

test('a cluster that is not there is trouble without its address', async () => {
  const sink = await kafkaSink({ brokers: ['127.0.0.1:1'], topic: 't', origin: ORIGIN })(undefined)
  const { again } = await sink.send([itemOf('{}')], AbortSignal.timeout(9000))
  assert.equal(again?.reason, 'ECONNREFUSED')
  await sink.close()
})

test('a message that no broker takes is parked with its word for it; other errors are tried again', async () => {
  const failing = (apiId: string): KafkaDriver => ({
    open: () => ({
      async send(messages) {
        if (messages.some(({ value }) => value.includes('tool_2')))
          throw Object.assign(new AggregateError([Object.assign(new Error(), { apiId })]))
        return 1
      },
      partitions: async () => 1,
      close: async () => {},
    }),
  })
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 5)
  const open = kafkaSink({ brokers: [], topic: 't', origin: ORIGIN, driver: async () => failing('MESSAGE_TOO_LARGE') })
  await finish(start(place.path, ledger.info.origin, [planOf({ open })]))
  assert.deepEqual(
    readLetters(sinkPlaces(place.path, 'test').dead).map(({ reason }) => reason),
    ['MESSAGE_TOO_LARGE'],
  )
  const sink = await kafkaSink({ brokers: [], topic: 't', origin: ORIGIN, driver: async () => failing('NOT_ENOUGH_REPLICAS') })(undefined)
  assert.equal((await sink.send([itemOf('tool_2')], AbortSignal.timeout(1000))).again?.reason, 'NOT_ENOUGH_REPLICAS')
})

test('brokers that never answer are left when the try ends', async (t) => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const sink = await kafkaSink({ brokers: [`127.0.0.1:${port}`], topic: 't', origin: ORIGIN })(undefined)
  const end = new AbortController()
  silent.once('connection', () => end.abort())
  const { again } = await sink.send([itemOf('{}')], end.signal)
  assert.match(again!.reason, /^[A-Z_]{4,40}$/)
  await sink.close()
})

test('a broker is spoken to over TLS only where its certificate is trusted', async (t) => {
  const pair = certificate()
  let met = 0
  const server = createTlsServer(pair, (socket) => {
    met++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`]
  const reasonWith = async (tls: { ca?: string }) => {
    const sink = await kafkaSink({ brokers, topic: 't', origin: ORIGIN, tls })(undefined)
    const { again } = await sink.send([itemOf('{}')], AbortSignal.timeout(9000))
    await sink.close()
    return again!.reason
  }
  assert.equal(await reasonWith({}), 'DEPTH_ZERO_SELF_SIGNED_CERT')
  assert.equal(met, 0)
  await reasonWith({ ca: pair.cert })
  assert.ok(met > 0)
})
