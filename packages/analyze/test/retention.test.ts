/** What retention would drop: the longest class counts, a hold holds, and what cannot be read stays. @module */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import type { AuditBlock } from '@sworn/recorder'
import { findLedger } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import type { Entry } from '../src/reading/entry.ts'
import { addHold, createHoldTest, createRetention, planRetention, readHolds, releaseHold } from '../src/retention/index.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-21T12:00:00Z')
const ago = (days: number) => new Date(NOW - days * DAY).toISOString()
const temporary = () => mkdtempSync(join(tmpdir(), 'sworn-retention-'))
const HOLD = { name: 'case-7', where: 'user == "bob"', reason: 'litigation', since: '2026-01-01T00:00:00Z' }

/** A ledger of segments of entries, as a reader finds it; the hashes are not looked at. */
function ledgerOf(...segments: readonly Record<string, unknown>[][]) {
  const path = temporary()
  mkdirSync(join(path, 'segments'))
  let seq = 0
  for (const entries of segments) {
    const name = `${String(seq).padStart(20, '0')}.jsonl`
    writeFileSync(
      join(path, 'segments', name),
      entries.map((entry) => `${JSON.stringify({ event_type: 'data_access', ...entry, seq: seq++ })}\n`).join(''),
    )
  }
  return findLedger(path, '/')
}

const plan = (
  files: ReturnType<typeof ledgerOf>,
  block: Pick<AuditBlock, 'retention' | 'retention_days'>,
  heldBy: (entry: Entry) => string | undefined = () => undefined,
) => planRetention(files, { retention: createRetention(block), heldBy, now: NOW })

const kept: [string, Pick<AuditBlock, 'retention' | 'retention_days'>, Record<string, unknown>, number][] = [
  ['without a class and without retention_days: for ever', {}, {}, Number.POSITIVE_INFINITY],
  ['without a class: retention_days', { retention_days: 90 }, {}, 90],
  ['SOC 2: a year', { retention: { classes: [{ framework: 'soc2' }] } }, {}, 365],
  ['HIPAA: six years', { retention: { classes: [{ framework: 'hipaa' }] } }, {}, 2192],
  ['EU AI Act: 183 days', { retention: { classes: [{ framework: 'eu-ai-act' }] } }, {}, 183],
  [
    'of two classes the longer',
    { retention: { classes: [{ framework: 'soc2' }, { risk: ['high'], framework: 'hipaa' }] } },
    { risk_level: 'high' },
    2192,
  ],
  [
    'another risk is not of the class',
    { retention_days: 7, retention: { classes: [{ risk: ['high'], days: 400 }] } },
    { risk_level: 'low' },
    7,
  ],
  ['a class by type', { retention_days: 7, retention: { classes: [{ events: ['data_access'], days: 400 }] } }, {}, 400],
  ['a class by group', { retention_days: 7, retention: { classes: [{ events: ['data'], days: 400 }] } }, {}, 400],
  ['another type', { retention: { classes: [{ events: ['authentication'], days: 400 }] } }, {}, Number.POSITIVE_INFINITY],
  ['a class shorter than retention_days shortens nothing', { retention_days: 90, retention: { classes: [{ days: 3 }] } }, {}, 90],
]
describe('how long an entry is kept', () => {
  for (const [what, block, entry, days] of kept) {
    it(what, () => assert.equal(createRetention(block).keepDays({ event_type: 'data_access', seq: 1, ...entry }), days))
  }

  it('an unknown type in a class is refused where it stands', () => {
    const block = { retention: { classes: [{ days: 1 }, { events: ['data_acess'], days: 1 }] } }
    assert.throws(
      () => createRetention(block),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === 'audit.retention.classes.1.events',
    )
  })
})

describe('what may go', () => {
  const block = { retention_days: 30 }

  it('whole segments from the oldest on, never the active one', async () => {
    const files = ledgerOf([{ timestamp: ago(90) }, { timestamp: ago(60) }], [{ timestamp: ago(40) }], [{ timestamp: ago(35) }])
    assert.deepEqual(await plan(files, block), {
      upTo: 3,
      segments: [
        { firstSeq: 0, entries: 2 },
        { firstSeq: 2, entries: 1 },
      ],
      stop: { firstSeq: 3, why: 'active' },
    })
  })

  it('a segment with one entry that is still kept stays whole, and so do those behind it', async () => {
    const files = ledgerOf(
      [{ timestamp: ago(90) }],
      [{ timestamp: ago(80) }, { timestamp: ago(20) }],
      [{ timestamp: ago(70) }],
      [{ timestamp: ago(1) }],
    )
    const { upTo, stop } = await plan(files, block)
    assert.deepEqual([upTo, stop], [1, { firstSeq: 1, why: 'age', until: new Date(NOW + 10 * DAY).toISOString() }])
  })

  it('what a hold names stays, whatever its age', async () => {
    const files = ledgerOf([{ timestamp: ago(9000), user: 'bob' }], [{ timestamp: ago(1) }])
    assert.deepEqual((await plan(files, block, createHoldTest([HOLD]))).stop, { firstSeq: 0, why: 'hold', hold: 'case-7', seq: 0 })
  })

  it('a producer that claims to be old shortens nothing: the time of the appender counts', async () => {
    const files = ledgerOf([{ timestamp: ago(10), event_type: 'log.segment' }, { timestamp: ago(9000) }], [{ timestamp: ago(1) }])
    assert.equal((await plan(files, block)).stop?.why, 'age')
  })

  it('a clock that is ahead keeps nothing for ever: what cannot be yet is as old as the appender says, and a day', async () => {
    const opened = (days: number) => ({ timestamp: ago(days), event_type: 'log.segment' })
    const files = ledgerOf(
      [opened(32), { timestamp: '9999-01-01T00:00:00.000Z' }, { timestamp: ago(-400) }],
      [opened(30.5), { timestamp: '9999-01-01T00:00:00.000Z' }],
      [{ timestamp: ago(1) }],
    )
    const { upTo, stop } = await plan(files, block)
    assert.deepEqual([upTo, stop], [3, { firstSeq: 3, why: 'age', until: new Date(NOW + 0.5 * DAY).toISOString() }])
  })

  const unreadable: [string, Record<string, unknown>][] = [
    ['no time', {}],
    ['a time that is none', { timestamp: 'yesterday' }],
    ['a number that does not follow', { timestamp: ago(90), seq: 7 }],
  ]
  for (const [what, entry] of unreadable) {
    it(`an entry with ${what} is kept`, async () => {
      const files = ledgerOf([{ timestamp: ago(90) }], [{ timestamp: ago(1) }])
      const [first] = ['00000000000000000000.jsonl'].map((name) => join(files.path, 'segments', name))
      writeFileSync(first!, `${JSON.stringify({ event_type: 'x', seq: 0, ...entry })}\n`)
      assert.deepEqual(await plan(files, block), { upTo: 0, segments: [], stop: { firstSeq: 0, why: 'unreadable' } })
    })
  }

  it('equals what counting by hand says, over random ledgers', async () => {
    const entry = fc.record({
      days: fc.integer({ min: 0, max: 60 }),
      user: fc.constantFrom('bob', 'eve'),
      risk_level: fc.constantFrom('low', 'high'),
    })
    const segments = fc.array(fc.array(entry, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(segments, fc.boolean(), async (drawn, held) => {
        const files = ledgerOf(...drawn.map((entries) => entries.map(({ days, ...rest }) => ({ timestamp: ago(days), ...rest }))))
        const classes = { retention_days: 10, retention: { classes: [{ risk: ['high' as const], days: 30 }] } }
        const mayGo = ({ days, user, risk_level: risk }: (typeof drawn)[0][0]) =>
          days >= (risk === 'high' ? 30 : 10) && !(held && user === 'bob')
        const blocked = drawn.findIndex((entries, i) => i === drawn.length - 1 || !entries.every(mayGo))
        assert.equal((await plan(files, classes, held ? createHoldTest([HOLD]) : undefined)).segments.length, blocked)
      }),
      { seed: 20261121, numRuns: 40 },
    )
  })
})

test('holds are kept in a file of their owner alone, and end when they are released', () => {
  const keys = temporary()
  assert.deepEqual(readHolds(keys), [])
  addHold(keys, HOLD)
  assert.equal(statSync(join(keys, 'holds.json')).mode & 0o777, 0o600)
  assert.deepEqual(readHolds(keys), [HOLD])
  assert.deepEqual(releaseHold(keys, 'case-7'), HOLD)
  assert.deepEqual(readHolds(keys), [])
})

const noHold: [string, Partial<typeof HOLD>, string][] = [
  ['a name that is a path', { name: '../x' }, 'USAGE'],
  ['an empty name', { name: '' }, 'USAGE'],
  ['a name that is taken', {}, 'USAGE'],
  ['a filter that is none', { name: 'b', where: 'user ==' }, 'FILTER_INVALID'],
]
for (const [what, change, code] of noHold) {
  test(`${what} makes no hold`, () => {
    const keys = temporary()
    addHold(keys, HOLD)
    assert.throws(
      () => addHold(keys, { ...HOLD, ...change }),
      (e) => SwornError.is(e) && e.code === code,
    )
    assert.equal(JSON.parse(readFileSync(join(keys, 'holds.json'), 'utf8')).length, 1)
  })
}

for (const text of ['', '{', '{}', '[{"name":1}]', '[null]']) {
  test(`holds that cannot be read (${JSON.stringify(text)}) are an error, never none`, () => {
    const keys = temporary()
    writeFileSync(join(keys, 'holds.json'), text, { mode: 0o600 })
    assert.throws(
      () => readHolds(keys),
      (e) => SwornError.is(e, 'CONFIG_INVALID'),
    )
  })
}
