/** `sworn verify` on foreign logs that need more than one file, and on Aegis's database. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { AEGIS_INSERT_SQL, AEGIS_TABLE_SQL } from '@sworn/dialects'
import { isSupported, loadSqlite } from '@sworn/recorder/sqlite'
import { absent, vector, vectorJson } from '../../dialects/test/support/vectors.ts'
import { sworn, temporary } from './support/io.ts'

const cwd = temporary()
const home = join(cwd, 'home')
const run = (...argv: string[]) => sworn(argv, { cwd, home })
const OLD_NODE = isSupported(process.versions.node) ? false : 'this Node has no SQLite that keeps every text'

async function make(name: string, ...sql: readonly string[]): Promise<void> {
  const { DatabaseSync } = await loadSqlite()
  const db = new DatabaseSync(join(cwd, name))
  for (const one of sql) db.exec(one)
  db.close()
}

const row = (id: number) => AEGIS_INSERT_SQL.replace(/\?(?:, \?)*/, `${id}, ${Array.from({ length: 17 }, () => "'x'").join(', ')}`)

describe('an SQLite file of Aegis', { skip: OLD_NODE }, () => {
  before(() => make('aegis.db', AEGIS_TABLE_SQL, row(1), row(2), row(3), row(4), row(5), 'DELETE FROM audit_log WHERE id IN (2, 5)'))

  it('is verified, claim by claim: which rows are gone, and that nothing else can be shown', async () => {
    const hash = () =>
      createHash('sha256')
        .update(readFileSync(join(cwd, 'aegis.db')))
        .digest('hex')
    const whole = hash()
    const { code, out } = await run('verify', 'aegis.db')
    assert.equal(code, 0, out)
    assert.match(out, /bytes +holds +3 rows numbered up to 4, 1 between them missing; the table gave 1 more, which are not there/)
    assert.match(out, /chain +cannot/)
    assert.match(out, /not shown: Rows have no hash and no key/)
    assert.equal(hash(), whole, 'nothing is written')
    assert.equal((await run('verify', 'aegis.db', '--require', 'chain')).code, 1)
    assert.equal(JSON.parse((await run('verify', 'aegis.db', '--json')).out).format, 'aegis-rows')
  })
  it('one in WAL mode is read with what its WAL holds, and nothing appears beside one that nobody has open', async () => {
    const { DatabaseSync } = await loadSqlite()
    const db = new DatabaseSync(join(cwd, 'wal?%41.db'))
    db.exec(`PRAGMA journal_mode = WAL; ${AEGIS_TABLE_SQL} ${row(1)}`)
    assert.match((await run('verify', 'wal?%41.db')).out, /bytes +holds +1 rows numbered up to 1/)
    db.close()
    const beside = () => readdirSync(cwd).filter((name) => name.startsWith('wal'))
    assert.deepEqual(beside(), ['wal?%41.db'])
    assert.equal((await run('verify', 'wal?%41.db')).code, 0)
    assert.deepEqual(beside(), ['wal?%41.db'])
  })
  it('is recorded as checked when it is imported', async () => {
    assert.equal((await run('import', 'aegis.db', 'in', '--dialect', 'aegis-sqlite')).code, 0)
    const { out } = await run('query', 'in', '--type', 'instrumentation_report', '--format', 'jsonl')
    assert.match(out, /"claims":\{"bytes":true,"chain":null/)
  })
  const hostile: Record<string, readonly string[]> = {
    'a view that never ends': [
      'CREATE VIEW audit_log AS WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r) SELECT id FROM r',
    ],
    'a column that is made when it is read': [
      'CREATE TABLE audit_log (id INTEGER PRIMARY KEY, x AS (zeroblob(500000000)))',
      'INSERT INTO audit_log (id) VALUES (1)',
    ],
    'a virtual table': ['CREATE VIRTUAL TABLE audit_log USING fts5(id, action_type)'],
    'bytes in a column': [AEGIS_TABLE_SQL, "INSERT INTO audit_log (id, action_type) VALUES (1, x'00ff')"],
    'another database': ['CREATE TABLE events (id INTEGER)'],
  }
  for (const [what, sql] of Object.entries(hostile)) {
    it(`${what} is refused, unread`, async () => {
      const name = `hostile-${what.replaceAll(' ', '-')}.db`
      await make(name, ...sql)
      const { code, err } = await run('verify', name)
      assert.deepEqual(
        [code, err.split('\n')[0]],
        [3, `error: JSON_INVALID an SQLite database with the table audit_log was expected (at ${join(cwd, name)})`],
      )
    })
  }
  it('a damaged file is refused', async () => {
    const bytes = readFileSync(join(cwd, 'aegis.db'))
    for (let at = 100; at < bytes.length; at += 7) bytes[at] = bytes[at]! ^ 0xff
    writeFileSync(join(cwd, 'damaged.db'), bytes)
    assert.equal((await run('verify', 'damaged.db')).code, 3)
  })
})

describe('NOA and COSE from the command line', { skip: absent }, () => {
  interface Context {
    readonly chain: unknown
    readonly grant: unknown
    readonly keyring: unknown
    readonly expect: unknown
  }
  const write = (name: string, value: unknown) => writeFileSync(join(cwd, name), JSON.stringify(value))
  it('an action digest is checked with chain, grant, keyring and what the user expects; another digest exits 1', async () => {
    const { vectors } = vectorJson<{ vectors: { name: string; claim: unknown; context: Context }[] }>(
      'noa/conformance/action-digest/vectors.json',
    )
    const verify = async (name: string) => {
      const { claim, context } = vectors.find((one) => one.name === name)!
      for (const [file, value] of Object.entries({ ...context, claim })) write(`${file}.json`, value)
      const inputs = ['grant', 'claim', 'expect'].flatMap((file) => ['--input', `${file}.json`])
      return await run('verify', 'chain.json', '--key', 'keyring.json', ...inputs)
    }
    const valid = await verify('valid')
    assert.deepEqual([valid.code, /the action digest is of receipt 1 and its grant/.test(valid.out)], [0, true], valid.out)
    const swapped = await verify('reject-swapped-digest')
    assert.equal(swapped.code, 1)
    assert.match(swapped.out, /finding: hash_mismatch: the action digest is not that of this receipt and this grant/)
  })
  it('a receipt of RFC 9942 without its statement names what to give', async () => {
    writeFileSync(join(cwd, 'receipt.cbor'), vector('cose-receipts/inclusion-receipt.cbor'))
    const { code, out } = await run('verify', 'receipt.cbor')
    assert.equal(code, 0)
    assert.match(
      out,
      /tree +no +the statement was not given: --input FILE, the bytes that the service hashed as its leaf; nor the key of the service: --key/,
    )
  })
})

describe('--input', () => {
  before(() => {
    writeFileSync(join(cwd, 'gantz.jsonl'), '{"event_id":"1","event_hash":"x","parameters":{}}\n')
    writeFileSync(join(cwd, 'noa.json'), '[{"spec":"noa.receipt/0.1"}]')
    writeFileSync(join(cwd, 'digest.json'), '{"spec":"noa.action-digest/0.1","digest":"sha256:00"}')
    writeFileSync(join(cwd, 'huge.bin'), Buffer.alloc(16 * 1024 * 1024 + 1))
  })
  it('is refused where a format takes none, or where it is no foreign log', async () => {
    const gantz = await run('verify', 'gantz.jsonl', '--input', 'digest.json')
    assert.deepEqual(
      [gantz.code, gantz.err.split('\n')[0]],
      [2, 'error: USAGE a foreign log that refers to other files was expected: gantz has none (at --input)'],
    )
    assert.equal((await run('record', 'own')).code, 0)
    const own = await run('verify', 'own', '--input', 'digest.json')
    assert.deepEqual([own.code, own.err.split('\n')[0]], [2, 'error: USAGE a foreign log was expected (at --head, --input)'])
    assert.ok(existsSync(join(cwd, 'own')))
  })
  it('says what else a digest needs', async () => {
    const { code, err } = await run('verify', 'noa.json', '--input', 'digest.json')
    assert.equal(code, 2)
    assert.match(
      err,
      /its execution grant as another --input, and a file with the \{"tenant", "chain"\} that you expect as another --input, and a keyring as --key/,
    )
  })
  it('a file that is not there, or too large, could not be looked at', async () => {
    for (const name of ['missing', 'huge.bin']) {
      const { code, err } = await run('verify', 'noa.json', '--input', name)
      assert.equal(code, 3)
      assert.match(err, /^error: IO_FAILED a file of at most 16 MiB was expected/)
    }
  })
})
