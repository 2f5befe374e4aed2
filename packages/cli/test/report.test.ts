/** `sworn report` over real ledgers: what it writes, what it proves, and each exit code. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { Report } from '@sworn/analyze/report'
import { checkInclusion, leafHash, openNote, parseCheckpoint, parseHex, parseLine, parseVkey, toHex } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { later } from '../../../testkit/src/suite.ts'
import { sworn, temporary } from './support/io.ts'

const call = (n: number, user: string) => [
  {
    event_type: 'authorization_decision',
    decision: n % 5 === 0 ? 'deny' : 'allow',
    reason_code: n % 5 === 0 ? 'tool_denied' : 'default_allow',
    tool: 'read_file',
    user,
    correlation_id: `c-${n}`,
    arguments: { path: `/tmp/${n}` },
  },
  ...(n % 5 === 0
    ? []
    : [
        {
          event_type: 'tool_call_end',
          tool: 'read_file',
          server: 'files',
          user,
          correlation_id: `c-${n}`,
          duration_ms: n,
          is_error: n === 7,
        },
      ]),
]
const EVENTS = [
  ...Array.from({ length: 30 }, (_, n) => call(n, n % 3 === 0 ? 'alice@example.com' : 'bob@example.com')).flat(),
  { event_type: 'data_access', target: 'mail of alice@example.com', user: 'bob@example.com' },
  { event_type: 'data_access', target: '<script>alert(1)</script>\u202e', user: 'eve' },
]
const [cwd, home] = [temporary(), temporary()]
const at = { cwd, home, io: { now: () => Date.now() } }

const lines = (): string[] => {
  const [file] = ['00000000000000000000.jsonl']
  return readFileSync(join(cwd, 'audit/segments', file!), 'utf8')
    .split('\n')
    .slice(0, -1)
}
const reportOf = async (...flags: string[]): Promise<Report> => {
  const ran = await sworn(['report', 'audit', '--json', ...flags], at)
  assert.equal(ran.code, 0, ran.err)
  return JSON.parse(ran.out)
}

before(async () => {
  const ran = await sworn(['record', 'audit', '--user', 'carol'], { ...at, stdin: EVENTS.map((event) => JSON.stringify(event)).join('\n') })
  assert.equal(ran.code, 0, ran.err)
})

describe('the report of a ledger', { timeout: 120_000 }, () => {
  test('counts what was recorded, in the names of the tutorial, and says that the ledger holds', async () => {
    const report = await reportOf()
    assert.equal(report.total_events, EVENTS.length)
    assert.equal(report.total_entries, lines().length)
    assert.deepEqual(report.events_by_type.names.slice(0, 2), [
      { name: 'authorization_decision', count: 30 },
      { name: 'tool_call_end', count: 24 },
    ])
    assert.deepEqual([report.calls.denied, report.calls.failed, report.calls.outcome_unknown], [6, 1, 0])
    const measured = Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 5 !== 0)
    assert.equal(report.duration.avg_duration_ms, measured.reduce((a, b) => a + b) / measured.length)
    assert.equal(report.duration.max_duration_ms, 29)
    assert.deepEqual(report.integrity?.claims.map(({ claim, holds }) => [claim, holds]).slice(0, 4), [
      ['bytes', true],
      ['chain', true],
      ['tree', true],
      ['signed', true],
    ])
  })

  test('is Markdown on stdout, and in a file what its name says, whole, for its owner only', async () => {
    const shown = await sworn(['report', 'audit'], at)
    assert.match(shown.out, /^# Audit report\n/)
    for (const name of ['r.html', 'r.md', 'r.json']) assert.equal((await sworn(['report', 'audit', '-o', name], at)).code, 0)
    const page = readFileSync(join(cwd, 'r.html'), 'utf8')
    assert.match(page, /^<!doctype html>[\s\S]*<\/html>\n$/)
    assert.ok(page.includes('eve') && !page.includes('<script'))
    assert.match(readFileSync(join(cwd, 'r.md'), 'utf8'), /^# Audit report\n/)
    assert.equal(JSON.parse(readFileSync(join(cwd, 'r.json'), 'utf8')).report, 'sworn report 1')
    assert.equal(statSync(join(cwd, 'r.html')).mode & 0o777, 0o600)
    assert.ok(!existsSync(join(cwd, 'r.html.part')))
  })

  test('is of the period asked for', async () => {
    const report = await reportOf('--since', '2020-01-01T00:00:00Z', '--until', '2020-01-02T00:00:00Z')
    assert.deepEqual([report.total_entries, report.period_hours, report.first], [0, 24, null])
    const ran = await sworn(['report', 'audit', '--since', '1h', '--until', '2h'], at)
    assert.equal(ran.code, 2)
    assert.match(ran.err, /^error: USAGE a time after --since was expected \(at --until\)/)
  })

  test('of a changed ledger is written, says which claims do not hold, and exits 1', async () => {
    cpSync(join(cwd, 'audit'), join(cwd, 'forged'), { recursive: true })
    const file = join(cwd, 'forged/segments/00000000000000000000.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"/tmp/3"', '"/tmp/4"'))
    const ran = await sworn(['report', 'forged', '--json', '--framework', 'soc2'], at)
    assert.equal(ran.code, 1)
    assert.match(ran.err, /^error: .*entry_hash_mismatch/)
    const report: Report = JSON.parse(ran.out)
    assert.deepEqual(report.integrity?.claims.find(({ claim }) => claim === 'chain')?.holds, false)
    assert.ok(report.framework?.controls[0]?.missing.some((one) => one.startsWith('the claim "chain" does not hold')))
    const unchecked = await sworn(['report', 'forged', '--unchecked'], at)
    assert.equal(unchecked.code, 0)
    assert.match(unchecked.out, /Not checked: the figures are of the ledger as it is stored/)
  })

  test('of lines that are no entries exits 1 and counts them', async () => {
    cpSync(join(cwd, 'audit'), join(cwd, 'torn'), { recursive: true })
    appendFileSync(join(cwd, 'torn/segments/00000000000000000000.jsonl'), 'not an entry\n')
    const ran = await sworn(['report', 'torn', '--json', '--unchecked'], at)
    assert.equal(ran.code, 1)
    assert.match(ran.err, /error: LINE_MALFORMED not an entry \(at .*00000\.jsonl:\d+\)/)
    assert.equal(JSON.parse(ran.out).unreadable, 1)
  })
})

test('Ctrl-C ends a report and a copy, and leaves no file', { timeout: 120_000 }, async () => {
  const stopped = { ...at, io: { ...at.io, signal: AbortSignal.abort('SIGINT') } }
  for (const flags of [
    ['-o', 'no.html'],
    ['-o', 'no.html', '--unchecked'],
    ['-o', 'no.jsonl', '--unchecked', '--subject', 'alice@example.com'],
  ]) {
    assert.equal((await sworn(['report', 'audit', ...flags], stopped)).code, 130, flags.join(' '))
    for (const name of ['no.html', 'no.html.part', 'no.jsonl', 'no.jsonl.part', 'no.jsonl.manifest.json'])
      assert.ok(!existsSync(join(cwd, name)), name)
  }
})

describe('evidence for a framework', { timeout: 120_000 }, () => {
  test('is sampled by the root alone: drawn again by hand, and the same at every run', async () => {
    const { framework } = await reportOf('--framework', 'nist-800-53')
    const again = await reportOf('--framework', 'nist-800-53')
    assert.deepEqual(again.framework, framework)
    const seed = parseHex(framework?.sampling.seed ?? '')
    const decided = lines()
      .map((line) => JSON.parse(line))
      .filter((entry) => entry.event_type === 'authorization_decision' && entry.seq < framework!.sampling.below)
    const ticket = (seq: number): string => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE(BigInt(seq))
      return createHash('sha256').update(seed).update(bytes).digest('hex')
    }
    const drawn = decided
      .map(({ seq }) => seq)
      .toSorted((a, b) => (ticket(a) < ticket(b) ? -1 : 1))
      .slice(0, 5)
    const control = framework?.controls.find(({ id }) => id === 'AC-3')
    assert.deepEqual(
      control?.evidence[0]?.samples.map(({ seq }) => seq),
      drawn.toSorted((a, b) => a - b),
    )
    assert.deepEqual([control?.evidence[0]?.count, control?.evidence[0]?.first_seq], [30, 2])
  })

  test('has proofs that lead from each sampled line to the signed checkpoint', async () => {
    const { framework } = await reportOf('--framework', 'eu-ai-act')
    const exported = await sworn(['keys', 'show', 'audit'], at)
    const vkey = /\S+\+[0-9a-f]{8}\+\S+/.exec(exported.out)?.[0]
    assert.ok(vkey, exported.out)
    const { text } = await openNote(nodePrimitives, framework?.sampling.checkpoint ?? '', [parseVkey(vkey)])
    const { size, root } = parseCheckpoint(text)
    assert.equal(framework?.sampling.seed, toHex(root))
    const samples = framework!.controls.flatMap(({ evidence }) => evidence.flatMap(({ samples }) => samples))
    assert.ok(samples.length > 10)
    for (const { seq, entry_hash: hash, proof } of samples) {
      const line = parseLine(Buffer.from(lines()[seq]!))
      assert.equal(line.entryHash, hash)
      assert.ok(proof)
      checkInclusion(
        nodePrimitives,
        leafHash(nodePrimitives, parseHex(hash)),
        seq,
        size,
        proof.map((one) => Buffer.from(one, 'base64')),
        root,
      )
    }
  })

  test('each command of a page finds as many entries as the page counts', async () => {
    const report = await reportOf('--framework', 'soc2')
    for (const { evidence } of report.framework!.controls)
      for (const { types, where, count } of evidence) {
        const flags = ['--type', types.join(','), ...(where === undefined ? [] : ['--where', where]), '--format', 'jsonl']
        const ran = await sworn(['query', 'audit', ...flags], at)
        assert.equal(ran.code, 0, ran.err)
        assert.equal(ran.out.split('\n').length - 1, count, `${types} ${where}`)
      }
  })

  test('without a key that is known here has samples and no proofs', async () => {
    const stranger = { ...at, home: temporary() }
    const ran = await sworn(['report', 'audit', '--json', '--framework', 'hipaa'], stranger)
    const { framework }: Report = JSON.parse(ran.out)
    assert.equal(framework?.sampling.checkpoint, null)
    assert.ok(framework?.controls.some(({ evidence }) => evidence.some(({ samples }) => samples.length > 0)))
    assert.match(
      (await sworn(['report', 'audit', '--framework', 'hipaa'], stranger)).out,
      /No proofs: there is no checkpoint that a known key signed/,
    )
  })
})

describe('one person', { timeout: 120_000 }, () => {
  test('has a record of processing by purpose, and is told what else mentions them', async () => {
    const report = await reportOf('--subject', 'alice@example.com', '--framework', 'gdpr')
    assert.deepEqual(report.subject, { user: 'alice@example.com', mentions: 1 })
    assert.deepEqual(report.events_by_user.names, [{ name: 'alice@example.com', count: 18 }])
    const [purpose] = report.processing?.purposes ?? []
    assert.deepEqual(
      [purpose?.purpose, purpose?.entries, purpose?.categories, purpose?.recipients, purpose?.people],
      ['read_file', 18, ['path'], ['files'], 1],
    )
  })

  test('gets a copy: their lines as stored and no others, counted and hashed from the disk', async () => {
    const ran = await sworn(['report', 'audit', '--subject', 'alice@example.com', '-o', 'gdpr-export.jsonl'], at)
    assert.equal(ran.code, 0, ran.err)
    const own = lines().filter((line) => JSON.parse(line).user === 'alice@example.com')
    const text = readFileSync(join(cwd, 'gdpr-export.jsonl'), 'utf8')
    assert.equal(text, own.map((line) => `${line}\n`).join(''))
    const manifest = JSON.parse(readFileSync(join(cwd, 'gdpr-export.jsonl.manifest.json'), 'utf8'))
    const sha256 = createHash('sha256').update(text).digest('hex')
    assert.deepEqual(manifest.file, { name: 'gdpr-export.jsonl', lines: own.length, bytes: Buffer.byteLength(text), sha256 })
    assert.deepEqual([manifest.subject, manifest.ledger.claims.chain], ['alice@example.com', true])
    assert.equal((await sworn(['report', 'audit', '--subject', 'alice@example.com', '--format', 'jsonl'], at)).out, text)
  })
})

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0)

test('in a browser the page runs nothing of what was recorded', {
  timeout: 120_000,
  skip: CHROMIUM === undefined ? 'SKIPPED: no Chromium on this machine; the page was not opened in a browser' : later,
}, async () => {
  const own = temporary()
  const attack = [
    '<script>document.title="owned"</script>',
    '"><img src=x onerror="document.title=`owned`">',
    '<svg/onload=document.title="owned">',
  ]
  const events = attack.map((user) => JSON.stringify({ event_type: 'data_access', user, tool: user, target: user }))
  await sworn(['record', 'audit'], { cwd: own, home, stdin: events.join('\n') })
  assert.equal((await sworn(['report', 'audit', '-o', 'r.html'], { cwd: own, home })).code, 0)
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(own, 'profile')}`, '--dump-dom']
  const { stdout } = spawnSync(CHROMIUM ?? '', [...flags, `file://${join(own, 'r.html')}`], { encoding: 'utf8', timeout: 100_000 })
  assert.match(stdout, /<title>Audit report<\/title>/)
  assert.ok(stdout.includes('&lt;script&gt;document.title='))
  assert.doesNotMatch(stdout, /<(script|img|svg\/)|<svg [^>]*onload/)
})
