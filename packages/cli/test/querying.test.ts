/** query and sql over a recorded ledger: trees, counts, pages, verified lines, SQL, and the same from a program. */
import assert from 'node:assert/strict'
import { existsSync, globSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { SwornError } from '@sworn/verify'
import stringWidth from 'string-width'
import { openLedger } from '../src/index.ts'
import { sworn, temporary } from './support/io.ts'

const [cwd, home] = [temporary(), temporary()]
const CALL = { session_id: 's-1', agent_id: 'coder', user: 'alice' }
const EVENTS = [
  {
    ...CALL,
    event_type: 'authorization_decision',
    tool: 'bash',
    target: '/w',
    decision: 'allow',
    reason_code: 'human_approved',
    correlation_id: 'c-1',
    human_decision: { approved: true, approver: 'bob' },
  },
  { ...CALL, event_type: 'tool_call_end', tool: 'bash', target: '/w', correlation_id: 'c-1', duration_ms: 12 },
  { ...CALL, event_type: 'authorization_decision', tool: 'read', decision: 'allow', correlation_id: 'c-2', parent_id: 'c-1' },
  {
    ...CALL,
    event_type: 'authorization_decision',
    tool: 'rm',
    decision: 'deny',
    reason_code: 'tool_denied',
    correlation_id: 'c-3',
    parent_id: 'c-1',
  },
  {
    ...CALL,
    event_type: 'tool_call_error',
    agent_id: 'helper',
    agent: { name: 'h', parent_agent_id: 'coder' },
    tool: 'fetch',
    correlation_id: 'c-4',
    duration_ms: 900.0000001,
  },
  { event_type: 'data_access', target: 'crm.contacts', user: '=cmd', session_id: 's-2' },
]
const query = (...argv: string[]) => sworn(['query', 'audit', ...argv], { cwd, home })
const seqs = async (...argv: string[]) => {
  const { out, code } = await query('--format', 'jsonl', ...argv)
  assert.equal(code, 0)
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).seq)
}

before(async () => {
  const stdin = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('')
  assert.equal((await sworn(['record', 'audit'], { cwd, home, stdin })).code, 0)
})

test('a session is a tree: calls under calls, subagents under agents, decision, approval, outcome and duration', async () => {
  const { out, code } = await query('--session', 's-1', '--utc')
  assert.equal(code, 0)
  assert.equal(
    out.replaceAll(/\d{4}-\S+Z/g, 'T'),
    [
      'agent coder',
      '├─ 2  T  bash  /w  ALLOW human_approved  approved by bob  ok in 12 ms',
      '│  ├─ 4  T  read  ALLOW  outcome unknown',
      '│  └─ 5  T  rm  DENY tool_denied',
      '└─ agent helper',
      '   └─ 6  T  fetch  error in 900 ms',
      '',
    ].join('\n'),
  )
  assert.match((await query('--session', 's-1', '--format', 'table')).out, /^SEQ /)
  const narrow = await sworn(['query', 'audit', '--session', 's-1'], { cwd, home, io: { isTTY: true, columns: 30 } })
  for (const line of narrow.out.split('\n')) assert.ok(stringWidth(line) <= 30, line)
  assert.match((await query('--tool', 'fetch')).out, / 900 ms/)
})

test('an action that was asked about shows the last decision and who gave it', async () => {
  const own = temporary()
  const call = { session_id: 's', tool: 'deploy', correlation_id: 'c' }
  const stdin = [
    { ...call, event_type: 'authorization_decision', decision: 'ask' },
    { ...call, event_type: 'authorization_decision', decision: 'allow', human_decision: { approved: true, approver: 'bob' } },
    { ...call, event_type: 'tool_call_end', duration_ms: 1 },
  ].map((event) => `${JSON.stringify(event)}\n`)
  await sworn(['record', 'audit'], { cwd: own, home, stdin: stdin.join('') })
  assert.match(
    (await sworn(['query', 'audit', '--session', 's'], { cwd: own, home })).out,
    /deploy {2}ALLOW {2}approved by bob {2}ok in 1 ms/,
  )
})

test('what names itself, or a loop of others, as its parent is drawn once', async () => {
  const own = temporary()
  const stdin = ['a b', 'b a', 'c c']
    .map(
      (pair) =>
        `${JSON.stringify({ event_type: 'tool_call_end', session_id: 's', tool: pair, correlation_id: pair[0], parent_id: pair[2], agent_id: pair[0], agent: { parent_agent_id: pair[2] } })}\n`,
    )
    .join('')
  await sworn(['record', 'audit'], { cwd: own, home, stdin })
  const { out } = await sworn(['query', 'audit', '--session', 's'], { cwd: own, home })
  for (const tool of ['a b', 'b a', 'c c']) assert.equal(out.split(`  ${tool}  `).length, 2, out)
})

test('counts by members, pages that go on, neighbours of an entry, orders', async () => {
  const counts = JSON.parse((await query('--count-by', 'decision,user', '--json', '--user', 'alice')).out).counts
  assert.deepEqual(counts, [
    { decision: 'allow', user: 'alice', entries: 2 },
    { user: 'alice', entries: 2 },
    { decision: 'deny', user: 'alice', entries: 1 },
  ])
  assert.match((await query('--count-by', 'tool')).out, /^TOOL +ENTRIES\n/)
  assert.match((await query('--count-by', 'user', '--format', 'csv')).out, /"'=cmd",1/)
  const page = JSON.parse((await query('--user', 'alice', '--sort', 'duration', '--reverse', '--limit', '2', '--json')).out)
  assert.deepEqual([page.entries.map(({ seq }: { seq: number }) => seq), page.next], [[6, 3], '12:3'])
  const rest = JSON.parse(
    (await query('--user', 'alice', '--sort', 'duration', '--reverse', '--limit', '9', '--after', page.next, '--json')).out,
  )
  assert.deepEqual([rest.entries.map(({ seq }: { seq: number }) => seq), rest.next], [[5, 4, 2], undefined])
  assert.deepEqual(await seqs('--around', '4', '--limit', '1'), [3, 4, 5])
  assert.deepEqual(await seqs('--around', '4', '--limit', '1', '--decision', 'allow'), [2, 4])
  const around = async (...argv: string[]) => (await query('--around', ...argv, '--format', 'jsonl')).err
  assert.doesNotMatch(await around('4', '--decision', 'allow'), /seq 4/)
  assert.match(await around('3', '--decision', 'allow'), /seq 3 is not among what matches; its neighbours are shown/)
  assert.match(await around('4711'), /seq 4711 is not among what matches/)
  assert.deepEqual(await seqs('--correlation', 'c-1'), [2, 3])
  assert.deepEqual(await seqs('--where', 'duration_ms > 100.0'), [6])
  assert.deepEqual(await seqs('--outcome', 'denied,error'), [5, 6])
  assert.deepEqual(await seqs('--reverse', '--limit', '2', '--user', 'alice'), [6, 5])
  assert.deepEqual(await seqs('--limit', '5000'), await seqs())
  assert.deepEqual(await seqs('--limit', '5000', '--tool', 'none'), [])
  assert.deepEqual(await seqs('--no-index', '--text', 'CONTACTS'), await seqs('--text', 'CONTACTS'))
})

test('jsonl is the stored lines byte for byte, on stdout and in a file, with an index and without: what is no UTF-8 too', async () => {
  const at = temporary()
  const noteOf = (n: number) => Buffer.alloc(n % 50 === 7 ? 70_000 : 37 * n, n % 3 === 0 ? 0xff : 'é') // some longer than what is written at once
  const lines = Array.from({ length: 200 }, (_, n) =>
    Buffer.concat([Buffer.from(`{"timestamp":"2026-11-21T10:00:00Z","note":"`), noteOf(n), Buffer.from(`","seq":${n}}\n`)]),
  )
  mkdirSync(join(at, 'audit/segments'), { recursive: true })
  for (const file of ['lone.jsonl', `audit/segments/${'0'.repeat(20)}.jsonl`]) writeFileSync(join(at, file), Buffer.concat(lines))
  for (const argv of [['lone.jsonl'], ['audit'], ['audit', '--no-index']]) {
    const written: Buffer[] = []
    const outBytes = (bytes: Uint8Array) => {
      written.push(Buffer.from(bytes))
      bytes.fill(0) // it is the writer's until it is taken, and no longer
    }
    assert.equal((await sworn(['query', ...argv, '--format', 'jsonl'], { cwd: at, home, io: { outBytes } })).code, 0)
    assert.ok(Buffer.concat(written).equals(Buffer.concat(lines)), argv.join(' '))
    assert.equal((await sworn(['query', ...argv, '--format', 'jsonl', '-o', 'out.jsonl'], { cwd: at, home })).code, 0)
    assert.ok(readFileSync(join(at, 'out.jsonl')).equals(Buffer.concat(lines)), argv.join(' '))
  }
})

test('--verified prints what the newest checkpoint covers, and nothing behind a line that was changed', async () => {
  const { out, code } = await query('--verified', '--json')
  assert.equal(code, 0)
  const { entries, verified } = JSON.parse(out)
  assert.equal(verified, true)
  assert.ok(entries.length >= EVENTS.length + 2)
  assert.equal(JSON.parse((await query('--json')).out).verified, false)
  const strange = await sworn(['query', 'audit', '--verified'], { cwd, home: temporary() })
  assert.deepEqual([strange.code, strange.out], [3, ''])
  const file = globSync(join(cwd, 'audit/segments/*.jsonl'))[0]!
  const stored = readFileSync(file, 'utf8')
  try {
    writeFileSync(file, stored.replace('"tool":"rm"', '"tool":"mv"'))
    const changed = await query('--verified', '--format', 'jsonl')
    assert.equal(changed.code, 1)
    assert.match(changed.err, /^error: PROOF_INVALID .*seq=5/)
    assert.doesNotMatch(changed.out, /"seq":[5-9]/)
  } finally {
    writeFileSync(file, stored)
  }
})

test('sql selects, and nothing else', async () => {
  const sql = (...argv: string[]) => sworn(['sql', ...argv], { cwd, home })
  const { out } = await sql(
    "SELECT tool, outcome FROM entries WHERE session_id = 's-1' AND outcome IS NOT NULL ORDER BY seq",
    'audit',
    '--format',
    'csv',
  )
  assert.equal(out, 'tool,outcome\nbash,ok\nrm,denied\nfetch,error\n')
  assert.deepEqual(JSON.parse((await sql("SELECT count(*) AS n FROM entries WHERE user = '=cmd'", 'audit', '--json')).out), {
    rows: [{ n: 1 }],
  })
  assert.equal(
    (await sql('SELECT timestamp FROM entries WHERE seq = 2', 'audit', '--format', 'jsonl')).out.includes(
      JSON.parse(readFileSync(globSync(join(cwd, 'audit/segments/*.jsonl'))[0]!, 'utf8').split('\n')[2]!).timestamp,
    ),
    true,
  )
  for (const statement of [
    'DELETE FROM entry',
    "ATTACH 'x.db' AS x",
    "VACUUM INTO 'x.db'",
    'PRAGMA user_version = 5',
    'SELECT load_extension(1)',
  ])
    assert.equal((await sql(statement, 'audit')).code, 2, statement)
  assert.equal(existsSync(join(cwd, 'x.db')), false)
  assert.equal(statSync(join(cwd, 'audit/audit.db')).mode & 0o777, 0o600)
})

test('sql answers each column by its place and whole numbers as they are, of one statement', async () => {
  const sql = (statement: string, format: string) => sworn(['sql', statement, 'audit', '--format', format], { cwd, home })
  assert.equal((await sql('SELECT 1 AS x, 2 AS x', 'csv')).out, 'x,x\n1,2\n')
  assert.match((await sql('SELECT 1 AS x, 2 AS x', 'jsonl')).err, /^error: USAGE .*names.*AS/)
  assert.equal((await sql('SELECT 9007199254740993 AS n, -7 AS m, 1.5 AS r', 'csv')).out, 'n,m,r\n9007199254740993,-7,1.5\n')
  assert.equal((await sql('SELECT 9007199254740993 AS n, 7 AS m', 'jsonl')).out, '{"n":"9007199254740993","m":7}\n')
  const two = await sql('SELECT 1; SELECT 2', 'csv')
  assert.deepEqual([two.code, two.out], [2, ''])
  assert.equal((await sql(' SELECT 1 AS x ; ', 'csv')).out, 'x\n1\n')
})

test('a ledger that nobody may write to is read without an index, with the same answers', async () => {
  const path = join(temporary(), 'lone.jsonl')
  writeFileSync(path, readFileSync(globSync(join(cwd, 'audit/segments/*.jsonl'))[0]!))
  assert.equal(
    (await sworn(['query', path, '--format', 'jsonl', '--tool', 'rm'], { home })).out,
    (await query('--format', 'jsonl', '--tool', 'rm')).out,
  )
  const blocked = join(temporary(), 'blocked')
  mkdirSync(join(blocked, 'audit.db'), { recursive: true })
  mkdirSync(join(blocked, 'segments'))
  assert.equal((await sworn(['query', blocked], { home })).code, 3) // something else has the name of the index: said, not hidden
})

test('Ctrl-C ends a question with 130, whatever answers it, and says nothing of a defect', async () => {
  for (const flags of [[], ['--no-index'], ['--text', 'alice'], ['--count-by', 'tool', '--no-index']]) {
    const { code, err } = await sworn(['query', 'audit', ...flags], { cwd, home, io: { signal: AbortSignal.abort('SIGINT') } })
    assert.deepEqual([code, err], [130, ''], flags.join(' '))
  }
})

test('a program asks the same', async () => {
  const ledger = await openLedger(join(cwd, 'audit'))
  const found = await Array.fromAsync(ledger.query({ user: 'alice', decision: ['deny', 'ask'] }))
  assert.deepEqual(
    found.map(({ seq, verified, entry }) => [seq, verified, entry.tool]),
    [[5, false, 'rm']],
  )
  assert.deepEqual(await ledger.count({ session_id: 's-1' }, ['outcome']), [
    { by: { outcome: undefined }, entries: 2 },
    { by: { outcome: 'denied' }, entries: 1 },
    { by: { outcome: 'error' }, entries: 1 },
    { by: { outcome: 'ok' }, entries: 1 },
  ])
  assert.deepEqual(
    (await Array.fromAsync(ledger.query({ where: 'duration_ms > 100.0', since: new Date(0) }))).map(({ seq }) => seq),
    [6],
  )
  const vkey = (await sworn(['keys', 'show', 'audit'], { cwd, home })).out.trim()
  const checked = await openLedger(join(cwd, 'audit'), { verify: vkey })
  const lines = await Array.fromAsync(checked.query())
  assert.equal(lines[2]?.verified, true)
  assert.equal(lines.at(-1)?.verified, false) // the checkpoint's own record lies behind it
  // @ts-expect-error a name that is none
  await assert.rejects(Array.fromAsync(ledger.query({ colour: 'red' })), TypeError)
  await assert.rejects(Array.fromAsync(ledger.query({ where: 'tool ==' })), (e) => SwornError.is(e, 'FILTER_INVALID'))
  await assert.rejects(openLedger(join(cwd, 'none')), (e) => SwornError.is(e, 'LEDGER_NOT_FOUND'))
  rmSync(join(cwd, 'audit/audit.db'))
  assert.equal((await Array.fromAsync(ledger.query({ tool: 'rm' }))).length, 1)
})

test('no answer is written over the ledger that is asked, under whichever of its names', async () => {
  const at = temporary()
  const stdin = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('')
  for (const path of ['log.jsonl', 'audit']) assert.equal((await sworn(['record', path], { cwd: at, home, stdin })).code, 0)
  symlinkSync('log.jsonl', join(at, 'link.csv'))
  symlinkSync('audit', join(at, 'linked'))
  linkSync(join(at, 'log.jsonl'), join(at, 'second.csv'))
  const [segment] = globSync('audit/segments/*', { cwd: at })
  const before = [readFileSync(join(at, 'log.jsonl')), readFileSync(join(at, segment!))]
  const outputs: [ledger: string, output: string][] = [
    ['log.jsonl', 'log.jsonl'],
    ['log.jsonl', './log.jsonl.ledger/../log.jsonl'],
    ['log.jsonl', 'link.csv'],
    ['log.jsonl', 'second.csv'],
    ['log.jsonl', 'log.jsonl.ledger/checkpoint'],
    ['audit', segment!],
    ['audit', 'linked/answer.csv'],
    ['audit', 'log.jsonl'],
  ]
  const commands = [
    ['query', '--format', 'csv'],
    ['query', '--count-by', 'tool'],
    ['sql', 'SELECT seq FROM entries'],
    ['report', '--format', 'md'],
    ['report', '--subject', 'alice', '--format', 'jsonl'],
    ['export', '--dialect', 'gantz'],
    ['export', '--dialect', 'aegis-sqlite'],
  ]
  for (const [ledger, output] of outputs) {
    for (const command of commands) {
      const { code, err } = await sworn([...command, ledger, '-o', output], { cwd: at, home })
      assert.deepEqual(
        [code, /^error: USAGE a file outside of the ledger was expected \(at --output\)$/m.test(err)],
        [2, true],
        `${command} ${output}`,
      )
    }
  }
  assert.deepEqual([readFileSync(join(at, 'log.jsonl')), readFileSync(join(at, segment!))], before)
  assert.equal((await sworn(['query', 'log.jsonl', '--format', 'csv', '-o', 'audit.csv'], { cwd: at, home })).code, 0)
})

test('a compressed segment that is damaged is said with its name, whatever reads it', async () => {
  for (const form of ['gz', 'zst']) {
    const at = temporary()
    assert.equal((await sworn(['record', 'audit'], { cwd: at, home, stdin: `${JSON.stringify(EVENTS[0])}\n` })).code, 0)
    const [segment] = globSync('audit/segments/*.jsonl', { cwd: at })
    const packed = (form === 'gz' ? gzipSync : zstdCompressSync)(readFileSync(join(at, segment!)))
    packed[0]! ^= 1
    writeFileSync(join(at, `${segment}.${form}`), packed)
    rmSync(join(at, segment!))
    const commands = [
      ['query'],
      ['query', '--no-index'],
      ['query', '--count-by', 'user'],
      ['sql', 'SELECT 1'],
      ['tail'],
      ['report'],
      ['alerts'],
      ['export', '--dialect', 'gantz'],
    ]
    for (const command of commands) {
      const { code, err } = await sworn([...command, 'audit'], { cwd: at, home })
      assert.equal(code, 3, `${command} ${err}`)
      assert.match(err, /^error: LEDGER_CORRUPT a compressed file is damaged \(at .*0\.jsonl\.(gz|zst)\)$/m, `${command}`)
      assert.doesNotMatch(err, /defect/)
    }
    assert.equal((await sworn(['verify', 'audit'], { cwd: at, home })).code, 1)
  }
})
