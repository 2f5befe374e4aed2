import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ChangeName, CRASH, type Fault, type FaultyOps, faultyOps } from '../../../testkit/src/fault/faulty-ops.ts'
import { type Choose, createPageCache, KEEP_ALL, KEEP_NOTHING, type PageCache } from '../../../testkit/src/fault/page-cache.ts'
import { errorCode, type FileOps } from '../src/ledger/file-ops.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import type { Ack } from '../src/port/types.ts'
import { acked, createCase, FILE, findings, item, outcome, PATH, tickAll, verify } from './support/ledger-case.ts'

const mode = process.env.SWORN_TESTS
const SEEDS = mode === 'full' ? 6 : 1
/** Every how many steps the power is cut, or a step fails. */
const STRIDE = mode === 'full' ? 1 : mode === 'ci' ? 5 : 23

/** What was promised before the power went. */
interface Promised {
  acks: Ack[]
}

interface Script {
  name: string
  path: string
  run(open: (options?: object) => Ledger, promised: Promised, advance: (ms: number) => void, tickAll: (ledger: Ledger) => void): void
}

function keep(promised: Promised, ledger: Ledger, n: number, level: 'batch' | 'sync'): void {
  keepAnswers(promised, ledger.append([item(n, level, { session_id: 's' })]))
}

/** Two events whose sync runs beside the caller. */
function keepBoth(promised: Promised, ledger: Ledger, n: number): void {
  const events = [item(n, 'sync', { session_id: 's' }), item(n + 1, 'sync', { session_id: 's' })]
  keepAnswers(promised, ledger.appendAside(events, () => {}).answers())
}

function keepAnswers(promised: Promised, answers: ReturnType<Ledger['append']>): void {
  for (const ack of answers) if (outcome(ack) === 'ack' && acked(ack).durable) promised.acks.push(acked(ack))
}

/** The same disk with syncs beside the caller, which end as they begin. */
function withSyncsAside(ops: FaultyOps): FaultyOps {
  return {
    ...ops,
    fdatasyncAside(fd, done) {
      let error: Error | null = null
      try {
        ops.fdatasync(fd)
      } catch (e) {
        error = e as Error // of the simulated disk
      }
      done(error)
    },
  }
}

const scripts: Script[] = [PATH, FILE].flatMap((path) => {
  const kind = path === PATH ? 'directory' : 'file mode'
  return [
    {
      name: `${kind}: create, append, checkpoint, close, open again`,
      path,
      run(open, promised, advance) {
        const ledger = open()
        keep(promised, ledger, 1, 'batch')
        keep(promised, ledger, 2, 'sync')
        advance(1500)
        for (let n = 20; n < 28; n++) {
          ledger.tick() // one step of the signature, and a commit before the next
          keep(promised, ledger, n, n % 3 ? 'batch' : 'sync')
        }
        ledger.close()
        const again = open()
        keep(promised, again, 4, 'sync')
        keepBoth(promised, again, 5)
        keep(promised, again, 7, 'batch')
        keepBoth(promised, again, 8)
      },
    },
    {
      name: `${kind}: rotation, new key, pruning`,
      path,
      run(open, promised, advance, tickAll) {
        const ledger = open({ rotateBytes: 1500 })
        for (let n = 0; n < 4; n++) keep(promised, ledger, n, 'sync')
        advance(1500)
        tickAll(ledger)
        ledger.rotateKey()
        keep(promised, ledger, 10, 'sync')
        ledger.prune(6, { policy: 'test', unanchored: true })
        keep(promised, ledger, 11, 'sync')
      },
    },
  ] satisfies Script[]
})

describe('a power cut at any step', () => {
  for (const script of scripts) {
    it(`leaves a ledger that opens by itself and keeps what was on disk (${script.name})`, async () => {
      const steps = countSteps(script)
      assert.ok(steps > 40, `${steps} steps`)
      for (let at = script.name.length % STRIDE; at < steps; at += STRIDE) {
        for (const [name, choose] of choices(at)) await cutAt(script, at, choose, `step ${at} of ${steps}, ${name}`)
      }
    })
  }
})

function choices(at: number): [string, Choose][] {
  const seeded = Array.from({ length: SEEDS }, (_, n): [string, Choose] => [`seed ${at}/${n}`, random(at * 1000 + n)])
  return [['nothing unsynced kept', KEEP_NOTHING], ['all kept', KEEP_ALL], ...seeded]
}

/** mulberry32. */
function random(seed: number): Choose {
  let state = seed + 1
  return (count) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % count
  }
}

function play(script: Script, ops: FileOps, promised: Promised): void {
  const disk = createCase('crash')
  script.run(
    (options) => disk.open({ path: script.path, fileOps: ops, ...options }),
    promised,
    (ms) => {
      disk.time += ms
    },
    (ledger) => tickAll(disk, ledger),
  )
}

function countSteps(script: Script): number {
  const ops = withSyncsAside(faultyOps(createPageCache(), { at: -1, fault: 'crash', code: CRASH }))
  play(script, ops, { acks: [] })
  return ops.steps.length
}

async function cutAt(script: Script, at: number, choose: Choose, context: string): Promise<void> {
  const memory = createPageCache()
  const promised: Promised = { acks: [] }
  try {
    play(script, withSyncsAside(faultyOps(memory, { at, fault: 'crash', code: CRASH })), promised)
  } catch (e) {
    if (!isCrash(e)) throw e
  }
  await checkSurvivor(memory.crash(choose), script.path, promised, context)
}

function isCrash(e: unknown): boolean {
  return (
    e instanceof Error &&
    (errorCode(e) === CRASH || isCrash(e.cause) || ['IO_FAILED', 'APPEND_UNKNOWN', 'APPEND_REFUSED'].includes(errorCode(e)))
  )
}

/** The invariants of ledger.md §4.2. */
async function checkSurvivor(ops: PageCache, path: string, promised: Promised, context: string): Promise<void> {
  const disk = createCase('after', ops, Date.parse('2026-01-02T00:00:00Z'))
  let ledger: Ledger
  try {
    ledger = disk.open({ path })
  } catch (e) {
    throw new Error(`does not open: ${context}`, { cause: e })
  }
  const pruned = Number(firstSeq(ops, path))
  for (const ack of promised.acks) assert.ok(ack.seq < pruned || ledger.holds(ack.seq, ack.entryHash), `seq ${ack.seq} is gone: ${context}`)
  assert.equal(outcome(ledger.append([item(900, 'sync', { session_id: 's' })])[0]), 'ack', context)
  ledger.close()
  if (pruned === 0) assert.deepEqual(findings(await verify(ops, path)), [], context)
}

function firstSeq(ops: PageCache, path: string): number {
  const root = path === FILE ? `${path}.ledger` : path
  const [first] = ops
    .readdir(`${root}/segments`)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
  return first === undefined ? 0 : Number(first.slice(0, 20))
}

describe('an error of the disk', () => {
  const columns: { fault: Fault; code: string; only: ChangeName[] }[] = [
    { fault: 'failed', code: 'EIO', only: ['write'] },
    { fault: 'persisted', code: 'EIO', only: ['write'] },
    { fault: 'short', code: 'ENOSPC', only: ['write'] },
    { fault: 'failed', code: 'EIO', only: ['fdatasync', 'fsync'] },
    { fault: 'persisted', code: 'EIO', only: ['fdatasync', 'fsync'] },
    { fault: 'lost', code: 'EIO', only: ['fdatasync', 'fsync'] },
    { fault: 'failed', code: 'EIO', only: ['rename', 'link', 'unlink', 'syncDirectory', 'open', 'truncate'] },
    { fault: 'persisted', code: 'EIO', only: ['rename', 'link', 'unlink', 'syncDirectory', 'open', 'truncate'] },
  ]
  for (const path of [PATH, FILE]) {
    for (const { fault, code, only } of columns) {
      it(`${code} at each ${only[0]} (${fault}, ${path}): nothing acknowledged is lost, nothing is written twice, the writer goes on`, async () => {
        const steps = runWithFault(path, { at: -1, fault, code, only }).steps
        assert.ok(steps > 5, `${steps} steps`)
        for (let at = code.length % STRIDE; at < steps; at += STRIDE) {
          const context = `${code} ${fault} at ${only[0]} ${at} of ${steps}`
          const { memory, promised } = runWithFault(path, { at, fault, code, only })
          await checkSurvivor(memory.crash(KEEP_NOTHING), path, promised, context)
          await checkSurvivor(memory.crash(KEEP_ALL), path, promised, context)
          checkOnce(memory, path, context)
        }
      })
    }
  }
})

/** Sends each event until it is acknowledged, as a producer does. */
function runWithFault(path: string, plan: Parameters<typeof faultyOps>[1]) {
  const memory = createPageCache()
  const ops = withSyncsAside(faultyOps(memory, plan))
  const disk = createCase('fault')
  const promised: Promised = { acks: [] }
  const ledger = openTwice(() => disk.open({ path, fileOps: ops, rotateBytes: 4000 }))
  for (let n = 0; n < 6; n++) {
    for (let attempt = 0; attempt < 4; attempt++) {
      disk.time += 300
      const events = [item(n, n % 2 ? 'sync' : 'batch', { session_id: 's' })]
      const [answer] = n === 3 ? ledger.appendAside(events, () => {}).answers() : ledger.append(events)
      if (outcome(answer) !== 'ack') continue
      if (acked(answer).durable) promised.acks.push(acked(answer))
      break
    }
    tickAll(disk, ledger)
  }
  return { memory, promised, steps: ops.steps.length }
}

describe('a ledger that could not be opened again', () => {
  it('tries after a quarter of a second, also when the clock was set back meanwhile', () => {
    const disk = createCase()
    const ops = faultyOps(disk.ops, { at: -1, fault: 'failed', code: 'EIO', only: ['fdatasync'] })
    const ledger = disk.open({ fileOps: ops })
    Object.assign(ops.plan, { at: ops.steps.length })
    assert.equal(outcome(ledger.append([item(1, 'sync')])[0]), 'APPEND_UNKNOWN')
    Object.assign(ops.plan, { at: ops.steps.length })
    assert.equal(outcome(ledger.append([item(1, 'sync')])[0]), 'APPEND_REFUSED')
    const [waiting] = ledger.append([item(1, 'sync')])
    assert.equal(outcome(waiting), 'APPEND_REFUSED', 'not at once')
    assert.match(waiting instanceof Error ? waiting.message : '', /could not be opened again: .*EIO/, 'and still says why')
    disk.time -= 3_600_000
    assert.equal(outcome(ledger.append([item(1, 'sync')])[0]), 'ack')
  })
})

function openTwice(open: () => Ledger): Ledger {
  try {
    return open()
  } catch {
    return open() // a crash of the first creation leaves nothing that hinders the second
  }
}

function checkOnce(memory: PageCache, path: string, context: string): void {
  const ids = new Map<string, number>()
  const root = path === FILE ? `${path}.ledger/segments` : `${path}/segments`
  const files = [
    ...memory
      .readdir(root)
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .map((name) => `${root}/${name}`),
    ...(path === FILE ? [FILE] : []),
  ]
  for (const file of files) {
    for (const line of (memory.content(file) ?? Buffer.alloc(0)).toString('utf8').split('\n').slice(0, -1)) {
      const id = /"event_id":"(0190b0a0[^"]*)"/.exec(line)?.[1]
      if (id !== undefined) ids.set(id, (ids.get(id) ?? 0) + 1)
    }
  }
  for (const n of [0, 1, 2, 3, 4, 5]) assert.equal(ids.get(item(n).eventId), 1, `event ${n}: ${context}`)
}
