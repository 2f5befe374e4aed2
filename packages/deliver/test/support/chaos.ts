/**
 * Delivery of one ledger to some sinks, in a process that is killed again and again while their other sides fail. In the
 * end each holds exactly the ledger's events, those of a session in their order, and no process ever needed much memory.
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../../testkit/src/children.ts'
import { type Random, seededRandom } from '../../../../testkit/src/index.ts'
import { eventItem, makePlace, openAt, type Place, until } from '../../../../testkit/src/sink-contract.ts'
import { count } from '../../../../testkit/src/suite.ts'
import { readSinkStatus, sinkPlaces, writeRequest } from '../../src/index.ts'

const CHILD = fileURLToPath(new URL('chaos-child.ts', import.meta.url))
const SEED = 20_261_121
export const KILLS = count({ fast: 3, ci: 4, full: 50 })
const IDLE_MS = count({ fast: 60_000, ci: 240_000, full: 1_500_000 })

export interface Expected {
  readonly place: Place
  /** Of the events, ascending; the place in the list is the number in the event. */
  readonly seqs: readonly number[]
  /** By seq. */
  readonly sessions: readonly (string | undefined)[]
}

/** A sink under test: its configuration, and what must hold in the end. */
export interface Subject {
  readonly config: { readonly type: string; readonly name?: string; readonly [member: string]: unknown }
  /** From now on its other side takes everything. */
  behave(): void
  check(expected: Expected): Promise<void> | void
  close(): Promise<unknown> | unknown
}

export type MakeSubject = (random: Random, place: Place) => Promise<Subject>

/** As many, and each the same: a million seqs are not printed. */
export function assertSame(found: readonly number[], expected: readonly number[], what: string): void {
  const at = expected.findIndex((seq, i) => found[i] !== seq)
  assert.deepEqual([found.length, at, found[at]], [expected.length, -1, undefined], what)
}

/** @param held in the order of the first arrivals */
export function assertSessions(held: readonly number[], { sessions }: Expected, what: string): void {
  const last = new Map<string, number>()
  for (const seq of held) {
    const session = sessions[seq] ?? ''
    assert.ok((last.get(session) ?? -1) < seq, `${what}: entry ${seq} came after one that follows it in ${session}`)
    last.set(session, seq)
  }
}

export const ascending = (a: number, b: number) => a - b

export const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!

/** At least once: each is there, first arrivals in the order of their sessions. */
export function assertArrived(arrivals: readonly number[], expected: Expected, what: string): void {
  const held = [...new Set(arrivals)]
  assertSame(held.toSorted(ascending), expected.seqs, `what ${what} holds`)
  assertSessions(held, expected, what)
}

/** What is in the files, one after the other. */
export async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** Of a ledger or a mirror, oldest first. */
export function segmentsOf(path: string): string[] {
  const segments = join(path, 'segments')
  const names = readdirSync(segments).filter((name) => /^\d{20}\.jsonl$/.test(name))
  return names.toSorted().map((name) => join(segments, name))
}

async function expectedOf(place: Place): Promise<Expected> {
  const seqs: number[] = []
  const sessions: (string | undefined)[] = []
  for (const path of segmentsOf(place.path))
    for await (const line of createInterface(createReadStream(path))) {
      const session = /"session_id":"(s\d)"/.exec(line)?.[1] // the ledger's own records have none
      if (session !== undefined) seqs.push(sessions.length)
      sessions.push(session)
    }
  return { place, seqs, sessions }
}

/** Peak of resident memory, where the system says it. */
function peakMb({ pid }: ChildProcess): number {
  const path = `/proc/${pid}/status`
  const found = existsSync(path) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(path, 'utf8'))?.[1] : undefined
  return Number(found ?? 0) / 1024
}

interface Child extends ChildProcess {
  next(): Promise<string>
}

async function startChild(args: readonly string[], heapMb: number): Promise<Child> {
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source', `--max-old-space-size=${heapMb}`, CHILD]
  const child = endWithTests(spawn(process.execPath, [...flags, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value ?? 'ended'
  assert.equal(await next(), 'ready')
  return Object.assign(child, { next })
}

/** Until everything is delivered. */
async function assertIdle(child: Child, { path }: Place): Promise<void> {
  child.stdin!.write('\n')
  const said = await child.next()
  const left = said === 'idle' ? [] : (await readSinkStatus(path, Date.now())).filter(({ behind, trouble }) => behind > 0 || trouble)
  assert.deepEqual([said, left], ['idle', []], 'not everything was delivered in time')
}

const nameOf = ({ config }: Subject) => config.name ?? config.type

/** How far each sink is; undefined before its first start. */
function cursorsOf(subjects: readonly Subject[], { path }: Place): readonly (string | undefined)[] {
  const files = subjects.map((subject) => sinkPlaces(path, nameOf(subject)).cursor)
  return files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined))
}

/** What is parked is sent again, now that it is taken. */
async function replay(subjects: readonly Subject[], { path }: Place): Promise<void> {
  for (const subject of subjects) subject.behave()
  const requests = subjects.map((subject) => sinkPlaces(path, nameOf(subject)).request)
  for (const request of requests) writeRequest(request, {})
  await until(() => !requests.some((request) => existsSync(request)))
}

/** Of a process that delivers, at most: V8's heap of objects, and resident memory. */
export interface Memory {
  readonly heapMb: number
  readonly residentMb: number
}

export async function chaos(t: TestContext, make: readonly MakeSubject[], events: number, memory: Memory): Promise<void> {
  const { heapMb, residentMb } = memory
  const random = seededRandom(SEED)
  const place = makePlace()
  t.after(() => rmSync(join(place.path, '..'), { recursive: true, force: true }))
  const ledger = openAt(place, { rotateBytes: events > 100_000 ? 64 << 20 : 128 << 10 })
  const subjects = await Promise.all(make.map((one) => one(random, place)))
  t.after(() => Promise.all(subjects.map((subject) => subject.close())))
  const configs = JSON.stringify(subjects.map(({ config }) => config))
  const args = [place.path, ledger.info.origin, configs, events > 1000 ? '200' : '16', String(IDLE_MS)]
  let written = 0
  const write = (to: number) => {
    for (; written < to; ) {
      const amount = Math.min(200, to - written)
      ledger.append(Array.from({ length: amount }, (_, n) => eventItem(written + n, 50)))
      written += amount
    }
  }
  let peak = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const before = cursorsOf(subjects, place)
    const child = await startChild(args, heapMb)
    write(Math.floor((events * (kill + 1)) / (KILLS + 1)))
    await until(() => cursorsOf(subjects, place).filter((cursor, i) => cursor !== before[i]).length >= subjects.length / 2)
    await wait(Math.floor(random() * 250)) // somewhere in their work
    peak = Math.max(peak, peakMb(child))
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  write(events)
  ledger.close()
  const last = await startChild(args, heapMb)
  await assertIdle(last, place)
  await replay(subjects, place)
  await assertIdle(last, place)
  peak = Math.max(peak, peakMb(last))
  last.stdin!.end()
  await once(last, 'exit')
  const expected = await expectedOf(place)
  assert.equal(expected.seqs.length, events)
  for (const subject of subjects) await subject.check(expected)
  t.diagnostic(`${make.length} sinks, ${events} events, ${KILLS} kills, at most ${Math.round(peak)} MB (seed ${SEED})`)
  assert.ok(peak < residentMb, `${Math.round(peak)} MB`)
}
