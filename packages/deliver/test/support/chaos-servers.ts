/** Sinks to real servers, under chaos: a way that loses connections lies between. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { endWithTests } from '../../../../testkit/src/children.ts'
import { until } from '../../../../testkit/src/sink-contract.ts'
import { assertArrived, assertSame, type MakeSubject } from './chaos.ts'
import { openFaultyWay } from './chaos-peers.ts'
import { startCluster } from './kafka-cluster.ts'
import { withClient } from './postgres.ts'

export const POSTGRES = 5432
export const NATS = 4222

const newName = () => `sworn_chaos_${randomBytes(6).toString('hex')}`
const seqsIn = (text: string) => [...text.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq))

export const postgres: MakeSubject = async (random) => {
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

export const nats: MakeSubject = async (random) => {
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
export const kafka: MakeSubject = async (random) => {
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
