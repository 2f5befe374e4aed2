/** Whatever was recorded, a page of a report holds it as text and as nothing else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EVENT_TYPES } from '@sworn/verify/events'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { BUILT_IN } from '../src/alerts/index.ts'
import type { Source } from '../src/query/source.ts'
import { escapeText } from '../src/reading/escape.ts'
import { formatNumber } from '../src/report/document.ts'
import { createEvidence } from '../src/report/evidence.ts'
import { FRAMEWORKS } from '../src/report/frameworks/index.ts'
import { formatHtml } from '../src/report/html.ts'
import { formatMarkdown } from '../src/report/markdown.ts'
import { commandOf } from '../src/report/pages/framework.ts'
import { toDocument } from '../src/report/pages/index.ts'
import { createReport } from '../src/report/report.ts'
import type { Report } from '../src/report/types.ts'

const runs = { numRuns: count({ fast: 40, ci: 200, full: 1000 }) }

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><style>@import url(//evil.example)</style>',
  '</title><meta http-equiv=refresh content=0;url=//evil.example>',
  '<!--',
  ']]>',
  '&lt;b&gt;&#x3c;',
  '`code` ```fence``` |pipe| \\| [link](javascript:alert(1)) ![i](http://evil.example/x.png)',
  '| a | b |\n|---|---|',
  '\n\n# heading\n\n- list',
  '\u202egnp.exe\u202c \u2066x\u2069 \u200b\u00ad\ufeff',
  '\u001b[2J\u0007\r\n\0',
  '\ud800 lone \udfff',
  '__proto__',
  '`'.repeat(7),
  ' ',
  '',
]
const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.string()).map(([a, b]) => a + b),
)

/** An event of each type with the text in every member that a report shows. */
function eventsWith(text: string): Readonly<Record<string, unknown>>[] {
  const common = {
    timestamp: '2026-11-21T10:00:00.000Z',
    user: text,
    tool: text,
    agent_id: text,
    session_id: text,
    server: text,
    severity: text,
    risk_level: text,
    model: text,
    reason: text,
    source: { kind: text, name: text, vantage: text },
    arguments: { [text]: text },
    correlation_id: text,
  }
  return [...EVENT_TYPES, 'log.gap', 'log.start', text].map((type, i) => ({
    ...common,
    event_type: type,
    decision: i % 2 === 0 ? 'deny' : 'allow',
    reason_code: text,
    pattern: text,
    direction: text,
    dlp_action: text,
    usage: { input_tokens: 5 },
    duration_ms: 12,
    human_decision: { approved: true, approver: text, channel: text, response_time_ms: 900 },
    entry_hash: text,
    metadata: { rule: text, evidence: [1], reason: text, from: text, to: text, client: text, version: text, used: 1 },
  }))
}

async function reportOf(text: string): Promise<Report> {
  const found = eventsWith(text).map((event, seq) => ({ seq, line: Buffer.from('{}'), value: seq, entry: () => ({ ...event, seq }) }))
  const source: Source = {
    async *find() {
      yield* found
    },
    count: async () => [{ texts: [], entries: 99 }],
  }
  const claims = (['bytes', 'chain', 'tree', 'signed', 'anchored', 'complete'] as const).map((claim) => ({
    claim,
    holds: false,
    detail: text,
  }))
  const findings = [{ class: 'fork' as const, at: text, message: text, severity: 'finding' as const }]
  const integrity = { verdict: text, holds: false, claims, findings, finding_count: 1, size: 9, head: text, root: text, origin: text }
  return createReport(source, {
    subject: text,
    framework: FRAMEWORKS.find(({ id }) => id === 'gdpr'),
    sampling: { root: new Uint8Array(32), size: 1000 },
    rules: BUILT_IN,
    integrity,
    now: Date.parse('2026-11-21T12:00:00Z'),
  })
}

/** Every tag, with its attributes. */
const tagsOf = (page: string): string[] => page.replace(/<style>[\s\S]*?<\/style>/, '').match(/<[^>]*>/g) ?? []
/** Sizes of bars follow from the order in which names come. */
const withoutSizes = (tag: string): string => tag.replace(/ (x|y|width|height)="[\d.]*"/g, '')

describe('HTML', () => {
  test('has the same tags and attributes whatever the recorded text is', async () => {
    const plain = tagsOf(formatHtml(toDocument(await reportOf('plain')))).map(withoutSizes)
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        fc.pre(!EVENT_TYPES.includes(text as never)) // a word of ours is counted with its own
        const page = formatHtml(toDocument(await reportOf(text)))
        assert.deepEqual(tagsOf(page).map(withoutSizes).sort(), plain.toSorted())
        const shown = page.replaceAll('\n', '')
        assert.equal(escapeText(shown), shown, 'no control, bidi or invisible character is left')
      }),
      runs,
    )
  })

  test('loads nothing and runs nothing: the policy allows one style sheet, by its hash', async () => {
    const page = formatHtml(toDocument(await reportOf('plain')))
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? ''
    const hash = Buffer.from(nodePrimitives.hash('sha256', Buffer.from(style))).toString('base64')
    const policy = `default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;`
    assert.ok(page.includes(`<meta http-equiv="Content-Security-Policy" content="${policy}">`))
    assert.doesNotMatch(page, /<script|<link|<img|<iframe|<object|<base|<form| on\w+=|style="|@import|url\(|javascript:/i)
    for (const tag of tagsOf(page)) assert.doesNotMatch(tag, /(src|href)="(?!#s\d+")/)
  })

  test('is a page for everybody: language, title, headings in order, tables with captions and header cells, charts with a text', async () => {
    const page = formatHtml(toDocument(await reportOf('plain')))
    assert.match(page, /<html lang="en">/)
    assert.match(page, /<title>Evidence for GDPR<\/title>/)
    const levels = [...page.matchAll(/<h(\d)/g)].map((m) => Number(m[1]))
    assert.equal(levels.filter((level) => level === 1).length, 1)
    for (const [i, level] of levels.entries()) assert.ok(level <= (levels[i - 1] ?? 0) + 1, 'no level is left out')
    const tables = page.match(/<table>[\s\S]*?<\/table>/g) ?? []
    assert.ok(tables.length > 10)
    for (const table of tables)
      assert.match(table, /^<table><caption>[^<]+<\/caption><thead><tr>(<th scope="col"[^>]*>[^<]*<\/th>)+<\/tr><\/thead>/)
    for (const [svg] of page.matchAll(/<svg[^>]*>/g)) assert.match(svg, /aria-hidden="true"|role="img" aria-label="[^"]+"/)
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((m) => m[1])
    assert.equal(new Set(ids).size, ids.length)
    for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(id))
  })
})

test('a chart of any number of columns stays within its width, none is a wall, and a lone one has one date', () => {
  const sizes = fc.array(fc.nat(1000), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(sizes, (values) => {
      const chart = { kind: 'chart', caption: 'c', steps: values.map((_, i) => `step ${i}`), series: [{ title: 's', values }] } as const
      const page = formatHtml({ title: 't', lead: [], sections: [{ title: 's', level: 2, blocks: [chart] }] })
      const columns = [...page.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map(
        ([, x, width]) => [Number(x), Number(width)] as const,
      )
      assert.equal(columns.length, values.length)
      for (const [i, [x, width]] of columns.entries()) {
        assert.ok(width > 0 && width <= 720 / 10 && x + width <= 720)
        assert.ok(i === 0 || x > columns[i - 1]![0] + columns[i - 1]![1], 'columns do not touch')
      }
      assert.equal(page.match(/<span>step /g)?.length, Math.min(values.length, 2))
    }),
    runs,
  )
})

test('a fact that is long or recorded has a row of its own, so that it is not broken letter by letter', () => {
  const facts = [
    ['ledger', { data: 'x' }],
    ['root', 'e'.repeat(64)],
    ['made', '2026-11-21 12:00:00 UTC'],
    ['events', 12],
  ] as const
  const page = formatHtml({ title: 't', lead: [{ kind: 'facts', facts }], sections: [] })
  assert.deepEqual(
    [...page.matchAll(/<div class="long"><dt>(\w+)/g)].map((match) => match[1]),
    ['ledger', 'root'],
  )
})

/** The page without its code spans: a run of backticks is closed by the next run of the same length. Source: CommonMark §6.1. */
function withoutCode(line: string): string {
  if (/^```(sh)?$/.test(line)) return line // a block of commands begins or ends
  let rest = line
  let kept = ''
  for (let open = /`+/.exec(rest); open; open = /`+/.exec(rest)) {
    const after = rest.slice(open.index + open[0].length)
    const close = [...after.matchAll(/`+/g)].find((run) => run[0].length === open[0].length)
    assert.ok(close, `a code span is not closed: ${line}`)
    kept += `${rest.slice(0, open.index)}·`
    rest = after.slice(close.index + close[0].length)
  }
  return kept + rest
}

describe('Markdown', () => {
  test('has the same lines and the same table cells whatever the recorded text is', async () => {
    const frame = (page: string): string[] =>
      page.split('\n').map((line) =>
        withoutCode(line.replaceAll('\\|', '¦'))
          .replaceAll('(empty)', '·')
          .replace(/[\d.,]+/g, '0'),
      )
    const plain = frame(formatMarkdown(toDocument(await reportOf('plain'))))
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const page = formatMarkdown(toDocument(await reportOf(text)))
        assert.deepEqual(frame(page).sort(), plain.toSorted())
        const shown = page.replaceAll('\n', '')
        assert.equal(escapeText(shown), shown)
      }),
      runs,
    )
  })
})

describe('a framework', () => {
  const TYPES = new Set<string>([
    ...EVENT_TYPES,
    ...['open', 'start', 'stop', 'checkpoint', 'anchor', 'gap', 'recovered', 'prune', 'erasure'].map((n) => `log.${n}`),
  ])

  test('has a source for every control, filters that compile, event types that exist, and never says compliant', () => {
    assert.deepEqual(
      FRAMEWORKS.map(({ id }) => id),
      ['eu-ai-act', 'soc2', 'gdpr', 'hipaa', 'nist-800-53', 'iso-42001'],
    )
    for (const framework of FRAMEWORKS) {
      createEvidence(framework, undefined)
      assert.ok(framework.sources.length > 0 && framework.edition !== '')
      assert.equal(new Set(framework.controls.map(({ id }) => id)).size, framework.controls.length)
      for (const control of framework.controls) {
        assert.ok(control.source !== '' && control.requires !== '' && control.beyond !== '', control.id)
        assert.ok(control.evidence.length > 0, control.id)
        for (const { types } of [...control.evidence, ...(control.against ?? [])])
          for (const type of types) assert.ok(TYPES.has(type), `${control.id}: ${type}`)
      }
      assert.doesNotMatch(JSON.stringify(framework), /compliant|complies|fulfilled|satisfied/i)
    }
  })

  test('no filter can end the quotes of the command that finds the entries again', () => {
    for (const { controls } of FRAMEWORKS)
      for (const { evidence, against = [] } of controls)
        for (const rule of [...evidence, ...against])
          assert.match(commandOf(rule, { since: null, until: null }), /^sworn query --type [a-z_.,]+( --where '[^']+')?$/)
  })

  test('says what is missing: kinds without entries, claims that do not hold, entries that are not old enough', async () => {
    const report = await reportOf('plain')
    const control = report.framework?.controls.find(({ id }) => id === 'Article 32')
    assert.ok(control)
    assert.deepEqual(
      control.missing.filter((one) => one.startsWith('the claim')),
      ['the claim "chain" does not hold: plain', 'the claim "signed" does not hold: plain'],
    )
    assert.ok(control.missing.includes('2 entries say: recording was interrupted or events were lost'))
    const young = createEvidence(FRAMEWORKS[0]!, undefined).done({ integrity: null, keptDays: 182 })
    const kept = (days: number): boolean =>
      createEvidence(FRAMEWORKS[0]!, undefined)
        .done({ integrity: null, keptDays: days })
        .controls.some(({ missing }) => missing.some((one) => one.includes('183 days')))
    assert.deepEqual([kept(182), kept(183)], [true, false])
    assert.ok(
      young.controls.every(({ evidence, missing }) =>
        evidence.every(({ shows }) => missing.includes(`no entry in this period shows ${shows}`)),
      ),
    )
  })
})

test('a number is written as the tables of the language write it, without them', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.tuple(fc.integer({ min: -2_000_000, max: 2_000_000 }), fc.integer({ min: 0, max: 5 })).map(([n, places]) => n / 10 ** places),
  )
  const expected = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 })
  fc.assert(
    fc.property(number, (value) => formatNumber(value) === expected(value)),
    { ...runs, examples: [0, -0, 1.0005, 9.9995, 999.95, 1e12, -1234567.85, 1e21, Number.NaN].map((value): [number] => [value]) },
  )
})
