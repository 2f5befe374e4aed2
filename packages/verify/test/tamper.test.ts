import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import { GENESIS, type HashName, linkLine, parseLine, type Report, reportVerdict, verifyLog, withSignature } from '../src/index.ts'
import { joinLines, sampleLog, signerOf, type TestLog, writeLog } from './support/write-log.ts'

const signer = signerOf(1)
const check = (lines: readonly Uint8Array[], checkpoints: string[] = []): Promise<Report> =>
  verifyLog([joinLines(lines)], { primitives: p, trust: signer.key, checkpoints })
const classes = (report: Report): string[] => report.findings.map((f) => f.class)

/** Re-links payloads from `from` on, as somebody without a key can. */
function rehash(log: TestLog, from: number, bodies: (string | undefined)[], hash: HashName = 'sha256'): Uint8Array[] {
  let head = from === 0 ? GENESIS : parseLine(log.lines[from - 1]!).entryHash
  const rest: Uint8Array[] = []
  for (const body of bodies) {
    if (body === undefined) continue
    const linked = linkLine(p, hash, body, from + rest.length, head)
    head = linked.entryHash
    rest.push(linked.line)
  }
  return [...log.lines.slice(0, from), ...rest]
}
const payloadOf = (line: Uint8Array): string => `${Buffer.from(parseLine(line).body).toString('utf8')}}`

const logs = fc.record({
  events: fc.integer({ min: 5, max: 20 }),
  pick: fc.nat(),
  bit: fc.nat(),
  hash: fc.constantFrom<HashName>('sha256', 'sha3-256'),
})
const sample = (c: { events: number; pick: number; hash: HashName }): { log: TestLog; final: string; victim: number } => {
  const { log, final } = sampleLog(signer, c.events, c.hash)
  return { log, final, victim: c.pick % log.lines.length }
}
const forAll = (property: (c: { events: number; pick: number; bit: number; hash: HashName }) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(logs, property), { seed: 7, numRuns: 60 })

test('an untouched log raises no finding', () =>
  forAll(async (c) => {
    const { log, final } = sample(c)
    const report = await check(log.lines, [final])
    assert.deepEqual(report.findings, [])
    assert.equal(report.levels.signed.size, log.lines.length)
  }))

test('a changed byte of any payload is an entry_hash_mismatch at that entry, and the only finding', () =>
  forAll(async (c) => {
    const { log, final, victim } = sample(c)
    const lines = log.lines.map((line) => line.slice())
    const inside = 1 + (c.bit % (parseLine(lines[victim]!).body.length - 2))
    lines[victim]![inside]! = lines[victim]![inside] === 0x7a ? 0x79 : 0x7a
    const report = await check(lines, [final])
    const [first] = report.findings
    assert.deepEqual([first?.class, first?.seq], ['entry_hash_mismatch', victim])
    if (victim > 0) assert.equal(report.findings.length, 1)
  }))

test('a deleted entry is a gap at its seq; at the end, a truncation below the checkpoint', () =>
  forAll(async (c) => {
    const { log, final, victim } = sample(c)
    const report = await check(log.lines.toSpliced(victim, 1), [final])
    const [first] = report.findings
    if (victim === log.lines.length - 1) assert.equal(first?.class, 'truncated_below_checkpoint')
    else assert.deepEqual([first?.class, first?.seq], ['seq_gap', victim])
  }))

test('a doubled entry is a gap behind it', () =>
  forAll(async (c) => {
    const { log, final, victim } = sample(c)
    const [first] = (await check(log.lines.toSpliced(victim, 0, log.lines[victim]!), [final])).findings
    assert.deepEqual([first?.class, first?.seq], ['seq_gap', victim + 1])
  }))

test('two entries that changed places are a gap at the first', () =>
  forAll(async (c) => {
    const { log, final } = sample(c)
    const at = c.pick % (log.lines.length - 1)
    const [first] = (await check(log.lines.toSpliced(at, 2, log.lines[at + 1]!, log.lines[at]!), [final])).findings
    assert.deepEqual([first?.class, first?.seq], ['seq_gap', at])
  }))

test('entries cut at the head are a gap at seq 0', () =>
  forAll(async (c) => {
    const { log, final, victim } = sample(c)
    const report = await check(log.lines.slice(victim + 1), [final])
    const [first] = report.findings
    if (victim < log.lines.length - 1) assert.deepEqual([first?.class, first?.seq], ['seq_gap', 0])
    else assert.equal(first?.class, 'truncated_below_checkpoint')
  }))

test('a tail cut below a checkpoint kept elsewhere is truncated_below_checkpoint', () =>
  forAll(async (c) => {
    const { log, final, victim } = sample(c)
    assert.deepEqual(classes(await check(log.lines.slice(0, Math.max(1, victim)), [final])), ['truncated_below_checkpoint'])
  }))

test('a full re-hash behind a change contradicts the first checkpoint over it', () =>
  forAll(async (c) => {
    const { log, final } = sample(c)
    const victim = 1 + (c.pick % (log.lines.length - 1))
    const bodies = log.lines.slice(victim).map(payloadOf)
    bodies[0] = '{"event_type":"forged"}'
    const report = await check(rehash(log, victim, bodies, c.hash), [final])
    const next = log.lines.findIndex((line, i) => i > victim && payloadOf(line).includes('log.checkpoint'))
    const [first] = report.findings
    assert.equal(first?.class, 'root_mismatch')
    assert.equal(first?.at, next < 0 ? `checkpoint of size ${log.lines.length}` : `seq=${next}`)
    assert.equal(reportVerdict(report).exit, 1)
  }))

test('a re-hash of one entry that keeps the next is a previous_hash_mismatch at the next', () =>
  forAll(async (c) => {
    const { log } = sample(c)
    const victim = 1 + (c.pick % (log.lines.length - 2))
    const [first] = (await check([...rehash(log, victim, ['{"event_type":"forged"}'], c.hash), ...log.lines.slice(victim + 1)])).findings
    assert.deepEqual([first?.class, first?.seq], ['previous_hash_mismatch', victim + 1])
  }))

test('for every member of an event, changing, removing or adding it is found at its seq', async () => {
  const { log, final } = sampleLog(signer, 3)
  const event = JSON.parse(payloadOf(log.lines[2]!)) as Record<string, unknown>
  const variants = Object.keys(event).flatMap((name) => [
    { ...event, [name]: 'changed' },
    Object.fromEntries(Object.entries(event).filter(([other]) => other !== name)),
    { added: 1, ...event },
    { ...event, [`${name}2`]: 1 },
  ])
  for (const variant of variants) {
    const line = log.lines[2]!
    const suffix = line.subarray(parseLine(line).body.length)
    const forged = Buffer.concat([Buffer.from(JSON.stringify(variant).slice(0, -1)), suffix])
    const [first] = (await check(log.lines.with(2, new Uint8Array(forged)), [final])).findings
    assert.deepEqual([first?.class, first?.seq], ['entry_hash_mismatch', 2])
  }
})

test('record signatures: a stripped, foreign or moved one is found where the log demands them', async () => {
  const log = writeLog(signer, { open: { record_signatures: 'all' } })
  const lines = [withSignatureOf(log.lines[0]!, log)]
  log.signed({ event_type: 'a' }, signer)
  log.signed({ event_type: 'b' }, signerOf(9))
  log.signed({ event_type: 'c' }, signer)
  lines.push(log.lines[1]!, log.lines[2]!, withSignature(strip(log.lines[3]!), parseLine(log.lines[1]!).signature!))
  assert.deepEqual(
    (await check(lines)).findings.map((f) => [f.class, f.seq]),
    [
      ['signature_invalid', 2],
      ['signature_invalid', 3],
    ],
  )
  assert.deepEqual(
    (await check([lines[0]!, strip(lines[1]!)])).findings.map((f) => [f.class, f.seq]),
    [['signature_missing', 1]],
  )
  const loose = Uint8Array.from(lines[1]!)
  loose[loose.length - 5] = 0x42 // trailing bits that canonical base64 has at zero
  assert.equal((await check([lines[0]!, loose])).findings[0]?.class, 'suffix_malformed')
})

const strip = (line: Uint8Array): Uint8Array => Buffer.concat([line.subarray(0, -112), Buffer.from('}')])
function withSignatureOf(line: Uint8Array, log: TestLog): Uint8Array {
  return withSignature(line, signer.sign(`agent-audit-log/v1 record\nsworn.local/test\n0\n${log.head()}\n`))
}

test('NOT found: a tail cut behind the newest checkpoint of a lone file', async () => {
  const { log } = sampleLog(signer, 6)
  const whole = await check(log.lines)
  const cut = await check(log.lines.slice(0, -1))
  assert.deepEqual([whole.levels.signed.size, cut.levels.signed.size], [5, 5])
  assert.deepEqual(classes(cut), [])
  assert.match(cut.levels.signed.detail, /behind it 2 entries by the chain only/)
})

test('NOT found: entries behind the newest signed size re-hashed by anybody', async () => {
  const { log } = sampleLog(signer, 7)
  assert.deepEqual(classes(await check(rehash(log, 6, ['{"event_type":"forged"}', '{"event_type":"forged"}']))), [])
})

test('NOT found: a lone file put back to an older checkpoint', async () => {
  const { log } = sampleLog(signer, 12)
  assert.deepEqual(classes(await check(log.lines.slice(0, 6))), [])
})

test('NOT found: a full rewrite by the owner of the key', async () => {
  const { log, final } = sampleLog(signer, 5)
  const report = await check(log.lines, [final])
  assert.deepEqual([classes(report), report.levels.signed.holds], [[], true])
  const forged = writeLog(signer)
  forged.add({ event_type: 'never happened' })
  forged.checkpoint(signer)
  assert.deepEqual(classes(await check(forged.lines, [forged.note(signer)])), [])
})

test('a rewrite under another key is found by the pinned key, and is only self-vouched without one', async () => {
  const thief = signerOf(66)
  const { log, final } = sampleLog(thief, 5)
  assert.deepEqual(classes(await check(log.lines, [final])), ['signature_invalid'])
  const report = await verifyLog([log.bytes()], { primitives: p, checkpoints: [final] })
  assert.equal(report.levels.signed.holds, false)
  assert.equal(report.levels.signed.detail, `seq 0 to 6 by ${thief.key.name}, a key only this ledger vouches for`)
  assert.deepEqual(reportVerdict(report), { exit: 0, lastLine: 'nobody edited this carelessly; who wrote it is not shown' })
  assert.equal(reportVerdict(report, 'signed').exit, 1)
})
