/** Many processes on one ledger while they are killed, whoever records, whoever hands over, or both: one chain, every acknowledged event exactly once. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type Fact, startChild } from './support/child.ts'
import { readLedger } from './support/stored.ts'
import { temporaryLedger } from './support/temporary.ts'

const ROUNDS = { fast: 1, ci: 4, full: 60 }[process.env.SWORN_TESTS ?? 'fast'] ?? 1
const KILLS = { fast: 1, ci: 5, full: 100 }[process.env.SWORN_TESTS ?? 'fast'] ?? 1
const PROCESSES = process.env.SWORN_TESTS ? 8 : 3
const WRITERS = 8

test(`${PROCESSES} processes × ${WRITERS} writers, the recorder killed ${KILLS} times: every acknowledged event is there once`, {
  timeout: 600_000,
}, async () => {
  const path = temporaryLedger()
  const children: Child[] = Array.from({ length: PROCESSES }, () => startChild(path, 'write', WRITERS))
  await Promise.all(children.map((child) => child.when((fact) => fact.open !== undefined)))
  for (let kill = 0; kill < KILLS; kill++) children.push(await killRecorder(path, children))
  const living = children.filter((child) => child.process.signalCode === null)
  const codes = await Promise.all(living.map((child) => child.finish()))
  assert.deepEqual(
    codes,
    living.map(() => 0),
  )
  await checkAll(
    path,
    children.flatMap((child) => child.facts),
  )
})

/** What a round kills; chance decides when. */
const VICTIMS = ['the recorder', 'a client', 'the recorder and a client', 'everybody'] as const

test(`${PROCESSES} processes, and in each of ${ROUNDS} rounds the recorder, a client, both or all of them killed at any moment`, {
  timeout: 600_000,
}, async () => {
  const path = temporaryLedger()
  const children: Child[] = Array.from({ length: PROCESSES }, () => startChild(path, 'write', WRITERS))
  await Promise.all(children.map((child) => child.when((fact) => fact.open !== undefined)))
  for (let round = 0; round < ROUNDS; round++) {
    const what = VICTIMS[(round + 2) % VICTIMS.length]!
    await progress(children, Math.floor(Math.random() * 40))
    const victims = await chooseVictims(path, children, what)
    const dead = victims.map((victim) => new Promise((resolve) => victim.process.once('close', resolve)))
    for (const victim of victims) victim.process.kill('SIGKILL')
    await Promise.all(dead)
    const next = victims.map(() => startChild(path, 'write', WRITERS))
    children.push(...next)
    await Promise.all(next.map((child) => child.when((fact) => fact.open !== undefined || fact.failed !== undefined)))
  }
  await progress(children, 10)
  const living = children.filter(isAlive)
  const codes = await Promise.all(living.map((child) => child.finish()))
  assert.deepEqual(
    codes,
    living.map(() => 0),
  )
  await checkAll(
    path,
    children.flatMap((child) => child.facts),
  )
})

const isAlive = ({ process: { signalCode, exitCode } }: Child) => signalCode === null && exitCode === null

/** Resolves when one living process was acknowledged `many` events more. */
async function progress(children: readonly Child[], many: number): Promise<void> {
  const child = children.findLast(isAlive)!
  const before = child.facts.length
  await child.when(() => child.facts.length > before + many)
}

async function chooseVictims(path: string, children: readonly Child[], what: (typeof VICTIMS)[number]): Promise<readonly Child[]> {
  if (what === 'everybody') return children.filter(isAlive)
  const recorder = await findRecorder(path, children)
  const client = children.find((child) => isAlive(child) && child !== recorder)!
  return what === 'the recorder' ? [recorder] : what === 'a client' ? [client] : [recorder, client]
}

/** Kills whoever `log.lock` names after some events were acknowledged, and starts a process in its place. */
async function killRecorder(path: string, children: readonly Child[]): Promise<Child> {
  const before = children.map((child) => child.facts.length)
  const moved = children.findIndex((child) => child.process.signalCode === null)
  await children[moved]!.when(() => children[moved]!.facts.length > before[moved]! + 10)
  const victim = await findRecorder(path, children)
  victim.process.kill('SIGKILL')
  await new Promise((resolve) => victim.process.once('close', resolve))
  const next = startChild(path, 'write', WRITERS)
  await next.when((fact) => fact.open !== undefined || fact.failed !== undefined)
  return next
}

async function findRecorder(path: string, children: readonly Child[]): Promise<Child> {
  for (;;) {
    const pid: number = JSON.parse(readFileSync(join(path, 'log.lock'), 'utf8')).pid
    const found = children.find((child) => child.pid === pid && child.process.signalCode === null)
    if (found) return found
    await sleep(5) // a successor is about to write its name
  }
}

async function checkAll(path: string, facts: readonly Fact[]): Promise<void> {
  assert.deepEqual(
    facts.filter((fact) => fact.failed),
    [],
  )
  const acks = facts.filter((fact) => fact.seq !== undefined)
  const stored = await readLedger(path)
  const places = new Map<string, number>()
  for (const entry of stored) places.set(entry.eventId, (places.get(entry.eventId) ?? 0) + 1)
  assert.ok(acks.length > 100, `only ${acks.length} acknowledgements`)
  for (const ack of acks) {
    assert.equal(stored[ack.seq!]?.eventId, ack.eventId)
    assert.equal(stored[ack.seq!]?.entryHash, ack.entryHash)
    assert.equal(places.get(ack.eventId!), 1)
  }
}
