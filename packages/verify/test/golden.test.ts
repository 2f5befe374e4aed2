import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import {
  checkInclusion,
  formatTransition,
  leafHash,
  openNote,
  parseCheckpoint,
  parseLine,
  parseNote,
  parseTransition,
  parseVkey,
  reportVerdict,
  toBase64,
  toHex,
  type VerifyOptions,
  verifyLog,
} from '../src/index.ts'
import { fromBase64, fromHex, ownJson, ownVector } from './support/vectors.ts'
import { signerOf, writeLog } from './support/write-log.ts'

interface Expected {
  vkeys: Record<'epoch0' | 'epoch1' | 'witness', string>
  records: {
    seq: number
    line_bytes: number
    preimage_bytes: number
    previous_hash: string
    entry_hash: string
    signature: string | null
  }[]
  roots_b64: string[]
  key_transition_text: string
  disclosures: { disclosure: string; digest: string }[]
}
interface Negative {
  desc: string
  class: string
  fail_at_line: number | null
  lines: string[]
}

for (const name of ['sha256', 'sha3-256'] as const) {
  const expected = ownJson<Expected>(`expected-${name}.json`)
  const log = ownVector(`log-${name}.jsonl`)
  const checkpoints = [ownVector(`checkpoint-${name}`).toString('utf8')]
  const trust = parseVkey(expected.vkeys.epoch0)

  test(`the golden ${name} log holds at every level, in chunks of any size`, async () => {
    for (const size of [1, 7, 500, log.length]) {
      const chunks = Array.from({ length: Math.ceil(log.length / size) }, (_, i) => log.subarray(i * size, (i + 1) * size))
      const witness = { witnesses: [parseVkey(expected.vkeys.witness)] }
      const report = await verifyLog(chunks, { primitives: p, trust, checkpoints, witness, strict: true, signedRecords: [5] })
      assert.deepEqual(report.findings, [])
      assert.deepEqual(
        Object.values(report.levels).map((level) => level.holds),
        [true, true, true, true, true, true],
      )
      assert.deepEqual([report.hash, report.size, report.levels.signed.size, report.levels.anchored.size], [name, 10, 10, 10])
      assert.equal(toBase64(report.root!), expected.roots_b64[10])
      assert.equal(report.head, expected.records[9]!.entry_hash)
      assert.deepEqual(reportVerdict(report), {
        exit: 0,
        lastLine: 'signed holds: nothing that was signed was changed, and the key is one you trust',
      })
    }
  })

  test(`every line of the golden ${name} log has the listed parts`, () => {
    const lines = log.toString('latin1').slice(0, -1).split('\n')
    lines.forEach((text, i) => {
      const record = expected.records[i]!
      const line = parseLine(new Uint8Array(Buffer.from(text, 'latin1')))
      assert.deepEqual([line.seq, line.previousHash, line.entryHash], [record.seq, record.previous_hash, record.entry_hash])
      assert.deepEqual([text.length, line.preimage.length], [record.line_bytes, record.preimage_bytes])
      assert.equal(toHex(p.hash(name, line.preimage)), record.entry_hash)
      assert.equal(line.signature ? toBase64(line.signature) : null, record.signature)
    })
  })

  test(`all fourteen tampered ${name} logs are found, with their class and place`, async () => {
    const cases = ownJson<Negative[]>(`negative-${name}.json`)
    assert.equal(cases.length, 14)
    for (const c of cases) {
      const report = await verifyLog([Buffer.from(c.lines.map((line) => `${line}\n`).join(''))], {
        primitives: p,
        trust,
        checkpoints,
        signedRecords: [5],
      })
      const wanted = c.fail_at_line === null ? report.findings.find((f) => f.class === c.class) : report.findings[0]
      assert.equal(wanted?.class, c.class, c.desc)
      if (c.fail_at_line !== null) assert.equal(wanted.seq, c.fail_at_line, c.desc)
      assert.equal(reportVerdict(report).exit, 1, c.desc)
    }
  })

  test(`the ${name} tlog-proof file proves entry 5`, async () => {
    const file = ownVector(`proof-5-${name}.tlog-proof`).toString('utf8')
    const [head, note] = [file.slice(0, file.indexOf('\n\n')), file.slice(file.indexOf('\n\n') + 2)]
    const [format, index, ...hashes] = head.split('\n')
    const opened = await openNote(p, note, [parseVkey(expected.vkeys.epoch1)])
    const { size, root } = parseCheckpoint(opened.text)
    assert.deepEqual([format, index], ['c2sp.org/tlog-proof@v1', 'index 5'])
    checkInclusion(p, leafHash(p, fromHex(expected.records[5]!.entry_hash)), 5, size, hashes.map(fromBase64), root)
  })

  test(`the ${name} key transition reads as listed and never as a checkpoint`, () => {
    const parsed = parseTransition(expected.key_transition_text)
    assert.deepEqual([parsed.size, parsed.oldKey.vkey, parsed.newKey.vkey], [7, expected.vkeys.epoch0, expected.vkeys.epoch1])
    assert.equal(formatTransition({ ...parsed, oldVkey: parsed.oldKey.vkey, newVkey: parsed.newKey.vkey }), expected.key_transition_text)
    assert.throws(() => parseCheckpoint(expected.key_transition_text), /CHECKPOINT_MALFORMED|decimal size/)
    assert.throws(() => parseTransition(parseNote(checkpoints[0]!).text), /six lines/)
  })

  test(`the listed ${name} disclosures have their digests`, () => {
    for (const { disclosure, digest } of expected.disclosures) {
      assert.equal(createHash('sha256').update(disclosure).digest('base64url'), digest)
    }
  })
}

/** The same answers, asked of OpenSSL once each: flips leave most signatures as they were. */
function remembering(): typeof p {
  const known = new Map<string, boolean>()
  return {
    hash: p.hash,
    verifyEd25519(key, message, signature) {
      const question = [key, message, signature].map(toHex).join()
      if (!known.has(question)) known.set(question, p.verifyEd25519(key, message, signature) as boolean) // sync on Node
      return known.get(question)!
    },
  }
}

async function checkFlips(log: Uint8Array, options: VerifyOptions, step: number): Promise<number> {
  let flips = 0
  for (let bit = 0; bit < log.length * 8; bit += step) {
    log[bit >> 3]! ^= 1 << (bit & 7)
    const report = await verifyLog([log], options)
    log[bit >> 3]! ^= 1 << (bit & 7)
    if (reportVerdict(report).exit === 0) assert.fail(`bit ${bit & 7} of byte ${bit >> 3} was not found`)
    flips += 1
  }
  return flips
}

test('every single-bit flip of a small log is found against its checkpoint', async () => {
  const signer = signerOf(1)
  const log = writeLog(signer)
  log.add({ event_type: 'x' })
  const bytes = new Uint8Array(log.bytes())
  assert.equal(
    await checkFlips(bytes, { primitives: remembering(), trust: signer.key, checkpoints: [log.note(signer)] }, 1),
    bytes.length * 8,
  )
})

test('single-bit flips of the golden log, with transition and record signature, are found against its checkpoint', async () => {
  const expected = ownJson<Expected>('expected-sha256.json')
  const checkpoints = [ownVector('checkpoint-sha256')]
  const options = { primitives: remembering(), trust: parseVkey(expected.vkeys.epoch0), checkpoints, signedRecords: [5] }
  await checkFlips(new Uint8Array(ownVector('log-sha256.jsonl')), options, process.env.SWORN_TESTS === 'full' ? 1 : 67)
})
