/** A configuration's archive in S3 becomes a ledger again, and its SQLite table holds the same events. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { CREDENTIALS, openLogsPeer, openS3Peer, REGION } from '../../deliver/test/support/aws-peer.ts'
import { openRecorder } from '../src/library.ts'
import { sworn, temporary } from './support/io.ts'

test('what S3 got is what was sent and verifies as a ledger, signed, and a change in it is found; CloudWatch and SQLite hold the same events', async (t) => {
  const [s3, logs] = [await openS3Peer(), await openLogsPeer()]
  t.after(() => Promise.all([s3.close(), logs.close()]))
  const [cwd, home] = [temporary(), temporary()]
  writeFileSync(join(cwd, 'aws-secret'), `${CREDENTIALS.secretAccessKey}\n`, { mode: 0o600 })
  const where = (url: string) =>
    `region: ${REGION}, endpoint: "${url}", access_key_id: ${CREDENTIALS.accessKeyId}, secret_access_key_file: aws-secret`
  const yaml = [
    'audit:',
    '  sinks:',
    `    - {type: s3, bucket: audit, prefix: archive/, lock: {mode: governance, days: 1}, batch: {events: 5, wait_ms: 0}, ${where(s3.url)}}`,
    `    - {type: cloudwatch, group: /sworn/audit, stream: s, ${where(logs.url)}}`,
    '    - {type: sqlite, path: aegis/audit.db}',
  ]
  writeFileSync(join(cwd, 'sworn.yaml'), `${yaml.join('\n')}\n`)
  const open = () => openRecorder({ cwd, config: 'sworn.yaml', env: { SWORN_HOME: home } })
  const recorder = await open()
  for (let n = 0; n < 12; n++) await recorder.record({ event_type: 'tool_call_end', tool: `tool_${n}`, session_id: 's' })
  await recorder.close()
  await (await open()).close() // what was written at the end of the first, its checkpoint, is delivered by the second

  for (const name of ['s3', 'sqlite']) {
    const env = { SWORN_HOME: home, SWORN_CONFIG: join(cwd, 'sworn.yaml') }
    const asked = await sworn(['sinks', 'reconcile', name], { cwd, home, io: { env } })
    assert.equal(asked.code, 0, asked.out + asked.err)
  }
  const [first = ''] = s3.objects.keys()
  const base = first.slice(0, first.indexOf('segments/'))
  assert.match(base, /^archive\/sworn\.local\/[\w-]+\/$/)
  const restored = temporary()
  for (const [key, { body }] of s3.objects) {
    const path = join(restored, key.slice(base.length))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, body)
  }
  const verify = () => sworn(['verify', restored, '--require', 'signed'], { cwd, home, io: { env: { SWORN_HOME: home } } })
  const verified = await verify()
  assert.equal(verified.code, 0, verified.out + verified.err)
  const [victim = '', { body = '' } = {}] = [...s3.objects].find(([, object]) => object.body.includes('"tool_7"')) ?? []
  writeFileSync(join(restored, victim.slice(base.length)), body.replace('"tool_7"', '"tool_8"'))
  assert.equal((await verify()).code, 1)

  const tools = Array.from({ length: 12 }, (_, n) => `tool_${n}`)
  const db = new DatabaseSync(join(cwd, 'aegis', 'audit.db'), { readOnly: true })
  const rows = db.prepare("SELECT action_type FROM audit_log WHERE result_status = 'success' ORDER BY id").all()
  db.close()
  assert.deepEqual(
    rows.map(({ action_type }) => action_type),
    tools,
  )
  const sent = (logs.streams.get('s') ?? []).map((message) => JSON.parse(message))
  assert.deepEqual(
    sent.filter(({ event_type }) => event_type === 'tool_call_end').map(({ tool }) => tool),
    tools,
  )
})
