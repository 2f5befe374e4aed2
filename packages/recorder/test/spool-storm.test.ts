/** Producers with a spool while the recorder process hangs, is killed, and they are: every answered event is in the ledger once, in their order. @module */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { count, later } from '../../../testkit/src/suite.ts'
import { handOverLeftovers, spoolDirectory } from '../src/spool/leftovers.ts'
import { type Child, type Fact, pause, startChild } from './support/child.ts'
import { openRealPort } from './support/real-port.ts'
import { readLedger } from './support/stored.ts'
import { temporaryLedger } from './support/temporary.ts'

const ROUNDS = count({ fast: 1, ci: 3, full: 50 })
const CLIENTS = 3

/** Who is killed while the recorder hangs; chance decides when. */
const ENDS = [
  { recorder: true, client: false },
  { recorder: false, client: true },
  { recorder: true, client: true },
  { recorder: false, client: false },
] as const

test(`${CLIENTS} producers, and ${ROUNDS} times a recorder process that hangs, with a crash of it, of one of them or of both`, {
  timeout: 600_000,
  skip: later,
}, async () => {
  const path = temporaryLedger()
  const all: Child[] = []
  const begin = (what: 'hold' | 'spool') => startOne(path, what, all)
  let living: readonly One[] = await Promise.all([begin('hold'), ...Array.from({ length: CLIENTS }, () => begin('spool'))])
  for (let round = 0; round < ROUNDS; round++) {
    const end = ENDS[(round + 2) % ENDS.length]!
    const recorder = await findRecorder(path, living)
    const client = living.findLast((one) => one !== recorder && one.what === 'spool')!
    await progress(client, Math.floor(Math.random() * 20))
    await pause(recorder)
    await spoolsAnew(client)
    await progress(client, Math.floor(Math.random() * 30))
    const victims = [...(end.recorder ? [recorder] : []), ...(end.client ? [client] : [])]
    await Promise.all(victims.map(kill))
    if (!end.recorder) recorder.process.kill('SIGCONT')
    const next = await Promise.all(victims.map(({ what }) => begin(what)))
    living = [...next, ...living.filter((one) => !victims.includes(one))] // who comes is asked last
  }
  const codes = await Promise.all(living.map((one) => one.finish()))
  assert.deepEqual(
    codes,
    living.map(() => 0),
  )
  const facts = all.flatMap((child) => child.facts)
  await handOverRest(path)
  await checkAnswered(path, facts)
})

test('producers that come while nobody answers: what they are told waits for the ledger, with a crash of it, of one of them or of both', {
  timeout: 300_000,
  skip: later,
}, async () => {
  const path = temporaryLedger()
  const all: Child[] = []
  const begin = (what: 'hold' | 'spool') => startOne(path, what, all)
  let recorder = await begin('hold')
  for (const end of ENDS) {
    await pause(recorder)
    const clients = [await begin('spool'), await begin('spool')]
    await Promise.all(clients.map(spoolsAnew))
    if (end.recorder) await kill(recorder)
    if (end.client) await kill(clients[0]!)
    if (!end.recorder) recorder.process.kill('SIGCONT')
    await Promise.all(clients.map((one) => one.finish()))
    if (end.recorder) recorder = await begin('hold')
  }
  assert.equal(await recorder.finish(), 0)
  await handOverRest(path)
  await checkAnswered(
    path,
    all.flatMap((child) => child.facts),
  )
})

type One = Child & { readonly what: 'hold' | 'spool' }

/** A process that is open; one that finds the ledger busy is started again. */
async function startOne(path: string, what: One['what'], all: Child[]): Promise<One> {
  for (;;) {
    const one = { ...startChild(path, what), what }
    const fact = await one.when(({ open, failed }) => open !== undefined || failed !== undefined)
    if (fact?.open === undefined) await one.finish()
    else {
      all.push(one)
      return one
    }
  }
}

/** Any of them may have taken over. */
async function findRecorder(path: string, living: readonly One[]): Promise<One> {
  for (;;) {
    const pid = readHolder(path)
    const found = living.find((one) => one.pid === pid)
    if (found) return found
    await sleep(5) // a successor is about to write its name
  }
}

function readHolder(path: string): number | undefined {
  try {
    return JSON.parse(readFileSync(join(path, 'log.lock'), 'utf8')).pid
  } catch {
    return undefined // between two holders
  }
}

async function spoolsAnew(client: Child): Promise<void> {
  const before = client.facts.length
  await client.when(() => client.facts.slice(before).some(({ spooled }) => spooled))
}

async function progress(child: Child, many: number): Promise<void> {
  const before = child.facts.length
  await child.when(() => child.facts.length > before + many)
}

async function kill(child: Child): Promise<void> {
  const dead = new Promise((resolve) => child.process.once('close', resolve))
  child.process.kill('SIGKILL')
  await dead
}

/** What the last that were killed left. */
async function handOverRest(path: string): Promise<void> {
  const directory = spoolDirectory(`${path}.home`, path)
  const held = await openRealPort(path)
  const open = (producerId: string) => openRealPort(path, { producerId })
  await handOverLeftovers(directory, { open, lost: ({ reason }) => assert.fail(reason), signal: new AbortController().signal })
  await held.close()
  assert.deepEqual(existsSync(directory) ? readdirSync(directory) : [], [])
}

async function checkAnswered(path: string, facts: readonly Fact[]): Promise<void> {
  assert.deepEqual(
    facts.filter(({ failed }) => failed !== undefined),
    [],
  )
  const stored = await readLedger(path)
  const places = new Map<string, number>()
  for (const [place, { eventId }] of stored.entries()) {
    assert.ok(!places.has(eventId) || eventId === undefined, 'an event is there twice')
    places.set(eventId, place)
  }
  const answered = facts.filter(({ eventId }) => eventId !== undefined)
  assert.ok(answered.some(({ spooled }) => spooled))
  for (const { eventId } of answered) assert.ok(places.has(eventId!), 'an answered event is missing')
  for (const own of Map.groupBy(answered, ({ writer }) => writer).values()) {
    const order = own.toSorted((a, b) => a.n! - b.n!).map(({ eventId }) => places.get(eventId!)!)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  }
}
