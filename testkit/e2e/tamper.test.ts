/**
 * What an attacker with an editor can do to a log of the real recorder, and what is found.
 *
 * Titles are named by docs/threat-model.md; threat-model.test.ts holds the two together.
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { EVENT_TYPES } from '@sworn/recorder'
import { parseLine, type Report, reportVerdict } from '@sworn/verify'
import { EVENT_MEMBERS } from '@sworn/verify/events'
import { count, later } from '../src/suite.ts'
import { rewriteWithItsKey } from './support/key-owner.ts'
import { check, payloadOf, readLedger, rehash, type Shape, type Written, withPayload, writeLedger, writeRun } from './support/ledgers.ts'
import { mutationsOf } from './support/mutations.ts'
import { bothAgree, noSecond } from './support/second.ts'
import { temporary } from './support/temporary.ts'

/** Every how many mutations are played on the first log, and on the others. */
const STRIDE = { first: count({ fast: 4, ci: 1 }), others: count({ fast: 16, ci: 4, full: 1 }) }

const SHAPES: Readonly<Record<string, Shape>> = {
  'one run': {},
  restart: { restarts: 1 },
  rotation: { restarts: 1, rotateBytes: 20_000 },
  'SHA3-256': { restarts: 1, hash: 'sha3-256' },
  'record signatures': { restarts: 1, recordSignatures: 'all' },
  'key epochs': { restarts: 1, epochs: true },
}
/** The logs of the fast suite. */
const FAST = ['one run', 'rotation', 'key epochs']
if (later) console.log(`${Object.keys(SHAPES).length - FAST.length} of ${Object.keys(SHAPES).length} kinds of logs: ${later}`)
const directory = temporary()
const logs: { name: string; log: Written }[] = []

before(async () => {
  for (const [name, shape] of Object.entries(SHAPES))
    if (!later || FAST.includes(name)) logs.push({ name, log: await writeLedger(join(directory, name), shape) })
})

/** Tried on every log. */
function attack(title: string, play: (log: Written, name: string) => Promise<void>): void {
  test(title, { timeout: 600_000 }, async () => {
    for (const { name, log } of logs) await play(log, name)
  })
}

const strideOf = (name: string) => (name === 'one run' ? STRIDE.first : STRIDE.others)
const places = (report: Report) => report.findings.map((f) => `${f.class} ${f.at}`)
const classAt = ({ findings: [first] }: Report) => [first?.class, first?.at]
const isReserved = (line: Uint8Array) => payloadOf(line).event_type.startsWith('log.')
/** How many entries a record of the ledger commits to; a checkpoint may be written a few entries after its size. */
function coveredBy(line: Uint8Array, seq: number): number {
  const payload: Record<string, unknown> = payloadOf(line)
  if (payload.event_type === 'log.checkpoint') return Number(String(payload.checkpoint).split('\n')[1])
  return payload.event_type === 'log.segment' || payload.event_type === 'log.key_transition' ? seq : 0
}
/** A few places all over the log, both ends included. */
const spots = (log: Written, last: number) => log.lines.map((_, i) => i).filter((i) => i <= last && (i % 7 === 0 || i >= last - 1 || i < 3))

attack('an untouched log raises no finding, and every event type with every member is in it', async (log, name) => {
  const report = await check(log)
  assert.deepEqual(report.findings, [], name)
  assert.equal(reportVerdict(report, 'signed').exit, 0, name)
  const payloads = log.lines.map(payloadOf)
  for (const type of EVENT_TYPES)
    assert.ok(
      payloads.some((p) => p.event_type === type && Object.keys(EVENT_MEMBERS).every((m) => m in p)),
      type,
    )
})

attack(
  'a member that is changed, removed or added, at any depth of any event, is an entry_hash_mismatch at its own seq',
  async (log, name) => {
    const events = log.lines.flatMap((line, seq) => (isReserved(line) ? [] : [{ line, seq, mutations: mutationsOf(payloadOf(line)) }]))
    for (const { line } of events) assert.deepEqual(Buffer.from(withPayload(line, payloadOf(line))), Buffer.from(line))
    const rounds = Math.max(...events.map((e) => e.mutations.length))
    for (let round = 0; round < rounds; round += strideOf(name)) {
      const hit = events.filter((e) => round < e.mutations.length)
      const lines = [...log.lines]
      for (const { line, seq, mutations } of hit) lines[seq] = withPayload(line, mutations[round]!.value)
      assert.deepEqual(
        places(await check(log, lines)),
        hit.map(({ seq }) => `entry_hash_mismatch seq=${seq}`),
        `${name}, ${hit[0]?.mutations[round]?.what}`,
      )
    }
  },
)

attack("the same holds for the ledger's own records", async (log, name) => {
  for (const [seq, line] of log.lines.entries()) {
    if (!isReserved(line)) continue
    for (const [n, { what, value }] of mutationsOf(payloadOf(line)).entries()) {
      if ((n + seq) % strideOf(name) !== 0) continue
      const found = await check(log, log.lines.with(seq, withPayload(line, value)))
      assert.deepEqual(classAt(found), ['entry_hash_mismatch', `seq=${seq}`], `${name}, ${what} of ${payloadOf(line).event_type}`)
    }
  }
})

attack('a changed or removed integrity member is found at its own seq', async (log, name) => {
  const found = {
    seq: 'seq_gap',
    previous_hash: 'previous_hash_mismatch',
    entry_hash: 'entry_hash_mismatch',
    signature: 'signature_invalid',
  }
  const seqs = spots(log, log.lines.length - 1)
  for (const [n, seq] of seqs.entries()) {
    if (n % Math.sqrt(strideOf(name)) !== 0 && n < seqs.length - 2) continue
    const whole = Buffer.from(log.lines[seq]!).toString('utf8')
    for (const [member, expected] of Object.entries(found)) {
      const at = whole.lastIndexOf(`"${member}":`)
      if (at < 0) continue
      const changed =
        whole.slice(0, at) + whole.slice(at).replace(/(:"?(?:ed25519:)?)([0-9a-zA-Z+/])/, (_, head, c) => head + (c === '7' ? '8' : '7'))
      assert.deepEqual(classAt(await check(log, log.lines.with(seq, Buffer.from(changed)))), [expected, `seq=${seq}`], `${name} ${member}`)
      const removed = whole.slice(0, at - 1) + whole.slice(at).replace(/^"\w+":("[^"]*"|\d+)/, '')
      const [finding] = (await check(log, log.lines.with(seq, Buffer.from(removed)))).findings
      const missing = member === 'signature' ? 'signature_missing' : 'suffix_malformed'
      assert.deepEqual([finding?.class, finding?.at], [missing, `seq=${seq}`], `${name} ${member} removed`)
    }
  }
})

attack('a deleted entry is a gap at its seq', async (log, name) => {
  for (const seq of spots(log, log.lines.length - 2)) {
    const [finding] = (await check(log, log.lines.toSpliced(seq, 1))).findings
    const resumes = payloadOf(log.lines[seq + 1]!).event_type === 'log.segment'
    assert.deepEqual([finding?.class, finding?.seq], [resumes ? 'segment_missing' : 'seq_gap', seq], name)
  }
})

attack('a doubled entry is a gap behind it', async (log, name) => {
  for (const seq of spots(log, log.lines.length - 1))
    assert.deepEqual(classAt(await check(log, log.lines.toSpliced(seq, 0, log.lines[seq]!))), ['seq_gap', `seq=${seq + 1}`], name)
})

attack('two entries that changed places are a gap at the first', async (log, name) => {
  for (const seq of spots(log, log.lines.length - 2)) {
    const swapped = log.lines.toSpliced(seq, 2, log.lines[seq + 1]!, log.lines[seq]!)
    const [finding] = (await check(log, swapped)).findings
    assert.ok(['seq_gap', 'segment_missing'].includes(finding?.class ?? ''), name)
    assert.equal(finding?.seq, seq, name)
  }
})

attack('entries cut at the head are a gap at seq 0', async (log, name) => {
  for (const cut of spots(log, log.lines.length - 1).filter((n) => n > 0)) {
    const report = await check(log, log.lines.slice(cut))
    const begins = payloadOf(log.lines[cut]!).event_type === 'log.segment'
    if (begins) assert.equal(report.first, cut, `${name}: a log that begins at ${cut} says so`)
    else assert.deepEqual(classAt(report), ['seq_gap', 'seq=0'], `${name} ${cut}`)
  }
})

attack('a tail cut below the newest checkpoint is truncated_below_checkpoint', async (log, name) => {
  const signed = (await check(log)).levels.signed.size
  for (const size of spots(log, signed - 1).filter((n) => n > 0))
    assert.deepEqual(places(await check(log, log.lines.slice(0, size))), [`truncated_below_checkpoint checkpoint of size ${signed}`], name)
})

attack('half a line at the end is suffix_malformed', async (log, name) => {
  const last = log.lines.length - 1
  const torn = log.lines.with(last, log.lines[last]!.slice(0, -40))
  assert.deepEqual(classAt(await check(log, torn)), ['suffix_malformed', `seq=${last}`], name)
})

attack('a full re-hash behind a change is found at the first checkpoint or signature that it contradicts', async (log, name) => {
  for (const seq of spots(log, log.lines.length - 3).filter((n) => n > 0 && !isReserved(log.lines[n]!))) {
    const payloads = log.lines.slice(seq).map(payloadOf)
    const report = await check(log, rehash(log, seq, payloads.with(0, { ...payloads[0]!, target: 'forged' } as never)))
    const next = log.lines.findIndex((line, i) => i > seq && coveredBy(line, i) > seq)
    const signed = parseLine(log.lines[seq]!).signature !== undefined
    const [finding] = report.findings
    assert.deepEqual([finding?.class, finding?.seq], signed ? ['signature_missing', seq] : ['root_mismatch', next], name)
    assert.equal(reportVerdict(report, 'tree').exit, 1, name)
  }
})

attack('a log under another key is signature_invalid for whoever pinned the key', async (log, name) => {
  const foreign = logs.find((other) => other.log !== log)!.log
  const report = await check({ ...log, trust: foreign.trust })
  assert.ok(
    places(report).some((place) => place.startsWith('signature_invalid')),
    name,
  )
  assert.equal(reportVerdict(report, 'signed').exit, 1, name)
})

attack('after a clean close nothing lies beyond the newest checkpoint but its own record', async (log, name) => {
  const report = await check(log)
  assert.equal(report.levels.signed.size, log.lines.length - 1, name)
  assert.equal(payloadOf(log.lines.at(-1)!).event_type, 'log.checkpoint', name)
  assert.equal(payloadOf(log.lines.at(-2)!).event_type, 'log.stop', name)
})

attack('NOT found: a tail cut past the newest checkpoint of a lone file', async (log, name) => {
  const newest = log.lines.findLastIndex((line, i) => i < log.lines.length - 1 && payloadOf(line).event_type === 'log.checkpoint')
  const size = Math.max(newest, 2) + 1
  assert.deepEqual((await check(log, log.lines.slice(0, size), { beside: false })).findings, [], name)
})

attack(
  'NOT found: a lone file re-hashed behind its newest checkpoint by somebody without the key, unless records are signed',
  async (log, name) => {
    const newest = log.lines.findLastIndex((line, i) => i < log.lines.length - 1 && payloadOf(line).event_type === 'log.checkpoint')
    const from = Math.max(newest, 1) + 1
    const forged = rehash(log, from, [{ event_type: 'forged' }])
    const found = places(await check(log, forged, { beside: false }))
    assert.deepEqual(found, name === 'record signatures' ? [`signature_missing seq=${from}`] : [], name)
  },
)

test('a second verifier in another language judges every one of these logs alike: untouched, changed, cut, doubled, swapped, torn, re-hashed', {
  skip: noSecond || later,
}, async () => {
  const join = (lines: readonly Uint8Array[]) => Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
  const forged: { name: string; bytes: Uint8Array }[] = []
  for (const { name, log } of logs) {
    assert.equal(await bothAgree([{ name, bytes: join(log.lines) }]), 0, name)
    const add = (what: string, lines: readonly Uint8Array[]) => forged.push({ name: `${name}, ${what}`, bytes: join(lines) })
    for (const seq of spots(log, log.lines.length - 3)) {
      const line = log.lines[seq]!
      const payload = payloadOf(line)
      const [mutation] = mutationsOf(payload)
      add(`changed ${seq}`, log.lines.with(seq, withPayload(line, mutation!.value)))
      add(`deleted ${seq}`, log.lines.toSpliced(seq, 1))
      add(`doubled ${seq}`, log.lines.toSpliced(seq, 0, line))
      add(`swapped ${seq}`, log.lines.toSpliced(seq, 2, log.lines[seq + 1]!, line))
      add(`head cut ${seq}`, log.lines.slice(seq))
      add(`tail cut ${seq}`, log.lines.slice(0, seq))
      if (!isReserved(line))
        add(`re-hashed ${seq}`, rehash(log, seq, [{ ...payload, target: 'forged' }, ...log.lines.slice(seq + 1).map(payloadOf)]))
    }
    forged.push({ name: `${name}, torn`, bytes: join(log.lines).subarray(0, -40) })
  }
  const broken = await bothAgree(forged)
  assert.ok(broken > forged.length / 2 && broken < forged.length, `${broken} of ${forged.length}`)
})

test('NOT found: a full rewrite by the owner of the key', async () => {
  const { log } = logs[0]!
  const forged = rewriteWithItsKey(log, (payload) => (payload.event_type === 'data_access' ? { ...payload, target: 'forged' } : payload))
  assert.match(Buffer.concat(forged.lines).toString(), /"target":"forged"/)
  const report = await check(forged)
  assert.deepEqual([report.findings, report.levels.signed.size], [[], forged.lines.length - 1])
})

test('NOT found: a ledger put back to an older state together with the signer state', async () => {
  const [path, home, old] = ['audit', 'home', 'old'].map((name) => join(directory, 'put back', name)) as [string, string, string]
  await writeRun({ path, home, run: 0 })
  const before = await check(readLedger(path, home, 'sha256'))
  for (const [from, to] of [
    [path, join(old, 'audit')],
    [home, join(old, 'home')],
  ] as const)
    cpSync(from, to, { recursive: true })
  await writeRun({ path, home, run: 1 })
  for (const [from, to] of [
    [join(old, 'audit'), path],
    [join(old, 'home'), home],
  ] as const) {
    rmSync(to, { recursive: true })
    cpSync(from, to, { recursive: true, preserveTimestamps: true })
  }
  const after = await check(readLedger(path, home, 'sha256'))
  assert.deepEqual([after.findings, after.size], [[], before.size])
  await writeRun({ path, home, run: 2 })
  assert.deepEqual((await check(readLedger(path, home, 'sha256'))).findings, [])
})
