/** Sinks from a configuration: the library delivers, `sworn sinks` tells and sends again, what does not fit is refused by place. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHttpPeer } from '../../deliver/test/support/http-peer.ts'
import { openRecorder } from '../src/library.ts'
import { sworn, temporary } from './support/io.ts'

interface Place {
  readonly cwd: string
  readonly home: string
}

function configured(yaml: string): Place {
  const place = { cwd: temporary(), home: temporary() }
  writeFileSync(join(place.cwd, 'sworn.yaml'), yaml)
  return place
}

const openAt = ({ cwd, home }: Place, options: Parameters<typeof openRecorder>[0] & object = {}) =>
  openRecorder({ cwd, config: 'sworn.yaml', env: { SWORN_HOME: home }, ...options })
const run = (place: Place, ...argv: string[]) =>
  sworn(argv, { ...place, io: { env: { SWORN_HOME: place.home, SWORN_CONFIG: join(place.cwd, 'sworn.yaml') } } })

/** Closes it when all is delivered: what a busy machine does not deliver in time stays for the next that records. */
async function closeDelivered(recorder: Awaited<ReturnType<typeof openAt>>, place: Place): Promise<void> {
  await recorder.close()
  const isBehind = async () => {
    const sinks: { behind: number }[] = JSON.parse((await run(place, 'sinks', 'status', '--json')).out).sinks
    return sinks.length === 0 || sinks.some(({ behind }) => behind > 0)
  }
  while (await isBehind()) await (await openAt(place)).close()
}

test("pi-governance's sinks as they stand: every event is in the file and at the webhook when the recorder is closed", async (t) => {
  const peer = await openHttpPeer()
  t.after(peer.close)
  const place = configured(
    `audit:\n  sinks:\n    - type: jsonl\n      path: copy/audit.jsonl\n    - type: webhook\n      url: ${peer.url}\n`,
  )
  const recorder = await openAt(place)
  await recorder.record({ event_type: 'data_access', target: 'crm', arguments: { password: 'hunter2-hunter2' } })
  await closeDelivered(recorder, place)
  const copy = readFileSync(join(place.cwd, 'copy', 'audit.jsonl'), 'utf8')
  assert.ok(copy.includes('"event_type":"data_access"') && !copy.includes('hunter2'))
  assert.deepEqual(
    peer.taken.map(({ body }) => JSON.parse(body).event_type).filter((type) => type !== 'config_loaded'),
    ['data_access'],
  )
  const verified = await run(place, 'verify', join(place.cwd, 'copy', 'audit.jsonl'))
  assert.equal(verified.code, 0, verified.out + verified.err)
  const status = await run(place, 'sinks', 'status', '--json')
  assert.equal(status.code, 0, status.err)
  const { sinks } = JSON.parse(status.out)
  assert.deepEqual(
    sinks.map(({ name, behind, parked, lost }: Record<string, unknown>) => [name, behind, parked, lost]),
    [
      ['jsonl', 0, 0, 0],
      ['webhook', 0, 0, 0],
    ],
  )
})

test('what a webhook refuses is parked, told with exit 1, and sent again by sworn sinks replay', async (t) => {
  let strict = true
  const peer = await openHttpPeer({ accept: ({ body }) => ({ status: strict && body.includes('"target":"bad"') ? 422 : 200 }) })
  t.after(peer.close)
  const place = configured(`audit:\n  sinks: [{type: webhook, url: "${peer.url}", where: 'event_type == "data_access"'}]\n`)
  const recorder = await openAt(place)
  await recorder.record({ event_type: 'data_access', target: 'good' })
  await recorder.record({ event_type: 'data_access', target: 'bad' })
  await closeDelivered(recorder, place)
  const before = await run(place, 'sinks', 'status')
  assert.equal(before.code, 1)
  assert.match(before.out, /webhook +\d+ +0 +0 +1 +0/)
  strict = false
  const after = await run(place, 'sinks', 'replay', 'webhook')
  assert.equal(after.code, 0, after.out + after.err)
  assert.equal(peer.taken.filter(({ body }) => body.includes('"target":"bad"')).length, 1)
  const taken = peer.taken.length
  assert.equal((await run(place, 'sinks', 'replay', 'webhook', '--from', '0')).code, 0)
  assert.equal(peer.taken.length, taken + 2)
  assert.equal((await run(place, 'sinks', 'replay', 'nothing')).code, 2)
})

test('a sink that is down holds up neither the recorder nor its end, and has everything when it is back', async (t) => {
  const peer = await openHttpPeer()
  t.after(peer.close)
  const place = configured(`audit:\n  sinks: [{type: webhook, url: "${peer.url}"}]\n`)
  peer.fail('error', 1_000_000)
  const first = await openAt(place)
  for (let n = 0; n < 20; n++) await first.record({ event_type: 'data_access', target: `t${n}` })
  while ((await run(place, 'sinks', 'status')).code === 0); // not tried yet
  await first.close()
  assert.equal(peer.taken.length, 0)
  const status = await run(place, 'sinks', 'status')
  assert.equal(status.code, 1)
  assert.match(status.out, /HTTP 503; \d+ tries/)
  peer.fail('error', 0)
  await closeDelivered(await openAt(place), place)
  const targets = peer.taken.map(({ body }) => JSON.parse(body).target).filter((target) => target !== undefined)
  assert.deepEqual(targets.toSorted(), Array.from({ length: 20 }, (_, n) => `t${n}`).toSorted())
})

test('a logger of the program gets entries at the level of their risk, a denial never below warning', async () => {
  const said: string[] = []
  const say = (level: string) => (members: object) => void said.push(`${level} ${(members as { target?: string }).target}`)
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const place = configured('audit:\n  sinks: [{type: logger, where: \'event_type == "data_access"\'}]\n')
  const recorder = await openAt(place, { logger })
  await recorder.record({ event_type: 'data_access', target: 'low', risk_level: 'low' })
  await recorder.record({ event_type: 'data_access', target: 'critical', risk_level: 'critical' })
  await recorder.record({ event_type: 'data_access', target: 'denied', risk_level: 'low', decision: 'deny' })
  await recorder.close()
  assert.deepEqual(said, ['debug low', 'error critical', 'warn denied'])
})

const refused: [string, string, RegExp][] = [
  ['an unknown type', 'sinks: [{type: carrier_pigeon}]', /one of jsonl, .* was expected \(at .*sworn\.yaml:2:\d+ audit\.sinks\.0\.type\)/],
  ['a misspelt option', 'sinks: [{type: jsonl, path: a, rotate_byte: 5000}]', /unknown option "rotate_byte", did you mean "rotate_bytes"/],
  ['a path that is missing', 'sinks: [{type: jsonl}]', /string was expected \(at .* audit\.sinks\.0\.path\)/],
  ['two sinks of one name', 'sinks: [{type: jsonl, path: a}, {type: jsonl, path: b}]', /two sinks have one name/],
  ['a filter that is none', 'sinks: [{type: jsonl, path: a, where: "user =="}]', /FILTER_INVALID/],
  ['a secret that is none', 'sinks: [{type: webhook, url: "http://127.0.0.1/", secret: "s3cr3t"}]', /whsec_ and the base64/],
  ['an address that is none', 'sinks: [{type: webhook, url: "file:///etc/passwd"}]', /an http or https URL was expected/],
  [
    'an endpoint that is none',
    'sinks: [{type: s3, bucket: audit, region: r, endpoint: "file:///s3cr3t"}]',
    /an http or https URL was expected/,
  ],
  [
    'half of the credentials',
    'sinks: [{type: cloudwatch, group: g, region: r, secret_access_key: s3cr3t}]',
    /access_key_id and secret_access_key were expected together/,
  ],
  ["a file of the ledger as a sink's", 'sinks: [{type: sqlite, path: audit/audit.db}]', /another file than those of the ledger/],
  ['a user in an address', 'sinks: [{type: webhook, url: "http://s3cr3t:x@127.0.0.1/"}]', /a URL without a user was expected/],
]
for (const [what, text, expected] of refused) {
  test(`${what} is refused before anything is recorded or shown`, async () => {
    const place = configured(`audit:\n  ${text}\n`)
    const ran = await run(place, 'recorder', 'audit', '--idle-exit', '1s')
    assert.equal(ran.code, 2, ran.err)
    assert.match(ran.err, expected)
    assert.ok(!ran.err.includes('s3cr3t') && !ran.out.includes('s3cr3t'))
  })
}

test('sinks of a project that nobody trusts are not opened, and that is recorded', async () => {
  const place = configured('audit:\n  sinks: [{type: jsonl, path: copy.jsonl}]\n')
  const recorder = await openRecorder({ cwd: place.cwd, env: { SWORN_HOME: place.home } })
  await recorder.close()
  assert.equal(existsSync(join(place.cwd, 'copy.jsonl')), false)
  assert.match((await run(place, 'query', 'audit', '--json')).out, /config_tampered/)
})
