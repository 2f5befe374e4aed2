/** `sworn serve --mirrors` and a `collector` sink: the ledger elsewhere, checked on arrival, anchored by who took it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isListening } from '../../../testkit/src/services.ts'
import { loadPg } from '../../deliver/src/sinks/postgres-driver.ts'
import { openRecorder } from '../src/library.ts'
import { sworn, temporary } from './support/io.ts'
import { startServe, tokenOf } from './support/served.ts'

const LIMIT = { timeout: 120_000 }
const DSN = 'postgres://postgres:s3cr3t-of-the-dsn@127.0.0.1:5432/test'
const skip = (await isListening(5432)) ? false : 'NO POSTGRESQL on 127.0.0.1:5432: mirrors in PostgreSQL were not tested'

/** Until the sink has everything: what a slow server did not take in time is sent again. */
async function delivered(run: (...argv: string[]) => Promise<{ readonly out: string }>): Promise<boolean> {
  for (let left = 10; left > 0; left--) {
    if (JSON.parse((await run('sinks', 'status', '--json')).out).sinks[0]?.behind === 0) return true
    await run('sinks', 'replay', 'collector')
  }
  return false
}

test('a ledger that is collected: its mirror verifies, its checkpoints are anchored, reconciliation is by roots', LIMIT, async (t) => {
  const server = { cwd: realpathSync(temporary()), home: temporary() }
  const serve = await startServe(server, ['--mirrors', 'mirrors'])
  t.after(() => void serve.process.kill('SIGTERM'))
  const [, vkey = ''] = /its cosignatures are by (\S+)\n/.exec(serve.said()) ?? []
  assert.match(vkey, /^collector\.sworn\.local\/[0-9a-f]{16}\+[0-9a-f]{8}\+/)

  const [cwd, home] = [temporary(), temporary()]
  const token = tokenOf(server, 'report')
  writeFileSync(join(cwd, 'token'), token, { mode: 0o600 })
  writeFileSync(join(cwd, 'sworn.yaml'), `audit:\n  sinks: [{type: collector, url: "${serve.url}", token_file: token}]\n`)
  const env = { SWORN_HOME: home, SWORN_CONFIG: join(cwd, 'sworn.yaml') }
  const run = (...argv: string[]) => sworn(argv, { cwd, home, io: { env, now: Date.now } })
  const record = async (target: string) => {
    const recorder = await openRecorder({ cwd, config: 'sworn.yaml', env })
    await recorder.record({ event_type: 'data_access', target })
    await recorder.close() // waits five seconds for a slow server
  }
  const isAnchored = async () => (await run('query', '--type', 'log.anchor', '--fail-empty')).code === 0
  await record('crm')
  for (let left = 10; left > 0 && (await delivered(run)) && !(await isAnchored()); left--) await record('erp')

  const doctor = await run('doctor')
  assert.match(doctor.out, /collector.*it holds \d+ entries of this ledger/)
  const [logId = ''] = readdirSync(join(server.cwd, 'mirrors'))
  const mirror = await sworn(['verify', join(server.cwd, 'mirrors', logId), '--require', 'chain'], server)
  assert.equal(mirror.code, 0, mirror.out + mirror.err)
  const anchored = await run('verify', '--witness', vkey, '--require', 'anchored')
  assert.equal(anchored.code, 0, anchored.out + anchored.err)
  assert.match(anchored.out, /anchored +holds +seq 0 to \d+ by 1 of 1 witnesses/)
  assert.equal(await isAnchored(), true)
  assert.equal((await run('verify', '--require', 'anchored')).code, 1) // nobody named a key that counts
  const reconciled = await run('sinks', 'reconcile', 'collector')
  assert.equal(reconciled.code, 0, reconciled.out + reconciled.err)
  assert.match(
    reconciled.out,
    /^collector: \d+ entries as they should be; compared: the exact lines of the ledger\nthe tree over what it holds is that/,
  )
  for (const text of [serve.said(), anchored.out, reconciled.out]) assert.ok(!text.includes(token))

  const second = await sworn(
    ['serve', join(server.cwd, 'other'), '--listen', '127.0.0.1:0', '--mirrors', join(server.cwd, 'mirrors')],
    server,
  )
  assert.equal(second.code, 3)
  assert.match(second.err, /^error: LEDGER_BUSY another process keeps these mirrors/m)
})

test('a key that is none, or without mirrors to hold to it, is refused before anything is made', async () => {
  const at = { cwd: temporary(), home: temporary() }
  const cases: [flags: string[], code: number, said: RegExp][] = [
    [['--mirrors', 'mirrors', '--mirror-key', 'no key'], 2, /^error: KEY_INVALID /m],
    [['--mirror-key', 'no key'], 2, /^error: USAGE --mirrors was expected beside it \(at --mirror-key\)/m],
  ]
  for (const [flags, code, said] of cases) {
    const found = await sworn(['serve', 'audit', '--listen', '127.0.0.1:0', ...flags], at)
    assert.match(found.err, said)
    assert.equal(found.code, code)
  }
  assert.deepEqual(readdirSync(at.cwd), [])
})

test('mirrors in PostgreSQL verify from their rows, each under its log_id, and the password is said nowhere', {
  ...LIMIT,
  skip,
}, async (t) => {
  const client = (await loadPg()).createClient(DSN)
  await client.connect()
  const schema = `sworn_test_${randomBytes(6).toString('hex')}`
  await client.query(`CREATE SCHEMA ${schema}`)
  const dsn = `${DSN}?options=-c%20search_path%3D${schema}`
  const server = { cwd: realpathSync(temporary()), home: temporary() }
  const serve = await startServe(server, ['--mirrors', dsn])
  t.after(async () => {
    serve.process.kill('SIGTERM')
    await serve.code
    await client.query(`DROP SCHEMA ${schema} CASCADE`)
    await client.end()
  })
  const [, vkey = ''] = /collecting into postgres:\/\/127\.0\.0\.1:5432\/test; its cosignatures are by (\S+)\n/.exec(serve.said()) ?? []
  const [cwd, home] = [temporary(), temporary()]
  writeFileSync(join(cwd, 'sworn.yaml'), `audit:\n  sinks: [{type: collector, url: "${serve.url}", token: ${tokenOf(server, 'report')}}]\n`)
  const recorder = await openRecorder({ cwd, config: 'sworn.yaml', env: { SWORN_HOME: home } })
  await recorder.record({ event_type: 'data_access', target: 'crm' })
  await recorder.close()
  const run = (...argv: string[]) => sworn(argv, { cwd, home, io: { env: { SWORN_HOME: home, SWORN_CONFIG: join(cwd, 'sworn.yaml') } } })
  assert.equal(await delivered(run), true)
  const producer = JSON.parse(readFileSync(join(home, 'ledgers.json'), 'utf8'))
  const [row] = Object.values(producer) as { log_id: string; vkey: string }[]
  const verified = await sworn([
    'verify',
    dsn,
    '--table',
    'sworn_mirror',
    '--origin',
    row!.log_id,
    '--key',
    row!.vkey,
    '--witness',
    vkey,
    '--require',
    'anchored',
  ])
  assert.equal(verified.code, 0, verified.out + verified.err)
  for (const text of [serve.said(), verified.out, verified.err]) assert.ok(!text.includes('s3cr3t-of-the-dsn'))
})

test('a collector sink takes no part of a ledger, and needs its token', async () => {
  const [cwd, home] = [temporary(), temporary()]
  for (const [option, names] of [
    ['where: "true", token: xxxxxxxxxxxxxxxx', /audit\.sinks\.where/],
    ['dialect: ecs, token: xxxxxxxxxxxxxxxx', /audit\.sinks\.dialect/],
    ['redact: [password], token: xxxxxxxxxxxxxxxx', /audit\.sinks\.redact/],
    ['name: other', /audit\.sinks\.token/],
  ] as const) {
    writeFileSync(join(cwd, 'sworn.yaml'), `audit:\n  sinks: [{type: collector, url: "http://127.0.0.1:1", ${option}}]\n`)
    await assert.rejects(
      openRecorder({ cwd, config: 'sworn.yaml', env: { SWORN_HOME: home } }),
      (e: Error) => names.test(e.message) && /CONFIG_INVALID/.test(`${(e as { code?: string }).code}`),
    )
  }
})
