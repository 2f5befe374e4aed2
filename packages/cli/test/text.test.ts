/** What is shown: escapes, tables, CSV, times, diffs. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { createPaint } from '../src/text/colour.ts'
import { formatCell } from '../src/text/csv.ts'
import { formatDiff } from '../src/text/diff.ts'
import { escapeText } from '../src/text/escape.ts'
import { fitText, formatTable, formatWhole } from '../src/text/table.ts'
import { formatShortTime, formatTime, parseDuration, parseTime } from '../src/text/time.ts'

const hostile = fc.string({ unit: 'binary', maxLength: 80 })

test('no control, bidi, zero-width or surrogate character passes the escape, and escaping twice changes nothing', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const safe = escapeText(text)
      assert.doesNotMatch(safe, /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u)
      assert.equal(escapeText(safe), safe)
    }),
    { seed: 3, numRuns: 2000 },
  )
  assert.equal(escapeText('a\u001b[31mb\u202ec\nd\u{e0041}'), 'a\\u001b[31mb\\u202ec\\nd\\u{e0041}')
  assert.equal(escapeText('Grüße 古 🙂'), 'Grüße 古 🙂')
})

test('every unsafe character of Unicode is escaped, alone and among texts that are shown as they are', () => {
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/u
  for (let code = 0; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code)
    assert.equal(escapeText(char) !== char, unsafe.test(char), code.toString(16))
  }
  assert.equal(escapeText('“Grüße” – a…\u00ad'), '“Grüße” – a…\\u00ad')
})

test('a table line is never wider than the terminal, whatever the cells hold', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hostile, hostile, hostile), { maxLength: 8 }), fc.integer({ min: 30, max: 120 }), (rows, width) => {
      const columns = [{ title: 'A' }, { title: 'B', most: 10 }, { title: 'C', stretch: true as const }]
      for (const line of formatTable(columns, rows, width)) assert.ok(stringWidth(line) <= width, `${stringWidth(line)} > ${width}`)
    }),
    { seed: 5, numRuns: 300 },
  )
  assert.equal(fitText('古古古', 5), '古古…')
})

test('a table that must be read whole loses no word at any width, and is no wider where its words are not', () => {
  const word = fc.constantFrom('seq', '0', 'to', '24', 'behind', 'it', '5', 'entries', 'by', 'the', 'chain', '古古', 'only')
  const details = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('signed', 'tree'), details), { maxLength: 6 }),
      fc.integer({ min: 40, max: 120 }),
      (rows, width) => {
        const lines = formatWhole(['CLAIM', 'DETAIL'], rows, width)
        for (const line of lines) assert.ok(stringWidth(line) <= width, line)
        const words = (texts: readonly string[]) => texts.flatMap((text) => text.split(' ')).filter(Boolean)
        assert.deepEqual(words(lines), words(['CLAIM DETAIL', ...rows.flat()]))
      },
    ),
    { seed: 7, numRuns: 300 },
  )
})

test('a column of which half says nothing is cut last', () => {
  const columns = [{ title: 'TIME', keep: true as const }, { title: 'WHAT' }]
  const rows = [['01-31 12:00:00Z', 'x'.repeat(60)]]
  assert.equal(formatTable(columns, rows, 30)[1], `01-31 12:00:00Z  ${'x'.repeat(12)}…`)
  assert.equal(formatTable(columns, rows, 12)[1], '01-31 12…  …')
})

test('a short time keeps day, second and offset, and a year that is not this one', () => {
  const now = Date.parse('2026-06-01T00:00:00Z')
  assert.equal(formatShortTime('2026-01-31T12:00:00.123Z', true, now), '01-31 12:00:00Z')
  assert.match(formatShortTime('2026-01-31T12:00:00.123Z', false, now), /^0[12]-\d\d \d\d:\d\d:00[+-]\d\d:\d\d$/)
  assert.equal(formatShortTime('2199-01-31T12:00:00.123Z', true, now), '2199-01-31 12:00:00Z')
  assert.equal(formatShortTime('1969-12-31T12:00:00.123Z', true, now), '1969-12-31 12:00:00Z')
  assert.equal(formatShortTime('soon', true, now), 'soon')
  assert.equal(formatShortTime(7, true, now), '-')
})

test('a spreadsheet runs no cell as a formula', () => {
  for (const bad of ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '＝1']) assert.match(formatCell(bad), /^"?'/)
  assert.equal(formatCell('-12.5'), '-12.5')
  assert.equal(formatCell('a,"b"\n'), '"a,""b""\n"')
})

test('times are read as durations, dates and RFC 3339, and nothing else', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  assert.equal(parseTime('1h', now, ''), now - 3_600_000)
  assert.equal(parseTime('2026-11-21T11:00:00.123Z', now, ''), now - 3_600_000 + 123)
  assert.equal(parseTime('2024-02-29 12:00:00.123456789+02:00', now, ''), Date.UTC(2024, 1, 29, 10, 0, 0, 123))
  assert.equal(parseTime('2026-02-28', now, ''), new Date(2026, 1, 28).getTime())
  const days = ['2026-02-30', '2026-02-30T00:00:00Z', '2026-06-31T12:00', '2025-02-29T12:00:00+01:00', '2026-01-31T12:00:60Z']
  for (const bad of ['', 'yesterday', ...days, '2026-01-31 12:00 (x) PST', '1y', '-1h'])
    assert.throws(() => parseTime(bad, now, '--since'), /--since/)
  assert.equal(parseDuration('90s', ''), 90_000)
  assert.equal(formatTime('2026-11-21T11:00:00.123Z', true), '2026-11-21T11:00:00.123Z')
  assert.match(formatTime('2026-11-21T11:00:00.123Z', false), /^2026-11-2\d \d\d:\d\d:00\.123[+-]\d\d:\d\d$/)
  assert.equal(formatTime('soon', true), 'soon')
})

test('colour needs a terminal and no NO_COLOR', () => {
  assert.equal(createPaint({ isTTY: true, env: {} }).red('x'), '\u001b[31mx\u001b[0m')
  for (const io of [
    { isTTY: false, env: {} },
    { isTTY: true, env: { NO_COLOR: '1' } },
    { isTTY: true, env: { TERM: 'dumb' } },
  ]) {
    assert.equal(createPaint(io).red('x'), 'x')
  }
})

test('a diff applied to the old text gives the new one', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const diff = formatDiff(a.join('\n'), b.join('\n'), 100)
      const side = (skip: string) => diff.filter((l) => !l.startsWith(skip)).map((l) => l.slice(2))
      if (a.join('\n') === b.join('\n')) return
      assert.equal(side('+').join('\n'), a.join('\n'))
      assert.equal(side('-').join('\n'), b.join('\n'))
    }),
    { seed: 9, numRuns: 300 },
  )
})
