import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadDuckdb } from '@sworn/deliver'
import { DIALECTS, type Event } from '@sworn/dialects'
import { isSupported, loadSqlite } from '@sworn/recorder/sqlite'
import { openParquetTarget } from '../src/dialects/parquet.ts'
import { sworn, temporary } from './support/io.ts'

const cwd = temporary()
const home = join(cwd, 'home')
const run = (...argv: string[]) => sworn(argv, { cwd, home })
const EVENTS = [
  { event_type: 'session_start', session_id: 's1', user: 'alice@example.com', agent_id: 'coder' },
  {
    event_type: 'authorization_decision',
    session_id: 's1',
    decision: 'deny',
    tool: 'write_file',
    user: 'alice@example.com',
    arguments: { path: '/etc/config.yaml', n: 1.5 },
    reason: 'tool not in allowed_tools',
    policy_version: '1.0.0',
  },
  {
    event_type: 'authorization_decision',
    session_id: 's1',
    decision: 'allow',
    tool: 'write_file',
    user: 'bob',
    reason: 'human approved',
    human_decision: { approved: true, response_time_ms: 3420 },
  },
  {
    event_type: 'dlp_match',
    session_id: 's1',
    tool: 'read_file',
    pattern: 'AWS Access Key',
    match_count: 1,
    redacted: true,
    arguments: { path: '/home/user/.env' },
  },
  { event_type: 'tool_call_end', session_id: 's1', tool: 'read_file', user: 'alice@example.com', result: 'ok', duration_ms: 12.5 },
  { event_type: 'session_end', session_id: 's1', user: 'alice@example.com', metadata: { stats: { allowed: 1, denied: 1, dry_run: 0 } } },
]
const read = (name: string) => readFileSync(join(cwd, name), 'utf8')
const records = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

before(async () => {
  const stdin = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('')
  assert.equal((await sworn(['record', 'audit'], { cwd, home, stdin })).code, 0)
  const pem = (type: 'ed25519' | 'ec') => {
    const pair = type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    writeFileSync(join(cwd, `${type}.pem`), pair.privateKey.export({ format: 'pem', type: 'pkcs8' }))
    writeFileSync(join(cwd, `${type}.pub`), pair.publicKey.export({ format: 'pem', type: 'spki' }))
  }
  pem('ed25519')
  pem('ec')
})

const keyOf = (dialect: string) => (dialect === 'sahu' ? ['--sign-key', 'ed25519.pem'] : dialect === 'aat' ? ['--sign-key', 'ec.pem'] : [])

describe('sworn export', () => {
  for (const { name, sidecar } of DIALECTS) {
    it(`${name}: a file that is whole, counted and hashed, with a manifest of what is lost`, async () => {
      const file = `out.${name}`
      const { code, err } = await run('export', 'audit', '--dialect', name, '-o', file, ...keyOf(name))
      assert.equal(code, 0, err)
      const manifest = JSON.parse(read(`${file}.manifest.json`))
      const text = read(file)
      assert.equal(manifest.file.lines, text.trimEnd().split('\n').length)
      assert.equal(manifest.file.sha256, createHash('sha256').update(text).digest('hex'))
      assert.equal(manifest.ledger.events, EVENTS.length)
      assert.equal(manifest.ledger.verified, null)
      assert.equal(statSync(join(cwd, file)).mode & 0o777, 0o600)
      assert.equal(existsSync(join(cwd, `${file}.sidecar.jsonl`)), sidecar === true)
      assert.equal(existsSync(join(cwd, `${file}.part`)), false)
      if (sidecar)
        assert.deepEqual(
          records(read(`${file}.sidecar.jsonl`)).map(({ event }) => event.event_type),
          EVENTS.map((e) => e.event_type),
        )
    })
  }
  it('filters by flags and by an expression, and the manifest says by which', async () => {
    const { code } = await run(
      'export',
      'audit',
      '--dialect',
      'aip',
      '--user',
      'alice@example.com',
      '--where',
      'decision == "deny"',
      '-o',
      'denied.jsonl',
    )
    assert.equal(code, 0)
    assert.deepEqual(
      records(read('denied.jsonl')).map((r) => [r.user, r.decision]),
      [['alice@example.com', 'deny']],
    )
    assert.deepEqual(JSON.parse(read('denied.jsonl.manifest.json')).ledger.filter, [
      '--user alice@example.com',
      '--where decision == "deny"',
    ])
  })
  it('with --verified the manifest says what held, up to which entry', async () => {
    assert.equal((await run('export', 'audit', '--dialect', 'aip', '--verified', '-o', 'v.jsonl')).code, 0)
    const { verified } = JSON.parse(read('v.jsonl.manifest.json')).ledger
    assert.equal(verified.level, 'signed')
    assert.ok(verified.size > EVENTS.length)
  })
  it('with --verified an edited ledger is not exported, and no file appears', async () => {
    cpSync(join(cwd, 'audit'), join(cwd, 'edited'), { recursive: true })
    const segment = join(cwd, 'edited/segments', readdirSync(join(cwd, 'edited/segments'))[0]!)
    writeFileSync(segment, readFileSync(segment, 'utf8').replace('write_file', 'wrote_file'))
    const { code, err } = await run('export', 'edited', '--dialect', 'aip', '--verified', '-o', 'edited.jsonl')
    assert.equal(code, 1)
    assert.match(err, /does not hold.*nothing was exported/)
    assert.equal(existsSync(join(cwd, 'edited.jsonl')), false)
  })
  it('a dialect that signs asks for its own kind of key', async () => {
    for (const flags of [[], ['--sign-key', 'ec.pem'], ['--sign-key', 'ed25519.pub'], ['--sign-key', 'missing']]) {
      const { code, err } = await run('export', 'audit', '--dialect', 'sahu', ...flags)
      assert.equal(code, 2)
      assert.match(err, /^error: KEY_INVALID /m)
      assert.match(err, /^hint: .* to sign a private key as PEM/m)
    }
  })
})

describe('sworn verify, on what we exported', () => {
  for (const [name, key] of Object.entries({ gantz: undefined, aegis: undefined, ocsf: undefined, sahu: 'ed25519.pub', aat: 'ec.pub' })) {
    it(`${name}: recognised, holds, and says what it cannot prove`, async () => {
      const { code, out } = await run('verify', `out.${name}`, ...(key ? ['--key', key] : []))
      assert.equal(code, 0, out)
      assert.match(out, new RegExp(`records, ${name}\n`))
      assert.match(out, /^not shown: /m)
      assert.match(out, key ? /^signed holds: by the key you gave/m : /; who wrote it is not shown$/m)
    })
    it(`${name}: one changed byte is found`, async () => {
      writeFileSync(join(cwd, 'tampered'), read(`out.${name}`).replace('write_file', 'wrote_file'))
      const { code, out } = await run('verify', 'tampered', '--json')
      const report = JSON.parse(out)
      assert.deepEqual([code, report.ok, report.claims.chain.holds], [1, false, false])
    })
  }
  it('a level that the format has no means for does not hold', async () => {
    const { code, out } = await run('verify', 'out.gantz', '--require', 'signed')
    assert.equal(code, 1)
    assert.match(out, /^signed does not hold: this format has no means for it$/m)
  })
  it('an AIVS bundle, as a folder and packed', async () => {
    const folder = join(cwd, 'bundle/session_proof')
    mkdirSync(folder, { recursive: true })
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    const row_hash = hash('1:s:tool_call:x:0:1742000400.5:')
    writeFileSync(
      join(folder, 'audit_log.jsonl'),
      `{"id":1,"session_id":"s","action_type":"tool_call","tool_name":"x","cost_cents":0,"timestamp":1742000400.5,"prev_hash":"","row_hash":"${row_hash}"}\n`,
    )
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ session_id: 's', action_count: 1, chain_hash: hash(row_hash) }))
    const { code, out } = await run('verify', 'bundle')
    assert.equal(code, 0, out)
    assert.match(out, /^complete +holds/m)
    assert.equal(spawnSync('tar', ['-czf', 'bundle.tar.gz', '-C', 'bundle', 'session_proof'], { cwd }).status, 0)
    assert.deepEqual(await run('verify', 'bundle.tar.gz', '--json'), await run('verify', 'bundle', '--json'))
    writeFileSync(join(cwd, 'cut.tar.gz'), readFileSync(join(cwd, 'bundle.tar.gz')).subarray(0, 100))
    assert.match((await run('verify', 'cut.tar.gz')).err, /^error: IO_FAILED a \.tar\.gz of at most 256 MiB was expected/)
  })
  it('a file that is too large to be read whole is refused with the bound', async () => {
    copyFileSync(join(cwd, 'out.gantz'), join(cwd, 'large.gantz'))
    truncateSync(join(cwd, 'large.gantz'), 256 * 2 ** 20 + 1) // a hole: nothing is written
    for (const argv of [
      ['verify', 'large.gantz'],
      ['import', 'large.gantz', 'never', '--dialect', 'gantz'],
    ]) {
      const { code, err } = await run(...argv)
      assert.equal(code, 3)
      assert.match(err, /^error: IO_FAILED a foreign log of at most 256 MiB was expected/)
    }
  })
})

describe('sworn import', () => {
  it('what was exported comes back: every event, once, reported by somebody else', async () => {
    for (const name of ['aip', 'pi', 'agef', 'cloudevents']) {
      const { code, out } = await run('import', `out.${name}`, `back-${name}`, '--dialect', name, '--json')
      assert.deepEqual([code, JSON.parse(out).imported], [0, EVENTS.length], out)
      const found = records((await run('query', `back-${name}`, '--format', 'jsonl')).out).filter((e) => e.source?.kind === 'import')
      assert.deepEqual(
        found.slice(1).map((e) => e.event_type),
        EVENTS.map((e) => e.event_type),
      )
      assert.ok(found.every((e) => e.source.vantage === 'reported' && e.source.name === name))
      assert.deepEqual(found[2].arguments, EVENTS[1]!.arguments)
    }
  })
  it('the verdict over a foreign chain is the first event, and a second import adds nothing but its verdict', async () => {
    for (const expected of [7, 8]) {
      const { code } = await run('import', 'out.gantz', 'twice', '--dialect', 'gantz')
      assert.equal(code, 0)
      const found = records((await run('query', 'twice', '--format', 'jsonl')).out).filter((e) => !e.event_type.startsWith('log.'))
      assert.equal(found.length, expected)
      assert.deepEqual(
        [found[0].event_type, found[0].metadata.claims.chain, found[0].metadata.claims.signed],
        ['instrumentation_report', true, null],
      )
      assert.equal(found[0].metadata.import.sha256, createHash('sha256').update(read('out.gantz')).digest('hex'))
    }
  })
  it('of two records with one id the second is left out and counted, and all others are imported', async () => {
    const lines = read('out.gantz').trimEnd().split('\n')
    const second = JSON.stringify({ ...JSON.parse(lines[0]!), user_id: 'mallory' })
    writeFileSync(join(cwd, 'doubled.gantz'), [...lines.slice(0, 2), second, ...lines.slice(2)].map((line) => `${line}\n`).join(''))
    for (const expected of ['1 left out', '1 left out']) {
      const { code, out, err } = await run('import', 'doubled.gantz', 'doubled', '--dialect', 'gantz')
      assert.deepEqual(
        [code, out.split('\n')[0]],
        [1, `${lines.length} events imported, ${expected}: another record came under its event_id before`],
        err,
      )
    }
    const { imported, refused, ok } = JSON.parse((await run('import', 'doubled.gantz', 'doubled', '--dialect', 'gantz', '--json')).out)
    assert.deepEqual([imported, refused, ok], [lines.length, 1, false])
    const added = records(
      (await run('query', 'doubled', '--where', 'source.kind == "import" && event_type != "instrumentation_report"', '--format', 'jsonl'))
        .out,
    )
    assert.equal(added.length, lines.length)
    assert.equal((await run('verify', 'doubled')).code, 0)
  })
  it('a foreign record leaves the ledger as it came, byte for byte', async () => {
    const { out } = await run('export', 'twice', '--dialect', 'gantz', '--where', 'event_type != "instrumentation_report"')
    assert.equal(out, read('out.gantz'))
    assert.equal((await run('verify', 'out.gantz')).code, 0)
  })
  it('a broken chain is imported, with the finding on record and exit 1; with --require nothing is', async () => {
    writeFileSync(join(cwd, 'broken.jsonl'), read('out.gantz').replace('write_file', 'wrote_file'))
    const refused = await run('import', 'broken.jsonl', 'strict', '--dialect', 'gantz', '--require', 'chain')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /chain does not hold.*nothing was imported/)
    assert.equal(existsSync(join(cwd, 'strict')), false)
    assert.equal((await run('import', 'broken.jsonl', 'lax', '--dialect', 'gantz')).code, 1)
    const [report] = records((await run('query', 'lax', '--format', 'jsonl', '--type', 'instrumentation_report')).out)
    assert.deepEqual(
      [report.severity, report.metadata.claims.chain, report.metadata.findings[0].class],
      ['warning', false, 'hash_mismatch'],
    )
  })
  it('a log of a format that has a recipe is checked by it, also when it begins with a line that is none of it', async () => {
    writeFileSync(join(cwd, 'odd.jsonl'), `nonsense\n${read('out.gantz')}`)
    assert.equal((await run('import', 'odd.jsonl', 'odd', '--dialect', 'gantz')).code, 1)
    const [report] = records((await run('query', 'odd', '--format', 'jsonl', '--type', 'instrumentation_report')).out)
    assert.deepEqual([report.metadata.claims.bytes, report.metadata.findings[0].class], [false, 'malformed'])
  })
  it('secrets of a foreign log are masked on the way in, also in members without a home', async () => {
    writeFileSync(
      join(cwd, 'secret.jsonl'),
      '{"event_type":"authorization_decision","tool":"x","arguments":{"password":"hunter2"},"vendor":{"api_key":"hunter2"}}\n',
    )
    assert.equal((await run('import', 'secret.jsonl', 'masked', '--dialect', 'aip')).code, 0)
    assert.doesNotMatch((await run('query', 'masked', '--format', 'jsonl')).out, /hunter2/)
  })
  it('records that cannot be read are named, the others are imported', async () => {
    writeFileSync(join(cwd, 'mixed.jsonl'), '{"event_type":"x","tool":"a"}\n{"a":1,"a":2}\nnonsense\n')
    const { code, err, out } = await run('import', 'mixed.jsonl', 'mixed', '--dialect', 'aip', '--json')
    assert.equal(code, 1)
    assert.match(err, /JSON_DUPLICATE_MEMBER .*mixed\.jsonl:2/)
    assert.match(err, /JSON_INVALID .*mixed\.jsonl:3/)
    assert.deepEqual([JSON.parse(out).imported, JSON.parse(out).unreadable], [1, 2])
  })
})

const OLD_NODE = isSupported(process.versions.node) ? false : 'this Node has no SQLite that keeps every text'

describe('aegis-sqlite', { skip: OLD_NODE }, () => {
  it('the table has Aegis’s columns and a row for every event; the sidecar has the events whole', async () => {
    const { code, err } = await run('export', 'audit', '--dialect', 'aegis-sqlite', '-o', 'aegis.db')
    assert.equal(code, 0, err)
    const { DatabaseSync } = await loadSqlite()
    const db = new DatabaseSync(join(cwd, 'aegis.db'), { readOnly: true })
    const rows = db.prepare('SELECT action_type, approval, result_status, human_decision, action_params FROM audit_log ORDER BY id').all()
    db.close()
    assert.deepEqual(
      { ...rows[1] },
      {
        action_type: 'write_file',
        approval: 'block',
        result_status: 'blocked',
        human_decision: null,
        action_params: '{"path":"/etc/config.yaml","n":1.5}',
      },
    )
    assert.deepEqual([rows.length, rows[2]?.human_decision], [EVENTS.length, 'approved'])
    const manifest = JSON.parse(read('aegis.db.manifest.json'))
    assert.deepEqual([manifest.file.rows, manifest.sidecar.lines], [EVENTS.length, EVENTS.length])
    assert.equal(
      manifest.file.sha256,
      createHash('sha256')
        .update(readFileSync(join(cwd, 'aegis.db')))
        .digest('hex'),
    )
  })
  it('is read back: rows as events, and out again as the same rows', async () => {
    assert.equal((await run('import', 'aegis.db', 'from-db', '--dialect', 'aegis-sqlite')).code, 0)
    const { out } = await run('export', 'from-db', '--dialect', 'aegis-rows', '--where', 'event_type != "instrumentation_report"')
    assert.equal(out, read('out.aegis-rows'))
  })
  it('a file that is no such database is refused, and nothing is imported', async () => {
    const { code, err } = await run('import', 'out.aip', 'none', '--dialect', 'aegis-sqlite')
    assert.equal(code, 3)
    assert.match(err, /^error: JSON_INVALID an SQLite database with the table audit_log was expected/)
    assert.equal(existsSync(join(cwd, 'none')), false)
  })
})

const PEER = fileURLToPath(new URL('../../../testkit/peers/duckdb/', import.meta.url))
const noDuckdb = existsSync(join(PEER, 'node_modules')) ? false : 'NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/duckdb'
if (noDuckdb) console.error(noDuckdb)

describe('parquet', () => {
  it('without DuckDB says what to install, and leaves nothing', async () => {
    await assert.rejects(loadDuckdb('@duckdb/not-here'), { code: 'DRIVER_MISSING', message: /npm install @duckdb\/node-api/ })
    const { code, err } = await run('export', 'audit', '--dialect', 'parquet')
    assert.equal(code, 2)
    assert.match(err, /-o FILE was expected/)
  })
  it('a column for every member, counted from the file', { skip: noDuckdb }, async () => {
    const duckdb = await loadDuckdb(pathToFileURL(createRequire(PEER).resolve('@duckdb/node-api')).href)
    const path = join(cwd, "it's.parquet")
    const target = openParquetTarget(path, 'x', duckdb)
    for (const [seq, one] of EVENTS.entries())
      await target.write({ ...one, seq, timestamp: '2026-03-03T16:32:00.123Z', team: 'red' } as Event)
    assert.equal((await target.close())?.file.rows, EVENTS.length)
    const instance = await duckdb.DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const sql = `SELECT tool, arguments, own, epoch_ms(timestamp)::VARCHAR FROM read_parquet('${path.replace("'", "''")}') WHERE decision = 'deny'`
    assert.deepEqual((await connection.runAndReadAll(sql)).getRows(), [
      ['write_file', '{"path":"/etc/config.yaml","n":1.5}', '{"team":"red"}', '1772555520123'],
    ])
    connection.closeSync()
    instance.closeSync()
    assert.deepEqual(
      readdirSync(cwd).filter((name) => name.startsWith("it's")),
      ["it's.parquet"],
    )
  })
})

const OLD_OPENSSL = spawnSync('openssl', ['genpkey', '-algorithm', 'ed25519']).status === 0 ? false : 'openssl with Ed25519 is not here'
if (OLD_OPENSSL) console.error(`SKIPPED: ${OLD_OPENSSL}`)
const jq = spawnSync('jq', ['--version']).status === 0 ? false : 'jq is not here'
if (jq) console.error(`SKIPPED: ${jq}`)

/** A shell line with the file in its place. */
function shell(line: string, file: string): string {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', line.replaceAll('FILE', file)], { cwd, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return stdout
}

describe('the founding documents’ one-liners, on our log and on the exports', { skip: jq }, () => {
  const native = () => `audit/segments/${readdirSync(join(cwd, 'audit/segments'))[0]!}`
  for (const where of ['log', 'export']) {
    const file = () => (where === 'log' ? native() : 'out.aip')
    it(`AIP, ${where}: denied requests`, () => {
      assert.deepEqual(
        records(shell(`cat FILE | jq -c 'select(.decision == "deny")'`, file())).map((r) => r.tool),
        ['write_file'],
      )
    })
    it(`AIP, ${where}: human approvals`, () => {
      assert.deepEqual(
        records(shell(`cat FILE | jq -c 'select(.human_decision.approved == true)'`, file())).map((r) => r.user),
        ['bob'],
      )
    })
    it(`AIP, ${where}: one tool`, () => {
      assert.equal(records(shell(`cat FILE | jq -c 'select(.tool == "write_file")'`, file())).length, 2)
    })
    it(`AIP, ${where}: DLP matches of the last hour, corrected for fractional seconds`, () => {
      const line = `cat FILE | jq -c 'select(.event_type == "dlp_match" and (.timestamp | sub("\\\\.[0-9]+"; "") | fromdateiso8601) > (now - 3600))'`
      assert.equal(records(shell(line, file())).length, 1)
    })
    it(`AIP, ${where}: counts, corrected so that events without a decision are not counted as null`, () => {
      const line = `cat FILE | jq -cs 'map(select(.decision)) | group_by(.decision) | map({decision: .[0].decision, count: length})'`
      assert.deepEqual(JSON.parse(shell(line, file())), [
        { decision: 'allow', count: 1 },
        { decision: 'deny', count: 1 },
      ])
    })
    it(`AIP, ${where}: grep for a pattern, and for a user's denials`, () => {
      assert.equal(shell(`grep -c '"AWS Access Key"' FILE`, file()).trim(), '1')
      assert.equal(shell(`grep '"alice@example.com"' FILE | grep -c '"deny"'`, file()).trim(), '1')
    })
    it(`AIP, ${where}: every line is JSON, corrected to read backslashes as they are`, () => {
      assert.equal(
        shell(`cat FILE | while IFS= read -r line; do printf '%s\\n' "$line" | jq . > /dev/null || echo invalid; done`, file()),
        '',
      )
    })
    it(`AIP, ${where}: one person's events as JSON Lines, corrected with -c`, () => {
      assert.equal(shell(`cat FILE | jq -c 'select(.user == "alice@example.com")' | wc -l`, file()).trim(), '4')
    })
  }
  it('AIP: the guide’s own fromdateiso8601 works on the export, whose times are whole seconds, and not on fractions', () => {
    const line = `cat FILE | jq -c 'select(.event_type == "dlp_match" and (.timestamp | fromdateiso8601) > (now - 3600))'`
    assert.equal(records(shell(line, 'out.aip')).length, 1)
    const { stdout, stderr } = spawnSync('sh', ['-c', line.replace('FILE', native())], { cwd, encoding: 'utf8' })
    assert.equal(stdout, '')
    assert.match(stderr, /does not match format/)
  })
  it('pi-governance: by event, denied, by user, budget', () => {
    assert.match(shell(`jq -r '.event' FILE | sort | uniq -c | sort -rn`, 'out.pi'), /1 tool_denied/)
    assert.deepEqual(
      records(shell(`jq -c 'select(.event == "tool_denied")' FILE`, 'out.pi')).map((r) => r.userId),
      ['alice@example.com'],
    )
    assert.equal(records(shell(`jq -c 'select(.userId == "alice@example.com")' FILE`, 'out.pi')).length, 4)
    assert.equal(shell(`jq 'select(.event == "budget_exceeded")' FILE`, 'out.pi'), '')
  })
  it('pi-governance: the session summary has its own counter names', () => {
    const [end] = records(shell(`jq -c 'select(.event == "session_end")' FILE`, 'out.pi'))
    assert.deepEqual(end.metadata.stats, { allowed: 1, denied: 1, dryRun: 0 })
  })
})

/** The lines of a page's `sh` fences. */
function fenceLines(page: string): string[] {
  const text = readFileSync(new URL(`../../../docs/guides/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```(?:sh|bash)\n([\s\S]*?)^```/gm)].flatMap((fence) => fence[1]!.trimEnd().split('\n'))
}

describe('guides', () => {
  it('every command of exchange.md does what it says, in its order', { skip: OLD_OPENSSL }, async () => {
    const lines = fenceLines('exchange.md')
    assert.ok(lines.length >= 12)
    for (const line of lines) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!)
      const [program, ...argv] = words
      const ran = program === 'sworn' ? await run(...argv) : { code: spawnSync(program!, argv, { cwd }).status, out: '', err: '' }
      assert.equal(ran.code, 0, `${line}\n${ran.out}${ran.err}`)
    }
  })
  it('the jq lines of log-shipping.md run on the log and on an export', { skip: jq }, async () => {
    const lines = fenceLines('log-shipping.md').filter((line) => /^(?:jq|grep) .*audit\.jsonl/.test(line))
    assert.ok(lines.length >= 4)
    for (const file of [`audit/segments/${readdirSync(join(cwd, 'audit/segments'))[0]!}`, 'out.aip'])
      for (const line of lines) assert.notEqual(shell(line.replaceAll('audit.jsonl', 'FILE'), file), '', line)
  })
})
