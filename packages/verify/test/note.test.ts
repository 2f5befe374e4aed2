import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import fc from 'fast-check'
import {
  cosignatureSeconds,
  formatCheckpoint,
  formatNote,
  formatVkey,
  openNote,
  parseCheckpoint,
  parseNote,
  parseVkey,
  SwornError,
  toBase64,
  toHex,
  utf8,
} from '../src/index.ts'
import { sha256 } from '../src/sha256.ts'
import { fromBase64, fromHex, ownJson, ownVector, sharedTest } from './support/vectors.ts'
import { signerOf } from './support/write-log.ts'

interface NoteCase {
  desc: string
  note_b64: string
  vkeys: string[]
  want: string
  verified: number
  unverified: number
}
interface Keys {
  good_vkeys: string[]
  bad_vkeys: string[]
  small_order_ed25519_pubkeys_hex: string[]
}
interface Checkpoints {
  good: { text: string; origin: string; size: string; root_b64?: string; extensions?: string[] }[]
  bad: { text: string; why: string }[]
}

const CODE: Record<string, string> = {
  malformed: 'NOTE_MALFORMED',
  unverified: 'NOTE_UNVERIFIED',
  'invalid-signature': 'NOTE_UNVERIFIED',
  'ambiguous-key': 'KEY_INVALID',
}

sharedTest('all eighteen notes are judged as listed', 'signed-note', async (read) => {
  const { cases } = JSON.parse(read('notes.json').toString('utf8')) as { cases: NoteCase[] }
  assert.equal(cases.length, 18)
  for (const c of cases) {
    const opened = openNote(p, fromBase64(c.note_b64), c.vkeys.map(parseVkey))
    if (c.want !== 'ok') await assert.rejects(opened, (e) => SwornError.is(e) && e.code === CODE[c.want], c.desc)
    else {
      const { verified, unverified } = await opened
      assert.deepEqual([verified.length, unverified.length], [c.verified, c.unverified], c.desc)
    }
  }
})

sharedTest('good keys are accepted; every substring and every changed byte is refused', 'signed-note', (read) => {
  const keys = JSON.parse(read('keys.json').toString('utf8')) as Keys
  const refused = (s: string): void =>
    assert.throws(
      () => parseVkey(s),
      (e) => SwornError.is(e, 'KEY_INVALID'),
      s,
    )
  for (const vkey of keys.good_vkeys) {
    const key = parseVkey(vkey)
    assert.equal(formatVkey(key.name, key.type, key.publicKey), vkey)
    for (let from = 0; from < vkey.length; from++) {
      for (let to = from; to <= vkey.length; to++) if (to - from < vkey.length) refused(vkey.slice(from, to))
      refused(vkey.slice(0, from) + String.fromCharCode(vkey.charCodeAt(from) + 1) + vkey.slice(from + 1))
    }
  }
  for (const vkey of keys.bad_vkeys) refused(vkey)
  for (const hex of keys.small_order_ed25519_pubkeys_hex) {
    assert.throws(
      () => formatVkey('o', 1, fromHex(hex)),
      (e) => SwornError.is(e, 'KEY_INVALID') && /small order/.test(e.message),
    )
  }
})

test('a key that is not a canonical point, of another length, type or name is refused', () => {
  const refused = (name: string, type: number, key: Uint8Array): void =>
    assert.throws(
      () => formatVkey(name, type, key),
      (e) => SwornError.is(e, 'KEY_INVALID'),
    )
  const good = new Uint8Array(32).fill(3)
  const p255 = new Uint8Array(32).fill(255)
  p255[0] = 0xed
  refused('o', 1, p255) // y = p with the sign bit set
  refused('o', 1, good.subarray(1))
  refused('o', 2, good)
  refused('', 1, good)
  refused('a b', 1, good)
  refused('a\u0085b', 1, good)
  refused('\ud800', 1, good)
  p255[0] = 0xec // y = p - 1
  assert.throws(() => formatVkey('o', 1, p255), /small order/)
  p255[5] = 0
  assert.equal(parseVkey(formatVkey('o', 4, p255)).type, 4)
})

sharedTest('checkpoint bodies are accepted and refused as listed', 'checkpoint', (read) => {
  const { good, bad } = JSON.parse(read('checkpoints.json').toString('utf8')) as Checkpoints
  assert.deepEqual([good.length, bad.length], [4, 11])
  for (const c of good) {
    const parsed = parseCheckpoint(c.text)
    assert.deepEqual([parsed.origin, String(parsed.size), parsed.extensions], [c.origin, c.size, c.extensions ?? []])
    if (c.root_b64) assert.equal(toBase64(parsed.root), c.root_b64)
    if (!c.extensions) assert.equal(formatCheckpoint(parsed), c.text)
  }
  for (const c of bad)
    assert.throws(
      () => parseCheckpoint(c.text),
      (e) => SwornError.is(e, 'CHECKPOINT_MALFORMED'),
      c.why,
    )
})

test('sizes that nothing here can count are refused', () => {
  const root = toBase64(new Uint8Array(32))
  assert.equal(parseCheckpoint(`o\n${2 ** 53 - 1}\n${root}\n`).size, 2 ** 53 - 1)
  for (const size of [2n ** 53n, 2n ** 64n - 1n]) assert.throws(() => parseCheckpoint(`o\n${size}\n${root}\n`), /2\^53-1/)
})

for (const name of ['sha256', 'sha3-256']) {
  test(`the golden ${name} checkpoint verifies under the log key and the witness, and any flipped byte of its text does not`, async () => {
    const expected = ownJson<{ vkeys: Record<'epoch1' | 'witness', string>; checkpoint_final: string }>(`expected-${name}.json`)
    const note = ownVector(`checkpoint-${name}`)
    const keys = [parseVkey(expected.vkeys.epoch1), parseVkey(expected.vkeys.witness)]
    assert.equal(note.toString('utf8'), expected.checkpoint_final)
    const opened = await openNote(p, new Uint8Array(note), keys)
    assert.deepEqual(opened.verified, keys)
    const { signatures, text } = parseNote(expected.checkpoint_final)
    assert.equal(formatNote(text, signatures), expected.checkpoint_final)
    assert.equal(cosignatureSeconds(signatures[1]!.signature), 1767323045n)
    for (let i = 0; i < text.length; i++) {
      const flipped = Uint8Array.from(note)
      flipped[i]! ^= 1
      await assert.rejects(openNote(p, flipped, keys), SwornError)
    }
  })
}

test('a cosignature of the wrong length is not a cosignature', async () => {
  const { vkeys } = ownJson<{ vkeys: { witness: string } }>('expected-sha256.json')
  const key = parseVkey(vkeys.witness)
  const note = formatNote('text\n', [{ name: key.name, id: key.id, signature: new Uint8Array(64) }])
  await assert.rejects(openNote(p, note, [key]), (e) => SwornError.is(e, 'NOTE_UNVERIFIED'))
})

test('notes with controls, lone surrogates, invalid UTF-8 or loose lines are malformed', () => {
  const signature = { name: 'o', id: 7, signature: Uint8Array.of(1) }
  const good = formatNote('text\n', [signature])
  assert.deepEqual(parseNote(good).signatures, [{ ...signature, line: good.split('\n')[2] }])
  const bad = [
    '',
    'text\n',
    good.slice(0, -1),
    `\ud800${good}`,
    `\t${good}`,
    good.replace('—', '-'),
    good.replace('— o', '—  o'),
    `${good}— o\n`,
    `${good}— o AAAA=x= z\n`,
    `${good}— o AAAABw==\n`,
    `${'x'.repeat(1_000_000)}${good}`,
  ]
  for (const note of bad)
    assert.throws(
      () => parseNote(note),
      (e) => SwornError.is(e, 'NOTE_MALFORMED'),
      JSON.stringify(note.slice(0, 80)),
    )
  assert.throws(
    () => parseNote(Uint8Array.of(0xff, ...utf8(good))),
    (e) => SwornError.is(e, 'NOTE_MALFORMED'),
  )
})

test('a note has at most a hundred signatures of at least one byte, and ends its text at the last empty line', () => {
  const signatures = (count: number) => Array.from({ length: count }, (_, id) => ({ name: 'o', id, signature: Uint8Array.of(1) }))
  assert.equal(parseNote(formatNote('text\n', signatures(100))).signatures.length, 100)
  for (const note of [formatNote('text\n', signatures(101)), formatNote('text\n', [{ name: 'o', id: 7, signature: new Uint8Array(0) }])])
    assert.throws(
      () => parseNote(note),
      (e) => SwornError.is(e, 'NOTE_MALFORMED'),
    )
  assert.equal(parseNote(formatNote('one\n\ntwo\n', signatures(1))).text, 'one\n\ntwo\n')
})

test('a signature of another length than 64 bytes is none, whatever the primitives think of it', async () => {
  const { key } = signerOf(1)
  const yes = { ...p, verifyEd25519: () => true }
  const noteOf = (length: number): string => formatNote('text\n', [{ name: key.name, id: key.id, signature: new Uint8Array(length) }])
  assert.equal((await openNote(yes, noteOf(64), [key])).verified.length, 1)
  for (const length of [63, 65]) await assert.rejects(openNote(yes, noteOf(length), [key]), (e) => SwornError.is(e, 'NOTE_UNVERIFIED'))
})

test('whatever the bytes, a note parser returns a note that prints to the same text, or throws a typed error', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 })
  const notes = fc
    .array(fc.oneof(line, fc.constantFrom('', '— o AAAABwE=', '— p AAAABwEC')), { maxLength: 8 })
    .map((lines) => `${lines.join('\n')}\n`)
  let parsed = 0
  fc.assert(
    fc.property(notes, (note) => {
      try {
        const { text, signatures } = parseNote(note)
        assert.equal(formatNote(text, signatures), note)
        parsed++
      } catch (e) {
        if (!SwornError.is(e, 'NOTE_MALFORMED')) throw e
      }
    }),
    { seed: 2, numRuns: 3000 },
  )
  assert.ok(parsed > 20, `${parsed} notes were well-formed`)
})

test('key IDs are SHA-256 of any length', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255)
    assert.equal(toHex(sha256(bytes)), createHash('sha256').update(bytes).digest('hex'))
  }
})

test('a key that is given stays as it was', () => {
  const given = Buffer.alloc(32, 0xa5)
  formatVkey('o', 1, given)
  assert.deepEqual(given, Buffer.alloc(32, 0xa5))
})
