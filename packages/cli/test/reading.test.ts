/** query and tail: what is found, in which form, and what happens to what cannot be read. @module */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import stringWidth from 'string-width'
import { sworn, temporary } from './support/io.ts'

const line = (seq: number, members: object = {}) =>
  `${JSON.stringify({ timestamp: new Date(Date.parse('2026-11-21T10:00:00Z') + seq * 60_000).toISOString(), event_type: 'tool_call_end', ...members, seq, previous_hash: 'p', entry_hash: 'e' })}\n`

const ENTRIES = [
  line(0, { tool: 'read', user: 'alice', decision: 'allow' }),
  line(1, { tool: 'write', user: 'bob', decision: 'deny', severity: 'warning', session_id: 's1', risk_level: 'high' }),
  line(2, { tool: 'read', user: 'Zoë', agent: { name: 'billing' }, arguments: { path: '/Etc/passwd', list: ['=1+1'] } }),
  line(3, { tool: 'x\u001b[31m\u202ey', user: '=cmd', severity: 'error' }),
]

function directory(): string {
  const path = join(temporary(), 'audit')
  mkdirSync(join(path, 'segments'), { recursive: true })
  writeFileSync(join(path, 'segments', `${'0'.repeat(20)}.jsonl.gz`), gzipSync(ENTRIES.slice(0, 2).join('')))
  writeFileSync(join(path, 'segments', `${'2'.padStart(20, '0')}.jsonl`), ENTRIES.slice(2).join(''))
  return path
}

const seqs = async (...flags: string[]) => {
  const ran = await sworn(['query', directory(), '--format', 'jsonl', ...flags])
  assert.equal(ran.code, 0)
  return ran.out
    .split('\n')
    .filter(Boolean)
    .map((l) => JSON.parse(l).seq)
}

test('every filter finds exactly its entries, over compressed and active segments', async () => {
  const cases: [string[], number[]][] = [
    [[], [0, 1, 2, 3]],
    [
      ['--tool', 'read'],
      [0, 2],
    ],
    [
      ['--tool', 'read,write', '--user', 'alice', '--user', 'bob'],
      [0, 1],
    ],
    [['--user', 'Zoë'], [2]],
    [['--decision', 'deny'], [1]],
    [['--session', 's1'], [1]],
    [['--agent', 'billing'], [2]],
    [['--risk', 'high'], [1]],
    [
      ['--severity', 'warning'],
      [1, 3],
    ],
    [
      ['--type', 'tool_call_end'],
      [0, 1, 2, 3],
    ],
    [['--text', 'etc/PASSWD'], [2]],
    [
      ['--since', '2026-11-21T10:01:00Z', '--until', '2026-11-21T10:03:00Z'],
      [1, 2],
    ],
    [
      ['--since', '118m'],
      [2, 3],
    ],
    [
      ['--limit', '2'],
      [2, 3],
    ],
    [
      ['--limit', '9'],
      [0, 1, 2, 3],
    ],
  ]
  for (const [flags, wanted] of cases) assert.deepEqual(await seqs(...flags), wanted, flags.join(' '))
})

test('jsonl is the stored bytes, json one object, csv safe for spreadsheets, audit another name for query', async () => {
  const path = directory()
  assert.equal((await sworn(['audit', path, '--format', 'jsonl'])).out, ENTRIES.join(''))
  const json = JSON.parse((await sworn(['query', path, '--json', '--tool', 'read'])).out)
  assert.equal(json.count, 2)
  assert.equal(json.entries[1].user, 'Zoë')
  const csv = (await sworn(['query', path, '--format', 'csv'])).out
  assert.equal(csv.split('\n')[0]!.split(',')[0], 'seq')
  assert.ok(csv.includes(`"'=cmd"`))
})

test('the table shows hostile names escaped and fits the terminal', async () => {
  const ran = await sworn(['query', directory()], { io: { isTTY: true, columns: 72 } })
  assert.equal(ran.code, 0)
  assert.doesNotMatch(ran.out, /[\u001b\u202e]/)
  assert.match(ran.out, /\\u001b/)
  for (const row of ran.out.split('\n')) assert.ok(stringWidth(row) <= 72, row)
  assert.match(ran.err, /4 found; shown as stored/)
})

test('--json beside another --format is refused, not ignored', async () => {
  assert.match((await sworn(['query', directory(), '--json', '--format', 'csv'])).err, /^error: USAGE .*--json and --format/)
  assert.equal((await sworn(['query', directory(), '--json', '--format', 'json'])).code, 0)
})

test('-o writes a file, --fail-empty exits 1, an absent ledger exits 3, a directory that is none exits 3', async () => {
  const cwd = temporary()
  const path = directory()
  assert.equal((await sworn(['query', path, '--format', 'jsonl', '-o', 'out.jsonl'], { cwd })).out, '')
  assert.notEqual((await sworn(['query', path, '--format', 'jsonl', '-o', '-'], { cwd })).out, '')
  assert.equal(existsSync(join(cwd, '-')), false)
  assert.equal(readFileSync(join(cwd, 'out.jsonl'), 'utf8'), ENTRIES.join(''))
  assert.equal((await sworn(['query', path, '--tool', 'none', '--fail-empty'])).code, 1)
  assert.equal((await sworn(['query', path, '--tool', 'none'])).code, 0)
  assert.match((await sworn(['query', 'absent'])).err, /LEDGER_NOT_FOUND/)
  assert.equal((await sworn(['query', temporary()])).code, 3)
  assert.equal((await sworn(['query', path, '-o', 'no/such/dir'], { cwd })).code, 3)
})

test('a line that is no entry is named by file and line, the rest is shown, and the exit code is 1', async () => {
  const file = join(temporary(), 'a.jsonl')
  writeFileSync(file, `${ENTRIES[0]}not json\n[1]\n${ENTRIES[1]}{"seq":`)
  const ran = await sworn(['query', file, '--format', 'jsonl'])
  assert.equal(ran.out, ENTRIES[0]! + ENTRIES[1])
  assert.equal(ran.code, 1)
  assert.match(ran.err, /a\.jsonl:2\)\n.*a\.jsonl:3\)/)
  assert.equal((await sworn(['query', file, '--json'])).code, 1)
})

test('without PATH the configured ledger is read', async () => {
  const cwd = join(directory(), '..')
  assert.equal((await sworn(['query', '--format', 'jsonl'], { cwd })).out, ENTRIES.join(''))
})

test('tail shows the newest, filtered, one line each', async () => {
  const ran = await sworn(['tail', directory(), '-n', '1', '--tool', 'read', '--utc'])
  assert.equal(ran.out, '     2  2026-11-21T10:02:00.000Z  tool_call_end  read  by Zoë  {"path":"/Etc/passwd","list":["=1+1"]}\n')
  assert.equal((await sworn(['tail', directory(), '-n', '0'])).out, '')
})

async function follow(file: string, change: () => void, wanted: number): Promise<number[]> {
  const stop = new AbortController()
  const seen: number[] = []
  const out = (text: string) => {
    seen.push(JSON.parse(text).seq)
    if (seen.length === 1) change()
    if (seen.length === wanted) stop.abort()
  }
  const ran = await sworn(['tail', file, '-f', '--json', '-n', '1'], { io: { out, signal: stop.signal } })
  assert.equal(ran.code, 0)
  return seen
}

test('tail -f goes on over two rotations of file mode without losing or repeating a line', async () => {
  const file = join(temporary(), 'a.jsonl')
  const segments = `${file}.ledger/segments`
  mkdirSync(segments, { recursive: true })
  writeFileSync(file, line(0))
  const rotate = (first: number, next: number) => {
    renameSync(file, join(segments, `${String(first).padStart(20, '0')}.jsonl`))
    writeFileSync(file, line(next))
  }
  const seen = await follow(
    file,
    () => {
      appendFileSync(file, line(1))
      rotate(0, 2)
      appendFileSync(file, line(3))
      rotate(2, 4)
      appendFileSync(file, line(5).slice(0, 20))
      appendFileSync(file, line(5).slice(20))
    },
    6,
  )
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5])
})

test('tail -f goes on into the next segment of a directory', async () => {
  const path = directory()
  const seen = await follow(path, () => writeFileSync(join(path, 'segments', `${'4'.padStart(20, '0')}.jsonl`), line(4) + line(5)), 3)
  assert.deepEqual(seen, [3, 4, 5])
})
