/** Parts of a log, checked for themselves and joined: the same report as one pass, whatever was done to the log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import { count, later } from '../../../testkit/src/suite.ts'
import {
  checkPart,
  createLogCheck,
  linkLine,
  type Part,
  parseLine,
  type RecordSigner,
  type Report,
  type VerifyOptions,
  verifyLog,
} from '../src/index.ts'
import { joinLines, ORIGIN, type Payload, sampleLog, segmentOf, signerOf, type TestLog, time, writeLog } from './support/write-log.ts'

const signer = signerOf(1)
const RUNS = count({ fast: 20, ci: 80, full: 2000 })

/** Whom the parts are told to expect; what the log says when left out. */
interface Hint {
  readonly signer?: RecordSigner | undefined
}

/** The report of `pieces` joined where they can be, fed where not, and how many could. */
async function joined(pieces: readonly Uint8Array[], options: VerifyOptions, hint: Hint): Promise<{ report: Report; parts: number }> {
  const check = createLogCheck(options)
  let parts = 0
  for (const piece of pieces) {
    const part = await checkPart([piece], {
      primitives: options.primitives,
      sizes: check.sizes,
      parse: check.parses,
      signer: check.signer,
      ...hint,
    })
    // As another thread would send it.
    if (part && (await check.join(structuredClone(part)))) parts += 1
    else await check.feed(piece)
  }
  return { report: await check.finish(), parts }
}

/** Cuts at line ends, behind the lines whose number is in `cuts`. */
function cutAfter(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let from = 0
  let line = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (!cuts.includes(++line)) continue
    pieces.push(bytes.subarray(from, at + 1))
    from = at + 1
  }
  return [...pieces, bytes.subarray(from)]
}

async function same(bytes: Uint8Array, cuts: readonly number[], given: Partial<VerifyOptions> = {}, hint: Hint = {}): Promise<number> {
  const options = { primitives: p, ...given }
  const { report, parts } = await joined(cutAfter(bytes, cuts), options, hint)
  assert.deepEqual(report, await verifyLog([bytes], options))
  return parts
}

/** Events, checkpoints over present and earlier sizes, transitions, segments, and what the recorder says of itself. */
function richLog(): TestLog {
  const log = writeLog(signer)
  for (let i = 0; i < 60; i++) {
    log.add({ timestamp: time(i), event_type: 'tool_call_end', text: 'log."event_type":"log. '.repeat(i % 3), i })
    if (i % 7 === 3) log.checkpoint(signer)
    if (i % 11 === 5) {
      const note = log.note(signer)
      log.add({ event_type: 'x', i })
      log.add({ event_type: 'y', i })
      log.reserved('log.checkpoint', { checkpoint: note })
    }
    if (i === 20) log.reserved('log.recovered')
    if (i === 33) log.reserved('log.segment', segmentOf(log))
  }
  log.checkpoint(signer)
  return log
}

const second = signerOf(2)

/** Entries that are signed one by one, of sessions that begin, end, go on and break, over a change of keys. */
function signedLog(demanded: boolean): TestLog {
  const log = writeLog(signer, demanded ? { open: { record_signatures: 'all' } } : {})
  let key = signer
  const add = (payload: Payload): unknown => log.signed({ timestamp: time(log.lines.length), event_type: 'tool_call_end', ...payload }, key)
  for (let i = 0; i < 40; i++) {
    add({ session_id: `s${i % 3}`, session_seq: Math.floor(i / 3) })
    if (i % 9 === 4) add({ session_id: `ended ${i}`, session_seq: 0, event_type: 'session_end', metadata: { count: i % 2 } })
    if (i % 13 === 6) add({ session_id: 's1', session_seq: 0, text: '"event_type":"log.' })
    if (i === 20) {
      log.transition(signer, second)
      key = second
    }
    if (i === 33) add({ session_id: 's2', session_seq: 12, event_type: 'session_end', metadata: { count: 13 } })
    if (i % 10 === 9) log.checkpoint(key)
  }
  return log
}

const LOGS: Readonly<Record<string, { log: TestLog; key: typeof signer }>> = {
  'events and records': { log: richLog(), key: signer },
  'signed records': { log: signedLog(false), key: second },
  'a log that demands record signatures': { log: signedLog(true), key: second },
}
const GIVEN: Readonly<Record<string, Partial<VerifyOptions>>> = { plain: {}, strict: { strict: true }, complete: { require: 'complete' } }
/** What the parts may have been told, whether it is so or not. */
const HINTS: readonly Hint[] = [
  {},
  { signer: undefined },
  { signer: { origin: ORIGIN, vkey: signer.key.vkey } },
  { signer: { origin: ORIGIN, vkey: second.key.vkey } },
  { signer: { origin: 'elsewhere', vkey: signer.key.vkey } },
]

for (const [name, { log, key }] of Object.entries(LOGS)) {
  for (const [how, options] of Object.entries(GIVEN)) {
    const given = { trust: signer.key, checkpoints: [log.note(key)], now: Date.UTC(2026, 0, 3), ...options }

    test(`a log in parts has the report of the log in one piece, wherever it is cut: ${name}, ${how}`, async () => {
      const cut = fc.uniqueArray(fc.integer({ min: 1, max: log.lines.length }), { maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(cut, fc.constantFrom(...HINTS), async (cuts, hint) => {
          const all = cutAfter(log.bytes(), cuts).filter((piece) => piece.length > 0).length
          const parts = await same(log.bytes(), cuts, given, hint)
          if (name === 'events and records') assert.equal(parts, all)
        }),
        { numRuns: RUNS },
      )
    })

    test(`a damaged log in parts has the findings of the log in one piece: ${name}, ${how}`, async () => {
      await sameWhenDamaged(log.lines, given)
    })
  }
}

async function sameWhenDamaged(lines: readonly Uint8Array[], given: Partial<VerifyOptions>): Promise<void> {
  const damage = fc.record({
    kind: fc.constantFrom('flip', 'drop', 'double', 'swap', 'torn', 'rehash', 'unsign', 'resign'),
    line: fc.nat(lines.length - 2),
    byte: fc.nat(5000),
  })
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: lines.length }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), cuts, fc.constantFrom(...HINTS), async (damages, at, hint) => {
      let broken: Uint8Array[] = lines.slice()
      for (const { kind, line, byte } of damages) {
        const here = broken[line] ?? broken[0]!
        if (kind === 'flip') broken = broken.with(line % broken.length, flip(here, byte))
        if (kind === 'drop') broken = broken.toSpliced(line, 1)
        if (kind === 'double') broken = broken.toSpliced(line, 0, here)
        if (kind === 'swap') broken = broken.toSpliced(line, 2, ...broken.slice(line, line + 2).reverse())
        if (kind === 'rehash') broken = broken.with(line % broken.length, rehash(here))
        if (kind === 'unsign') broken = broken.with(line % broken.length, withSignatureOf(here, ''))
        if (kind === 'resign') broken = broken.with(line % broken.length, withSignatureOf(here, Buffer.alloc(64, byte).toString('base64')))
        if (kind === 'torn') broken = broken.with(line % broken.length, here.subarray(0, byte % here.length))
      }
      await same(joinLines(broken), at, given, hint)
    }),
    { numRuns: RUNS },
  )
}

/** The line with another record signature, or none; a line that has none stays as it is. */
function withSignatureOf(line: Uint8Array, base64: string): Uint8Array {
  const text = Buffer.from(line).toString('latin1')
  const changed = text.replace(/,"signature":"ed25519:[^"]*"\}$/, base64 && `,"signature":"ed25519:${base64}"}`)
  return Buffer.from(changed.endsWith('}') ? changed : `${changed}}`, 'latin1')
}

/** The line with another payload and the hash of that, or further on: only the lines around it tell. */
function rehash(line: Uint8Array, further = 0): Uint8Array {
  try {
    const { seq, previousHash } = parseLine(line)
    return linkLine(p, 'sha256', '{"other":1}', seq + further, previousHash).line
  } catch {
    return line // damaged already
  }
}

test('two parts that each hold and do not meet are not joined', async () => {
  const { lines } = richLog()
  for (let at = 1; at < 12; at++) {
    const changed = lines.with(at, rehash(lines[at]!))
    assert.equal(await same(joinLines(changed), [at + 1], { trust: signer.key }), 1)
    const gap = lines.slice(0, at + 1).with(at, rehash(lines[at]!, 1))
    assert.equal(await same(joinLines(gap), [at], { trust: signer.key }), 1)
  }
})

function flip(line: Uint8Array, byte: number): Uint8Array {
  const changed = line.slice()
  changed[byte % line.length]! ^= 1 << (byte % 8)
  return changed
}

test('a segment alone, a pruned log and a SHA3-256 log are joined from parts as well', async () => {
  const log = richLog()
  const at = log.lines.findIndex((line) => Buffer.from(line).includes('log.segment'))
  const rest = joinLines(log.lines.slice(at))
  assert.equal(await same(rest, [3, 9], { trust: signer.key }), 3)
  const before = writeLog(signer)
  const pruned = joinLines(log.lines.slice(before.lines.length))
  const start = { seq: 1, previousHash: before.head(), frontier: before.frontier.hashes() }
  assert.equal(await same(pruned, [10, 50], { start, trust: signer.key }), 3)
  assert.equal(await same(sampleLog(signer, 9, 'sha3-256').log.bytes(), [4, 8]), 3)
})

test('what only the whole log can judge is read again where the parts are joined', async () => {
  const { log } = sampleLog(signer, 6)
  const cases: [TestLog, Partial<VerifyOptions>, number][] = [
    [log, { signedRecords: [2] }, 0],
    [log, { hash: 'sha3-256' }, 0],
    [writeLog(signer, { open: { record_signatures: 'all' } }), {}, 0],
    [log, {}, 2],
  ]
  cases[2]![0].signed({ event_type: 'x' }, signer)
  cases[2]![0].add({ event_type: 'x' })
  for (const [each, options, parts] of cases) assert.equal(await same(each.bytes(), [2], options), parts, JSON.stringify(options))
  const closed = writeLog(signer)
  closed.reserved('log.close', { final_size: 2 })
  closed.add({ event_type: 'x' })
  assert.equal(await same(closed.bytes(), [2]), 1)
  assert.equal(await same(closed.bytes(), []), 0)
})

test('signatures and sessions are judged with the part: joined is all but what demands signatures, and what follows on a change of keys with a stale hint', async () => {
  const told = signedLog(true)
  const given = { trust: signer.key, strict: true }
  const transition = told.lines.findIndex((line) => Buffer.from(line).includes('log.key_transition'))
  const plain = signedLog(false)
  // Its first part demands signatures of the others; an entry without one is the recorder's own checkpoint.
  const noCheckpoints = told.lines.slice(0, 11)
  assert.equal(await same(joinLines(noCheckpoints), [1, 5], given), 3)
  assert.equal(await same(joinLines(noCheckpoints), [5], given), 1)
  assert.equal(await same(joinLines(noCheckpoints.concat(told.lines.slice(11, 14))), [1, 5, 11], given), 3)
  assert.equal(await same(plain.bytes(), [1, 5, 12], given), 4)
  assert.equal(await same(plain.bytes(), [1, 5, transition, transition + 1], given), 5)
  const stale = { signer: { origin: ORIGIN, vkey: signer.key.vkey } }
  assert.equal(await same(plain.bytes(), [1, transition + 1], given, stale), 3) // carried: checked where it is joined
  const early = { signer: { origin: ORIGIN, vkey: second.key.vkey } }
  assert.equal(await same(plain.bytes(), [1, transition - 2], given, early), 3)
})

test('a signature that holds under the key a part was told, and not under the one that is due, is found', async () => {
  const backdated = writeLog(signer)
  for (let i = 0; i < 4; i++) backdated.signed({ i }, second)
  const stranger = signerOf(1, 'elsewhere')
  const moved = writeLog(stranger, { open: { origin: 'elsewhere' } })
  for (let i = 0; i < 4; i++) moved.signed({ i }, stranger)
  for (const [log, trust, vkey] of [
    [backdated, signer.key, second.key.vkey],
    [moved, stranger.key, stranger.key.vkey],
  ] as const) {
    const { findings } = await verifyLog([log.bytes()], { primitives: p, trust })
    assert.deepEqual(new Set(findings.map((f) => f.class)), new Set(['signature_invalid']))
    assert.equal(await same(log.bytes(), [1, 3], { trust }, { signer: { origin: ORIGIN, vkey } }), 1)
  }
})

test('sessions beyond what is kept in mind are counted by the bytes, in one piece as in parts', async () => {
  const log = writeLog(signer)
  for (let i = 0; i < 10_100; i++) log.add(`{"session_id":"${i}","session_seq":0}`)
  for (let i = 0; i < 200; i++) log.add(`{"session_id":"${i}","session_seq":1,"event_type":"session_end","metadata":{"count":2}}`)
  for (const [cuts, parts] of [
    [[9_000], 1],
    [[10_050, 10_150], 1],
    [[5], 1],
  ] as const)
    assert.equal(await same(log.bytes(), cuts, { strict: true }), parts, cuts.join())
})

test('a parsed part holds I-JSON and no reserved record in another form: what does not is read again', async () => {
  for (const payload of ['{"a":1,"a":2}', '{"a":"\\ud800"}', '{ "event_type" : "log.stop"}', '{"a":1e999}']) {
    const { log } = sampleLog(signer, 6)
    log.add(payload)
    log.add({ event_type: 'x' })
    assert.equal(await same(log.bytes(), [3, log.lines.length - 1], { strict: true }), 2, payload)
    assert.equal(await same(log.bytes(), [3, log.lines.length - 1]), 3, payload)
  }
})

test('no part is made of nothing, of a torn line, of a line too long or of withheld records', async () => {
  const { log } = sampleLog(signer, 3)
  const stub = Buffer.from(`{"seq":0,"previous_hash":"${'0'.repeat(64)}","entry_hash":"${'1'.repeat(64)}"}\n`)
  const none = [Buffer.alloc(0), log.bytes().subarray(0, -1), Buffer.from('no line\n'), stub, Buffer.alloc(1_100_000, 0x61)]
  for (const bytes of none) assert.equal(await checkPart([bytes], { primitives: p, sizes: [] }), undefined)
  const long = Buffer.concat([log.bytes(), Buffer.alloc(1_100_000, 0x61), Buffer.from('\n')])
  assert.equal(await checkPart([long], { primitives: p, sizes: [] }), undefined)
})

test('a part does not grow with the records a hostile log is full of', async () => {
  const log = writeLog(signer)
  for (let i = 0; i < 30; i++) log.add({ nested: { event_type: 'log.x' }, text: 'a'.repeat(700_000) })
  assert.equal(await checkPart([log.bytes()], { primitives: p, sizes: [] }), undefined)
})

test('a checkpoint over a size in an earlier part is checked against the leaves that came with it', async () => {
  const log = writeLog(signer)
  const notes: string[] = []
  for (let i = 0; i < 900; i++) {
    log.add({ i })
    notes.push(log.note(signer))
  }
  for (const size of [300, 512, 700, 900]) log.reserved('log.checkpoint', { checkpoint: notes[size - 1]! })
  const cuts = [100, 257, 300, 640, 901, 902]
  assert.equal(await same(log.bytes(), cuts, { trust: signer.key }), 7)
  const forged = log.lines.with(-1, log.lines.at(-2)!)
  await same(joinLines(forged), cuts, { trust: signer.key })
})

test('records that are none of ours, or badly made, are judged where the parts are joined', async () => {
  const log = writeLog(signer)
  log.add(`{"event_type":"log.stop","timestamp":"${time(0)}","timestamp":"${time(0)}"}`)
  log.reserved('log.checkpoint', { checkpoint: 'no note' })
  log.reserved('log.checkpoint', { checkpoint: 7 })
  log.reserved('log.segment', { first_seq: 5, frontier: 7 })
  log.signed({ event_type: 'x' }, signer)
  assert.equal(await same(log.bytes(), [3, 4, 5], { trust: signer.key }), 4)
})

test('leaves reach back 65,280 entries and no further, in one piece as in parts', { skip: later }, async () => {
  const log = writeLog(signer)
  const notes: string[] = []
  for (let i = 1; i < 66_000; i++) {
    log.add('{"a":1}')
    if ([3, 100, 65_000, 65_990].includes(i)) notes.push(log.note(signer))
  }
  for (const note of notes) log.reserved('log.checkpoint', { checkpoint: note })
  for (const cuts of [[65_995], [65_995, 66_002], [50, 65_995], [90, 66_001, 66_003]]) {
    assert.equal(await same(log.bytes(), cuts, { trust: signer.key, checkpoints: [notes[1]!] }), cuts.length + 1)
  }
})

test('the leaves of a joined part are given back once no record can ask for them any more', { skip: later }, async () => {
  const log = writeLog(signer)
  for (let i = 1; i < 66_000; i++) log.add('{"a":1}')
  const check = createLogCheck({ primitives: p, trust: signer.key })
  const held: number[] = []
  const parts: Part[] = []
  for (const piece of cutAfter(log.bytes(), [100, 200, 40_000, 65_700])) {
    const part = await checkPart([piece], { primitives: p, sizes: check.sizes })
    parts.push(part!)
    assert.equal(await check.join(part!), true)
    held.push(parts.reduce((sum, { tail }) => sum + tail.leaves.length / 32, 0))
  }
  assert.deepEqual(held, [100, 200, 40_000, 65_500, 65_800])
  assert.deepEqual(await check.finish(), await verifyLog([log.bytes()], { primitives: p, trust: signer.key }))
})

test('lines that follow joined parts can be fed, and parts follow fed lines', async () => {
  const log = richLog()
  const pieces = cutAfter(log.bytes(), [5, 30, 31, 60])
  const options = { primitives: p, trust: signer.key }
  for (const fed of [0b00100, 0b01010, 0b10101]) {
    const check = createLogCheck(options)
    for (const [i, piece] of pieces.entries()) {
      const part = await checkPart([piece], { primitives: p, sizes: check.sizes })
      if ((fed >> i) & 1) await check.feed(piece)
      else assert.equal(await check.join(part!), true, `part ${i}`)
    }
    assert.deepEqual(await check.finish(), await verifyLog([log.bytes()], options))
  }
})

test('behind a line that has no end, no part is joined', async () => {
  const { log } = sampleLog(signer, 3)
  const [first, second] = cutAfter(log.bytes(), [2])
  const check = createLogCheck({ primitives: p })
  await check.feed(first!.subarray(0, -1))
  const part = await checkPart([second!], { primitives: p, sizes: [] })
  assert.equal(await check.join(part!), false)
})

test('a source may reuse its buffer, a Node Buffer as well, and primitives may do without hashInto', async () => {
  const log = richLog()
  const bytes = log.bytes()
  function* reused(size: number): Iterable<Uint8Array> {
    const buffer = Buffer.alloc(size)
    for (let at = 0; at < bytes.length; at += size) yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + size))
  }
  const whole = await verifyLog([bytes], { primitives: p })
  assert.equal(whole.origin, ORIGIN)
  const { hash, verifyEd25519 } = p
  for (const size of [7, 100, 1000]) {
    assert.deepEqual(await verifyLog(reused(size), { primitives: { hash, verifyEd25519 } }), whole)
    const part = await checkPart(reused(size), { primitives: p, sizes: [] })
    const check = createLogCheck({ primitives: p })
    assert.equal(await check.join(part!), true)
    assert.deepEqual(await check.finish(), whole)
  }
})
