/**
 * The Kafka sink's sign-in, at a gate that speaks it before librdkafka's mock cluster, which has none. The gate is held
 * to what brokers do by librdkafka's own client, which signs in at it too.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Item } from '../src/index.ts'
import { kafkaSink } from '../src/sinks/kafka.ts'
import { NO_KCAT, startCluster } from './support/kafka-cluster.ts'
import { type Account, type Mechanism, openGate } from './support/kafka-gate.ts'

const skip = NO_KCAT
const cluster = skip ? '' : await startCluster()
const ORIGIN = 'sworn.local/test'
const run = promisify(execFile)

const accountOf = (mechanism: Mechanism): Account => ({ mechanism, username: 'sworn=the,writer', password: 's3cr3t pässword' })
const newTopic = () => `sworn-${randomBytes(6).toString('hex')}`
const itemOf = (seq: number): Item => ({
  ...{ seq, key: `${ORIGIN}/${seq}`, entryHash: '', event: { event_type: 'x' } },
  ...{ body: `{"seq":${seq}}`, line: '{}' },
})

function kcat(address: string, { mechanism, username, password }: Account, ...args: string[]) {
  const sasl = ['security.protocol=sasl_plaintext', `sasl.mechanism=${mechanism}`, `sasl.username=${username}`, `sasl.password=${password}`]
  return run('kcat', ['-b', address, ...sasl.flatMap((one) => ['-X', one]), ...args], { timeout: 120_000 })
}

async function send(address: string, topic: string, sasl: Account) {
  const sink = await kafkaSink({ brokers: [address], topic, origin: ORIGIN, sasl })(undefined)
  try {
    return await sink.send([itemOf(1), itemOf(2)], AbortSignal.timeout(60_000))
  } finally {
    await sink.close()
  }
}

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`${mechanism}: with its password the sink is let in, and what it sent is read by who signs in as it does`, { skip }, async (t) => {
    const [account, topic] = [accountOf(mechanism), newTopic()]
    const gate = await openGate(cluster, account)
    t.after(gate.close)
    const outcome = await send(gate.address, topic, account)
    assert.equal(outcome.again, undefined, outcome.again?.reason)
    const own = gate.tries.taken
    assert.ok(own > 0)
    const { stdout } = await kcat(gate.address, account, '-C', '-t', topic, '-e', '-q', '-f', '%s\n')
    assert.deepEqual(stdout.split('\n').slice(0, -1).toSorted(), ['{"seq":1}', '{"seq":2}'])
    assert.ok(gate.tries.taken > own) // librdkafka's client
    assert.equal(gate.tries.refused, 0)
  })

  test(`${mechanism}: with another password nothing is sent, parked or told of it`, { skip }, async (t) => {
    const account = accountOf(mechanism)
    const gate = await openGate(cluster, account)
    t.after(gate.close)
    const { again, refused } = await send(gate.address, newTopic(), { ...account, password: 'another-s3cr3t' })
    assert.deepEqual([again?.indexes, refused], [[0, 1], undefined])
    assert.equal(again!.reason, 'SASL_AUTHENTICATION_FAILED')
    assert.deepEqual([gate.tries.taken, gate.tries.refused > 0], [0, true])
  })
}

test('SCRAM: a broker that does not know the password is not believed', { skip }, async (t) => {
  const account = accountOf('SCRAM-SHA-512')
  const gate = await openGate(cluster, account, false)
  t.after(gate.close)
  const { again } = await send(gate.address, newTopic(), account)
  assert.deepEqual(again?.indexes, [0, 1])
})

test('a broker that takes another mechanism is trouble', { skip }, async (t) => {
  const gate = await openGate(cluster, accountOf('SCRAM-SHA-512'))
  t.after(gate.close)
  const { again } = await send(gate.address, newTopic(), accountOf('SCRAM-SHA-256'))
  assert.deepEqual([again?.reason, gate.tries.taken], ['UNSUPPORTED_SASL_MECHANISM', 0])
})
