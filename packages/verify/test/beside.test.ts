/** Signed notes beside a log: what a key of the log signed counts, what anybody else put there changes no claim. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrimitives as p } from '@sworn/verify/node'
import { later } from '../../../testkit/src/suite.ts'
import { formatCheckpoint, formatTransition, type Report, reportVerdict, type VerifyOptions, verifyLog } from '../src/index.ts'
import { joinLines, noteBy, ORIGIN, type Signer, sampleLog, signerOf, writeLog } from './support/write-log.ts'

const signer = signerOf(1)
const next = signerOf(2)
const stranger = signerOf(9, 'stranger')
const namesake = signerOf(9) // the origin's name, another key
const forger: Signer = { ...signer, sign: (text) => signerOf(9).sign(text) }
const { log, final } = sampleLog(signer, 5)

const check = (checkpoints: readonly string[], more: Partial<VerifyOptions> = {}): Promise<Report> =>
  verifyLog([log.bytes()], { primitives: p, trust: signer.key, checkpoints, ...more })
const found = (report: Report): string[] => report.findings.map((f) => `${f.severity} ${f.class} ${f.at}`)
const claims = ({ levels: { signed, ...others } }: Report): unknown => others
const textOf = (size: number, root: Uint8Array = new Uint8Array(32), origin = ORIGIN): string => formatCheckpoint({ origin, size, root })

/** What an attacker without the key might say: less, the same with another root, more, of another log. */
const SAYINGS: Readonly<Record<string, string>> = {
  'another root of a smaller size': textOf(3),
  'another root of this size': textOf(log.lines.length),
  'a larger size': textOf(1_000),
  'the true root': textOf(log.lines.length, log.root()),
  'another log': textOf(3, log.root(), 'elsewhere'),
}

for (const [what, text] of Object.entries(SAYINGS)) {
  const size = text.split('\n')[1]
  test(`a note that nobody known signed (${what}) is one warning about that note and changes no claim`, async () => {
    for (const given of [[], [final]]) {
      const without = await check(given)
      const notes = [noteBy(text, stranger), noteBy(text, namesake), text, `${text}\n`]
      for (const note of notes) {
        for (const mixture of [
          [note, ...given],
          [...given, note],
        ]) {
          const report = await check(mixture)
          assert.deepEqual(found(report), [`warning signature_missing checkpoint of size ${size}`])
          assert.deepEqual(report.levels, without.levels)
          assert.equal(reportVerdict(report, 'complete').exit, 0)
          assert.equal(reportVerdict(report, 'signed').exit, 0)
        }
      }
    }
  })

  test(`a note in the name of the log with a wrong signature (${what}) is one finding about that note: signed does not hold, the rest does`, async () => {
    const without = await check([final])
    const report = await check([final, noteBy(text, forger)])
    assert.deepEqual(found(report), [`finding signature_invalid checkpoint of size ${size}`])
    assert.deepEqual(claims(report), claims(without))
    assert.equal(report.levels.signed.size, log.lines.length)
    const exits = (['tree', 'complete', 'signed'] as const).map((level) => reportVerdict(report, level).exit)
    assert.deepEqual(exits, [0, 0, 1])
  })
}

test('a note with a good signature of the log among those of strangers counts', async () => {
  const text = textOf(log.lines.length, log.root())
  assert.deepEqual(found(await check([noteBy(text, stranger, signer)])), [])
  assert.deepEqual(found(await check([noteBy(textOf(3), stranger, signer)])), ['finding root_mismatch checkpoint of size 3'])
})

test('what the key of the log did sign is held against it: another root, more entries, another log, two roots of one size', async () => {
  const by = (text: string): string => noteBy(text, signer)
  const size = log.lines.length
  const cases: [string[], string[]][] = [
    [[by(textOf(3))], ['root_mismatch checkpoint of size 3']],
    [[by(textOf(9))], ['truncated_below_checkpoint checkpoint of size 9']],
    [[by(textOf(9)), by(textOf(11))], ['truncated_below_checkpoint checkpoint of size 11']],
    [[by(textOf(3, log.root(), 'elsewhere'))], ['state_invalid checkpoint of size 3']],
    [[by(textOf(99, log.root(), 'elsewhere'))], ['state_invalid checkpoint of size 99']],
    [
      [final, by(textOf(size))],
      [`root_mismatch checkpoint of size ${size}`, `fork checkpoint of size ${size}`],
    ],
    [[final, by(textOf(size, undefined, 'elsewhere'))], [`state_invalid checkpoint of size ${size}`]],
  ]
  for (const [notes, expected] of cases)
    assert.deepEqual(
      found(await check(notes)),
      expected.map((f) => `finding ${f}`),
    )
})

test('a note that has a name is found under it', async () => {
  const { findings } = await verifyLog([log.bytes()], {
    primitives: p,
    checkpoints: [
      { name: 'a.note', note: textOf(3) },
      { name: 'b.note', note: 'junk' },
    ],
  })
  assert.deepEqual(
    findings.map(({ at }) => at),
    ['b.note', 'checkpoint of size 3 in a.note'],
  )
})

test('what is no note is one warning about itself: it changes no claim, hides no other note, and is a finding only in the memory of the signer', async () => {
  const without = await check([final])
  for (const junk of ['', 'no note', 'a\n\n— b c\n', final.slice(0, 40), final.replace('—', '-'), '\u0000'.repeat(2_000_000)]) {
    const report = await check([junk, final])
    assert.deepEqual([found(report), report.levels], [['warning state_invalid checkpoint 1'], without.levels], junk.slice(0, 40))
    assert.equal(reportVerdict(report, 'signed').exit, 0)
    const lied = await check([junk, noteBy(textOf(9), signer)])
    assert.deepEqual(found(lied), ['warning state_invalid checkpoint 1', 'finding truncated_below_checkpoint checkpoint of size 9'])
    assert.deepEqual(found(await check([final], { signerNotes: [junk] })), ['finding state_invalid signer state 1'])
  }
})

test('two different roots beside a log are no fork when the key of the log signed one of them', async () => {
  const notes = [final, noteBy(textOf(log.lines.length), stranger)]
  assert.ok(!(await check(notes)).findings.some((f) => f.class === 'fork'))
})

test('ten thousand notes of strangers hide no finding from the list', { skip: later }, async () => {
  const heap = Array.from({ length: 10_000 }, (_, i) => noteBy(textOf(i + 100), stranger))
  const report = await check([...heap, noteBy(textOf(3), signer)])
  assert.deepEqual(found(report)[0], 'finding root_mismatch checkpoint of size 3')
  assert.deepEqual([report.findings.length, report.findingsOmitted], [1_000, 9_001])
})

test('without a key nothing beside the log counts, and how much was not checked is said', async () => {
  const bare = writeLog()
  bare.add({ a: 1 })
  const report = await verifyLog([bare.bytes()], { primitives: p, checkpoints: [noteBy(textOf(1), stranger), noteBy(textOf(9), signer)] })
  assert.deepEqual(
    report.findings.map((f) => f.class),
    ['record_malformed'],
  )
  assert.equal(report.levels.signed.unchecked, 2)
})

/** A log over a change of keys; `cut` ends before it. */
function overTransition(): { cut: Uint8Array; note: string; transition: Uint8Array; size: number } {
  const whole = writeLog(signer)
  for (let i = 0; i < 3; i++) whole.add({ i })
  const cut = joinLines(whole.lines)
  const at = whole.transition(signer, next)
  whole.add({ i: 3 })
  return { cut, note: whole.note(next), transition: whole.lines[at]!, size: whole.lines.length }
}

test('a log cut before its change of keys is truncated: the kept record of the change says whose note that is', async () => {
  const { cut, note, transition, size } = overTransition()
  const judge = async (reserved: Uint8Array[]): Promise<string[]> =>
    found(await verifyLog([cut], { primitives: p, trust: signer.key, checkpoints: [note], reserved }))
  const truncated = [`finding truncated_below_checkpoint checkpoint of size ${size}`]
  const open = writeLog(signer).lines[0]!
  assert.deepEqual(await judge([open, Buffer.from('no line'), transition]), truncated)
  const unknown = [`warning signature_missing checkpoint of size ${size}`]
  assert.deepEqual(await judge([open]), unknown)
  // Of two changes at one size the second is none.
  const third = signerOf(3)
  const again = writeLog(signer)
  for (let i = 0; i < 3; i++) again.add({ i })
  const parts = { origin: ORIGIN, size: 4, root: again.root(), oldVkey: next.key.vkey, newVkey: third.key.vkey }
  again.reserved('log.key_transition', { note: noteBy(formatTransition(parts), next, third) })
  const byThird = found(
    await verifyLog([cut], {
      primitives: p,
      trust: signer.key,
      checkpoints: [noteBy(textOf(9), third)],
      reserved: [transition, again.lines[4]!],
    }),
  )
  assert.deepEqual(byThird, ['warning signature_missing checkpoint of size 9'])
  // A change that the first key did not sign hands nothing on, nor does text that is none.
  const usurped = writeLog(signer)
  usurped.transition(signer, next, [next])
  usurped.reserved('log.key_transition', { note: 'no note' })
  usurped.reserved('log.key_transition', { note: 7 })
  usurped.reserved('log.stop', { note })
  assert.deepEqual(await judge([...usurped.lines]), unknown)
})

test("the signer's own memory counts although the log was cut before the change of keys, but not with a wrong signature", async () => {
  const { cut, note, size } = overTransition()
  const judge = async (memory: string): Promise<string[]> =>
    found(await verifyLog([cut], { primitives: p, trust: signer.key, signerNotes: [memory] }))
  assert.deepEqual(await judge(note), [`finding rollback signer state of size ${size}`])
  assert.deepEqual(await judge(noteBy(textOf(3), forger)), ['finding signature_invalid signer state of size 3'])
  assert.deepEqual(await judge(noteBy(textOf(3), signer)), ['finding fork signer state of size 3'])
  assert.deepEqual(await judge(noteBy(textOf(99, undefined, 'elsewhere'), signer)), ['finding state_invalid signer state of size 99'])
})

test('a note by the key of another epoch is a key_epoch_violation and says nothing else', async () => {
  const whole = writeLog(signer)
  whole.add({ a: 1 })
  whole.transition(signer, next)
  whole.checkpoint(next)
  const judge = async (text: string): Promise<string[]> =>
    found(await verifyLog([whole.bytes()], { primitives: p, trust: signer.key, checkpoints: [noteBy(text, signer)] }))
  assert.deepEqual(await judge(textOf(4)), ['finding key_epoch_violation checkpoint of size 4'])
  assert.deepEqual(await judge(textOf(40)), ['finding key_epoch_violation checkpoint of size 40'])
})

test("where no key is known at all the signer's own memory still counts: its log and its end are compared", async () => {
  const bare = writeLog()
  bare.add({ a: 1 })
  const judge = async (memory: string): Promise<string[]> =>
    found(await verifyLog([bare.bytes()], { primitives: p, signerNotes: [memory] })).slice(1) // the first: no log.open
  assert.deepEqual(await judge(noteBy(textOf(9), signer)), ['finding rollback signer state of size 9'])
  assert.deepEqual(await judge(noteBy(textOf(1), signer)), ['finding fork signer state of size 1'])
  assert.deepEqual(await judge(bare.note(signer)), [])
  const { levels } = await verifyLog([bare.bytes()], { primitives: p, signerNotes: [bare.note(signer)] })
  assert.equal(levels.signed.unchecked, 1)
})
