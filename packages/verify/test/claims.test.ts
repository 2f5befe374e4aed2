/** What a report says in words, and which finding takes which claim away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import {
  createLogCheck,
  FINDING_LEVEL,
  type FindingClass,
  formatCheckpoint,
  formatTransition,
  LEVELS,
  type LevelName,
  linkLine,
  type Report,
  reportVerdict,
  signableText,
  type VerifyOptions,
  verifyLog,
  withSignature,
} from '../src/index.ts'
import { joinLines, noteBy, ORIGIN, sampleLog, segmentOf, signerOf, type TestLog, writeLog } from './support/write-log.ts'

const signer = signerOf(1)
const check = (bytes: Uint8Array, more: Partial<VerifyOptions> = {}): Promise<Report> =>
  verifyLog([bytes], { primitives: p, trust: signer.key, ...more })
const details = ({ levels }: Report): Record<string, string> => Object.fromEntries(LEVELS.map((name) => [name, levels[name].detail]))

test('after a clean close only the record of the newest checkpoint lies behind what is signed, and the report says so', async () => {
  const log = writeLog(signer)
  log.add({ a: 1 })
  log.checkpoint(signer)
  assert.deepEqual(details(await check(log.bytes())), {
    bytes: '3 lines of the fixed form',
    chain: 'seq 0 to 2, each linked to the one before',
    tree: 'root of size 3',
    signed: `seq 0 to 1 by ${ORIGIN}, epoch 0; behind it only the checkpoint's own record`,
    anchored: 'not checked: no witness is configured',
    complete: 'seq 0 to 2, none missing',
  })
})

test('entries that no checkpoint covers are counted, one as one', async () => {
  const log = writeLog(signer)
  const signedDetail = async (more: Partial<VerifyOptions> = {}): Promise<string> => details(await check(log.bytes(), more)).signed!
  const note = log.note(signer)
  assert.deepEqual(details(await check(log.bytes(), { checkpoints: [note] })), {
    bytes: '1 line of the fixed form',
    chain: 'seq 0, each linked to the one before',
    tree: 'root of size 1',
    signed: `seq 0 by ${ORIGIN}, epoch 0`,
    anchored: 'not checked: no witness is configured',
    complete: 'seq 0, none missing',
  })
  log.add({ a: 1 })
  assert.equal(await signedDetail({ checkpoints: [note] }), `seq 0 by ${ORIGIN}, epoch 0; behind it 1 entry by the chain only`)
  assert.equal(await signedDetail(), 'no size is signed')
  log.checkpoint(signer)
  log.add({ a: 2 })
  assert.equal(await signedDetail(), `seq 0 to 1 by ${ORIGIN}, epoch 0; behind it 2 entries by the chain only`)
})

test('a key of a later epoch vouches for its own entries, those before are named', async () => {
  const log = writeLog(signer)
  log.add({ a: 1 })
  log.transition(signer, signerOf(2))
  log.checkpoint(signerOf(2))
  const report = await check(log.bytes(), { trust: signerOf(2).key })
  assert.equal(
    report.levels.signed.detail,
    `seq 2 by ${ORIGIN}, epoch 1; seq 0 to 1 not checkable with this key; behind it only the checkpoint's own record`,
  )
})

test('an empty log and a segment say what is here', async () => {
  const empty = details(await check(new Uint8Array(0)))
  assert.deepEqual(
    [empty.bytes, empty.chain, empty.complete],
    ['0 lines of the fixed form', 'no entry, each linked to the one before', 'no entry, and none was expected'],
  )
  const log = writeLog(signer)
  log.add({ a: 1 })
  log.reserved('log.segment', segmentOf(log))
  const segment = details(await check(joinLines(log.lines.slice(2))))
  assert.deepEqual([segment.chain, segment.complete], ['seq 2, each linked to the one before', 'seq 2, none missing'])
  log.reserved('log.gap', { reason: 'shed' })
  assert.match(details(await check(log.bytes())).complete!, /; 1 log\.gap record names events that were never recorded$/)
  log.reserved('log.gap', { reason: 'shed' })
  assert.match(details(await check(log.bytes())).complete!, /; 2 log\.gap records name events that were never recorded$/)
})

const MISSING: Readonly<Record<string, (log: TestLog, final: string) => Promise<Report>>> = {
  'the last entry, below a signed checkpoint beside the log': (log, final) =>
    check(joinLines(log.lines.slice(0, -1)), { checkpoints: [final] }),
  'the last entry, below the note of the signer': (log, final) => check(joinLines(log.lines.slice(0, -1)), { signerNotes: [final] }),
  'the last entry, which was acknowledged': (log) =>
    check(joinLines(log.lines.slice(0, -1)), { acknowledged: { size: log.lines.length, entryHash: log.head() } }),
  'an entry for which another was put, all behind it made anew': (log, final) => {
    const other = writeLog(signer)
    for (let i = 1; i < log.lines.length; i++) other.add({ other: i })
    return check(other.bytes(), { checkpoints: [final] })
  },
  'an entry in the middle': (log) => check(joinLines(log.lines.toSpliced(2, 1))),
}

for (const [what, attack] of Object.entries(MISSING)) {
  test(`complete is not claimed when this is missing: ${what}`, async () => {
    const { log, final } = sampleLog(signer, 5)
    const report = await attack(log, final)
    const { complete } = report.levels
    assert.deepEqual([complete.holds, complete.scope, complete.detail], [false, 'none', 'entries are missing, changed or withheld'])
    const { exit, lastLine } = reportVerdict(report, 'complete')
    assert.equal(exit, 1)
    assert.match(lastLine, new RegExp(`^complete does not hold: ${report.findings[0]!.class} at `))
  })
}

test('a note of a stranger beyond the end takes nothing from complete', async () => {
  const { log } = sampleLog(signer, 5)
  const note = noteBy(formatCheckpoint({ origin: ORIGIN, size: 1_000, root: new Uint8Array(32) }), signerOf(9, 'stranger'))
  assert.equal((await check(log.bytes(), { checkpoints: [note] })).levels.complete.holds, true)
})

/** The claims that a finding of each level takes away. */
const TAKEN: Readonly<Record<LevelName, readonly LevelName[]>> = {
  bytes: LEVELS,
  chain: ['chain', 'tree', 'signed', 'anchored', 'complete'],
  tree: ['tree', 'signed', 'anchored', 'complete'],
  signed: ['signed', 'anchored'],
  anchored: ['anchored'],
  complete: ['complete'],
}

test('a finding of any class takes its own claim and those that include it, and is the reason the verdict gives; a warning takes none', async () => {
  const { log } = sampleLog(signer, 5)
  const without = await check(log.bytes())
  for (const [name, level] of Object.entries(FINDING_LEVEL) as [FindingClass, LevelName][]) {
    for (const severity of ['finding', 'warning'] as const) {
      const verification = createLogCheck({ primitives: p, trust: signer.key })
      await verification.feed(log.bytes())
      verification.add(name, 'here', 'nothing of this was expected', severity)
      const report = await verification.finish()
      for (const claim of LEVELS) {
        const taken = severity === 'finding' && TAKEN[level].includes(claim)
        assert.equal(report.levels[claim].holds, without.levels[claim].holds && !taken, `${name} as ${severity}: ${claim}`)
        if (taken) assert.match(reportVerdict(report, claim).lastLine, new RegExp(`^${claim} does not hold: ${name} at here`))
      }
    }
  }
})

test('the verdict says what holding means, not the detail of the table again', async () => {
  const { log, final } = sampleLog(signer, 5)
  const report = await check(log.bytes(), { checkpoints: [final] })
  for (const level of ['bytes', 'chain', 'tree', 'signed', 'complete'] as const) {
    const { exit, lastLine } = reportVerdict(report, level)
    assert.equal(exit, 0)
    assert.ok(lastLine.startsWith(`${level} holds: `) && !lastLine.includes(report.levels[level].detail), lastLine)
  }
})

test('behind a last line that is none the tree is unknown, and no note is held against it', async () => {
  const { log, final } = sampleLog(signer, 5)
  const report = await check(joinLines([...log.lines, Buffer.from('no line')]), { checkpoints: [final] })
  assert.deepEqual(
    report.findings.map((f) => f.class),
    ['suffix_malformed'],
  )
  assert.deepEqual([report.levels.tree.detail, report.root, report.levels.signed.size], ['unknown behind a gap', undefined, 5])
})

test('a single line that is none costs the tree nothing: its leaf is what the next line names', async () => {
  const { log, final } = sampleLog(signer, 5)
  const report = await check(joinLines(log.lines.with(2, Buffer.from('no line'))), { checkpoints: [final] })
  assert.deepEqual(
    report.findings.map((f) => [f.class, f.seq]),
    [['suffix_malformed', 2]],
  )
  assert.deepEqual([report.root, report.levels.signed.size], [log.root(), log.lines.length])
})

test('the record of a key change is signed by the new key, the one before it by the old', async () => {
  const log = writeLog(signer)
  log.signed({ event_type: 'x' }, signer)
  const parts = { origin: ORIGIN, size: 2, root: log.root(), oldVkey: signer.key.vkey, newVkey: signerOf(2).key.vkey }
  const note = noteBy(formatTransition(parts), signer, signerOf(2))
  const change = { timestamp: '2026-01-02T00:00:00.000Z', event_type: 'log.key_transition', note }
  for (const [by, expected] of [
    [signerOf(2), []],
    [signer, ['signature_invalid']],
  ] as const) {
    const [open, first] = log.lines as [Uint8Array, Uint8Array]
    const { line, entryHash } = linkLine(p, 'sha256', JSON.stringify(change), 2, log.head())
    const signed = withSignature(line, by.sign(signableText(ORIGIN, 2, entryHash)))
    const report = await check(joinLines([open, first, signed]))
    assert.deepEqual(
      report.findings.map((f) => f.class),
      expected,
    )
  }
})
