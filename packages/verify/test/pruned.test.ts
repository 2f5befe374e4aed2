/** Pruned logs, the signer's memory, and what the caller found around a log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import {
  checkPart,
  createLogCheck,
  leafHash,
  parseHex,
  parseLine,
  type Report,
  toHex,
  type VerifyOptions,
  verifyLog,
} from '../src/index.ts'
import { joinLines, sampleLog, segmentOf, signerOf, type TestLog, writeLog } from './support/write-log.ts'

const signer = signerOf(1)
const next = signerOf(2)

interface Pruned {
  readonly log: TestLog
  /** First entry that is left. */
  readonly at: number
  readonly leaves: Buffer
  readonly reserved: Uint8Array[]
  /** Signed over all before the log.prune. */
  readonly noteBefore: string
}

const KEPT = /"event_type":"log\.(?:open|key_transition|prune)"/

/** A log with a transition among its pruned entries, and a signed log.prune. */
function prunedLog(hash: 'sha256' | 'sha3-256' = 'sha256', minimum?: number): Pruned {
  const log = writeLog(signer, { hash })
  for (let i = 0; i < 5; i++) log.add({ i })
  log.transition(signer, next)
  for (let i = 0; i < 5; i++) log.add({ i })
  const at = log.reserved('log.segment', segmentOf(log))
  for (let i = 0; i < 5; i++) log.add({ i })
  const noteBefore = log.note(next)
  log.reserved('log.prune', { minimum_index: minimum ?? at, policy: 'P', archived_to: null })
  log.checkpoint(next)
  const hashes = log.lines.map((line) => leafHash(p, parseHex(parseLine(line).entryHash)))
  const reserved = log.lines.filter((line) => KEPT.test(Buffer.from(line).toString()))
  return { log, at, leaves: Buffer.concat(hashes.slice(0, at)), reserved, noteBefore }
}

async function check({ log, at, leaves, reserved }: Pruned, given: Partial<VerifyOptions> = {}, chunk = 1000): Promise<Report> {
  const verification = createLogCheck({ primitives: p, trust: signer.key, reserved, ...given })
  for (let from = 0; from < leaves.length; from += chunk) verification.feedLeaves(leaves.subarray(from, from + chunk))
  await verification.feed(joinLines(log.lines.slice(at)))
  return verification.finish()
}
const found = (report: Report): [string, number | undefined][] => report.findings.map((f) => [f.class, f.seq])

test('a pruned log holds behind its leaves, under the keys that its kept records hand on', async () => {
  for (const hash of ['sha256', 'sha3-256'] as const) {
    const pruned = prunedLog(hash)
    for (const chunk of [7, 32, 1000]) {
      const report = await check(pruned, {}, chunk)
      assert.deepEqual([found(report), report.first, report.size], [[], pruned.at, pruned.log.lines.length])
      assert.deepEqual([report.levels.signed.holds, report.levels.signed.epoch], [true, 1])
      assert.deepEqual(report.pruned, { seq: pruned.log.lines.length - 2, policy: 'P' })
      assert.match(report.levels.complete.detail, /those before were pruned: their existence is signed/)
    }
  }
})

test('a pruned log is joined from parts with the same report', async () => {
  const pruned = prunedLog()
  const options = { primitives: p, trust: signer.key, reserved: pruned.reserved, checkpoints: [pruned.log.note(next)] }
  for (let cut = pruned.at; cut < pruned.log.lines.length; cut++) {
    const verification = createLogCheck(options)
    verification.feedLeaves(pruned.leaves)
    for (const lines of [pruned.log.lines.slice(pruned.at, cut), pruned.log.lines.slice(cut)]) {
      const part = await checkPart([joinLines(lines)], { primitives: p, sizes: verification.sizes })
      assert.equal(part !== undefined && (await verification.join(part)), lines.length > 0)
    }
    assert.deepEqual(await verification.finish(), await check(pruned, options))
  }
})

test('entries that are gone without a signed log.prune that covers them are segment_missing', async () => {
  const pruned = prunedLog()
  const unsigned = { ...pruned, log: { ...pruned.log, lines: pruned.log.lines.slice(0, -1) } }
  assert.deepEqual(found(await check(unsigned)), [['segment_missing', 0]])
  assert.deepEqual(found(await check(unsigned, { checkpoints: [pruned.noteBefore] })), [['segment_missing', 0]])
  assert.deepEqual(found(await check(prunedLog('sha256', 3))), [['segment_missing', 0]])
  const { log, at } = pruned
  const nothing = createLogCheck({ primitives: p, reserved: pruned.reserved })
  nothing.feedLeaves(pruned.leaves)
  const report = await nothing.finish()
  assert.deepEqual([found(report), report.size, log.lines.length > at], [[['segment_missing', 0]], at, true])
})

test('a log.prune of entries that were not yet there is record_malformed', async () => {
  const minimums: (number | string)[] = [99, 'x']
  for (const minimum of minimums) {
    const log = writeLog(signer)
    log.reserved('log.prune', { minimum_index: minimum, policy: 'P' })
    assert.deepEqual(found(await verifyLog([log.bytes()], { primitives: p })), [['record_malformed', 1]])
  }
})

test('any other leaf is found at the first checkpoint, the last one at the first entry', async () => {
  const pruned = prunedLog()
  await fc.assert(
    fc.asyncProperty(fc.nat(pruned.leaves.length - 1), async (at) => {
      const leaves = Buffer.from(pruned.leaves)
      leaves[at]! ^= 1
      const classes = (await check({ ...pruned, leaves })).findings.map((f) => f.class)
      const last = at >= leaves.length - 32
      assert.ok(classes.includes('root_mismatch'), classes.join())
      assert.equal(classes.includes('previous_hash_mismatch'), last)
    }),
    { numRuns: 60 },
  )
})

test('a kept record that is none of the tree is record_malformed, whatever is wrong with it', async () => {
  const pruned = prunedLog()
  const [open, transition] = pruned.reserved as [Uint8Array, Uint8Array]
  const other = writeLog(signer)
  other.add({ i: 9 })
  const changed = Buffer.from(Buffer.from(open).toString().replace('log_id":"A', 'log_id":"B'))
  const event = pruned.log.lines[2]!
  const unheard = writeLog(signer) // a record of its own hash, but not of the leaf
  unheard.reserved('log.x')
  const misnamed = Buffer.from(
    Buffer.from(transition)
      .toString()
      .replace(/"entry_hash":"./, (head) => `${head.slice(0, -1)}${head.endsWith('0') ? '1' : '0'}`),
  )
  const twice = writeLog(signer)
  twice.add(`{"event_type":"log.x","event_type":"log.x"}`)
  const cases: [Uint8Array[], [string, number | undefined]][] = [
    [
      [Buffer.from('no line'), open, transition],
      ['record_malformed', undefined],
    ],
    [
      [open, other.lines[1]!, transition],
      ['record_malformed', 1],
    ],
    [
      [open, event, transition],
      ['record_malformed', 2],
    ],
    [
      [open, unheard.lines[1]!, transition],
      ['record_malformed', 1],
    ],
    [
      [open, misnamed],
      ['record_malformed', 6],
    ],
    [
      [changed, transition],
      ['record_malformed', 0],
    ],
  ]
  for (const [reserved, wanted] of cases) assert.deepEqual(found(await check({ ...pruned, reserved }))[0], wanted)
  const lines = [twice.lines[0]!, twice.lines[1]!]
  const leaves = Buffer.concat(lines.map((line) => leafHash(p, parseHex(parseLine(line).entryHash))))
  const verification = createLogCheck({ primitives: p, reserved: lines })
  verification.feedLeaves(leaves)
  assert.deepEqual(found(await verification.finish())[0], ['record_malformed', 1])
})

test('a pruned log whose first line is none, or of another place, is reported like any other', async () => {
  const pruned = prunedLog()
  const start = createLogCheck({ primitives: p, reserved: pruned.reserved })
  start.feedLeaves(pruned.leaves)
  await start.feed(Buffer.from('no line\n'))
  assert.deepEqual(found(await start.finish())[0], ['suffix_malformed', pruned.at])
  const bare = createLogCheck({ primitives: p })
  bare.feedLeaves(pruned.leaves)
  assert.deepEqual(found(await bare.finish()), [['segment_missing', 0]])
  assert.deepEqual(found(await check({ ...pruned, at: pruned.at + 1 }))[0]?.[0], 'seq_gap')
  assert.deepEqual(found(await check({ ...pruned, leaves: Buffer.alloc(5) }))[0]?.[0], 'segment_missing')
  assert.deepEqual(found(await check({ ...pruned, reserved: [] })).at(-1), ['segment_missing', 0])
})

const memory = async (log: TestLog, given: Partial<VerifyOptions>): Promise<[string, number | undefined, string][]> =>
  (await verifyLog([log.bytes()], { primitives: p, trust: signer.key, ...given })).findings.map((f) => [f.class, f.seq, f.at])

test('the note of the signer beyond the end is a rollback, with another root a fork, unreadable state_invalid', async () => {
  const { log, final } = sampleLog(signer, 5)
  const longer = sampleLog(signer, 6).final
  const longest = sampleLog(signer, 7).final
  assert.deepEqual(await memory(log, { signerNotes: [final] }), [])
  assert.deepEqual(await memory(log, { signerNotes: [longer], checkpoints: [longer, longer, longest] }), [
    ['rollback', undefined, 'signer state of size 8'],
    ['truncated_below_checkpoint', undefined, 'checkpoint of size 9'],
  ])
  const other = writeLog(signer)
  for (let i = 0; i < 6; i++) other.add({ other: i })
  assert.deepEqual(
    (await memory(log, { signerNotes: [other.note(signer)] })).map(([name]) => name),
    ['fork'],
  )
  assert.deepEqual((await memory(log, { signerNotes: ['no'] }))[0]?.slice(0, 1), ['state_invalid'])
})

test('an acknowledged entry is there with its hash, or it is lost; what was pruned or lies behind a gap is not judged', async () => {
  const { log } = sampleLog(signer, 9)
  const hashAt = (seq: number): string => parseLine(log.lines[seq]!).entryHash
  for (const size of [1, 2, 5, log.lines.length]) {
    assert.deepEqual(await memory(log, { acknowledged: { size, entryHash: hashAt(size - 1) } }), [])
    assert.deepEqual(await memory(log, { acknowledged: { size, entryHash: toHex(new Uint8Array(32)) } }), [
      ['acknowledged_lost', size - 1, `seq=${size - 1}`],
    ])
  }
  const beyond = log.lines.length + 1
  for (const size of [beyond, beyond + 1]) {
    const lost = await memory(log, { acknowledged: { size, entryHash: hashAt(0) } })
    assert.deepEqual(
      lost.map(([name]) => name),
      ['acknowledged_lost'],
    )
  }
  const pruned = prunedLog()
  const at = { ...pruned.log, bytes: () => joinLines(pruned.log.lines.slice(pruned.at)) }
  const early = await memory(at, { acknowledged: { size: 3, entryHash: hashAt(0) }, trust: next.key })
  assert.deepEqual(early, [])
  const begun = { seq: log.frontier.size, previousHash: log.head(), frontier: log.frontier.hashes() }
  const nothing = await verifyLog([], {
    primitives: p,
    trust: signer.key,
    start: begun,
    acknowledged: { size: begun.seq, entryHash: log.head() },
  })
  assert.deepEqual(nothing.findings, [])
  const gap = { ...log, bytes: () => joinLines(log.lines.toSpliced(3, 1)) }
  assert.deepEqual(
    (await memory(gap, { acknowledged: { size: 6, entryHash: hashAt(5) } })).map(([name]) => name),
    ['seq_gap'],
  )
})

test('what the caller found around the log breaks its level, is said once a place, and may be a warning', async () => {
  const { log } = sampleLog(signer, 3)
  const verification = createLogCheck({ primitives: p })
  assert.equal(verification.size, 0)
  verification.add('copied', 'here', 'one place was expected', 'warning')
  verification.add('detached', 'file', 'a directory was expected')
  verification.add('detached', 'file', 'a directory was expected')
  await verification.feed(log.bytes())
  await verification.feed(Buffer.from('{"x'))
  assert.deepEqual([verification.size, verification.hasTail()], [log.lines.length, true])
  const report = await verification.finish(true)
  assert.deepEqual(
    report.findings.map(({ class: name, severity }) => [name, severity]),
    [
      ['copied', 'warning'],
      ['detached', 'finding'],
    ],
  )
  assert.deepEqual([report.levels.bytes.holds, report.levels.chain.holds, report.findingsOmitted], [true, false, 0])
})
