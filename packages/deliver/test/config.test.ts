/** The guide's configurations are read and planned as they stand, and its table is the one of the code. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { readConfig } from '@sworn/recorder/schemas'
import { SwornError } from '@sworn/verify'
import { CONFIG_ROOMS, planSinks, SINK_TYPES } from '../src/index.ts'
import { createShape } from '../src/shape.ts'
import { loadDriver } from '../src/sinks/driver.ts'

const GUIDE = readFileSync('docs/guides/sinks.md', 'utf8')
const CONTEXT = {
  origin: 'sworn.local/x',
  version: '0',
  stdout: process.stdout,
  now: Date.now,
  ledgerPath: '/ledger',
}

/** A secret for every file that the guide names. */
function secretFile(secret = `whsec_${Buffer.alloc(32).toString('base64')}`): string {
  const path = join(mkdtempSync(join(tmpdir(), 'sworn-secret-')), 'secret')
  writeFileSync(path, `${secret}\n`)
  chmodSync(path, 0o600)
  return path
}

test("the guide's configurations are planned as they stand", () => {
  const env = { AUDIT_WEBHOOK_URL: 'https://hook.example/', ELASTIC_API_KEY: 'k', PAGERDUTY_ROUTING_KEY: 'r'.repeat(32) }
  const types = [...GUIDE.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, yaml = '']) => {
    const webhook = yaml.replace('/etc/sworn/slack-webhook', secretFile('https://slack.example/services/x'))
    const { sinks, destinations } = readConfig(webhook.replace(/\/etc\/sworn\/[\w-]+/g, secretFile()), 'guide', env, CONFIG_ROOMS)
    return planSinks(sinks, destinations, CONTEXT).map(({ type }) => type)
  })
  assert.deepEqual(types, [
    'jsonl',
    'webhook',
    'elasticsearch',
    'splunk',
    'syslog',
    's3',
    'cloudwatch',
    's3',
    'kafka',
    'sqlite',
    'slack',
    'pagerduty',
    'email',
    'otlp',
    'otlp',
  ])
})

test("the guide's table names every type and no other, with its options", () => {
  const rows = [...GUIDE.matchAll(/^\| `([a-z0-9]+)` \| (.*?) \|/gm)].filter(([, name]) => SINK_TYPES.some(({ type }) => type === name))
  assert.deepEqual(
    rows.map(([, name]) => name),
    SINK_TYPES.map(({ type }) => type),
  )
  const shared = ['addresses', 'ca_file', 'secret_file', 'token_file', 'api_key_file', 'password_file', 'secret_access_key_file']
  for (const { type, options } of SINK_TYPES) {
    const named = [...(rows.find(([, name]) => name === type)?.[2] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name)
    for (const option of Object.keys(options.shape)) assert.ok(shared.includes(option) || named.includes(option), `${type}: ${option}`)
  }
})

test("Gantz's destinations: the ledger itself is no sink, the others are", () => {
  const destinations = [
    'file',
    'stdout',
    { type: 'file', path: '/ledger' },
    { type: 'file', path: '/copy.jsonl' },
    { type: 'siem', endpoint: 'https://siem.example/', api_key: 'k' },
    { type: 'cloudwatch', group: '/gantz', region: 'eu-central-1' },
  ]
  assert.deepEqual(
    planSinks(undefined, destinations, CONTEXT).map(({ type }) => type),
    ['stdout', 'jsonl', 'siem', 'cloudwatch'],
  )
})

test("a file of the ledger is no sink's, under whatever name", () => {
  const folder = mkdtempSync(join(tmpdir(), 'sworn-own-'))
  const ledgerPath = join(folder, 'audit.jsonl')
  writeFileSync(ledgerPath, '')
  symlinkSync(ledgerPath, join(folder, 'link.jsonl'))
  for (const path of ['audit.jsonl', 'link.jsonl', 'audit.jsonl.ledger/segments/x.jsonl', `../${basename(folder)}/audit.jsonl`])
    assert.throws(
      () => planSinks([{ type: 'jsonl', path: join(folder, path) }], [], { ...CONTEXT, ledgerPath }),
      /another file than those of the ledger/,
    )
  assert.throws(
    () => planSinks([{ type: 'sqlite', path: ledgerPath }], [], { ...CONTEXT, ledgerPath }),
    /another file than those of the ledger/,
  )
  assert.equal(planSinks([{ type: 'jsonl', path: join(folder, 'audit.jsonl.copy') }], [], { ...CONTEXT, ledgerPath }).length, 1)
})

test('a fault says of which sink it is', () => {
  const good = { type: 'webhook', url: 'https://hook.example/' }
  const planned = (bad: object) => () => planSinks([good, { type: 'webhook', name: 'second', ...bad }], [], CONTEXT)
  assert.throws(planned({ url: 'https://me:pw-of-mine@hook.example/' }), {
    code: 'CONFIG_INVALID',
    message: 'a URL without a user was expected (at url of sink second)',
  })
  assert.throws(
    planned({ url: 'https://hook.example/', where: 'no_such == 1' }),
    (e) => SwornError.is(e, 'FILTER_INVALID') && e.at.endsWith(' of sink second'),
  )
})

test('a secret file that others can read is refused', () => {
  const path = secretFile()
  chmodSync(path, 0o644)
  assert.throws(
    () => planSinks([{ type: 'webhook', url: 'https://hook.example/', secret_file: path }], [], CONTEXT),
    /only its owner can read/,
  )
})

const halves: [string, object, string][] = [
  ['s3', { bucket: 'audit-1', region: 'eu-central-1', access_key_id: 'AKIDEXAMPLE' }, 'access_key_id and secret_access_key'],
  ['cloudwatch', { group: '/a', region: 'eu-central-1', secret_access_key: 's3cret-s3cret' }, 'access_key_id and secret_access_key'],
  ['kafka', { brokers: 'b:9092', password: 's3cret-s3cret' }, 'username and password'],
  ['kafka', { brokers: 'b:9092', tls: false, mechanism: 'PLAIN', username: 'u', password: 's3cret-s3cret' }, 'tls'],
]
for (const [type, options, message] of halves) {
  test(`${type}: without ${message} it is refused, and no secret is repeated`, () => {
    assert.throws(
      () => planSinks([{ type, ...options }], [], CONTEXT),
      (e) =>
        SwornError.is(e, 'CONFIG_INVALID') && e.message.includes(message) && !e.message.includes('s3cret') && !e.message.includes('AKID'),
    )
  })
}

test('a sink of objects waits two seconds for more lines where nothing else is said', () => {
  const waits = (batch?: object) =>
    planSinks([{ type: 's3', bucket: 'audit-1', region: 'eu-central-1', ...(batch && { batch }) }], [], CONTEXT)[0]!.batch.lingerMs
  assert.deepEqual([waits(), waits({ wait_ms: 60_000 })], [2000, 60_000])
})

test('a name to redact is that of a member of the event too, of what is inside it, and of nothing else', async () => {
  const [plan] = planSinks([{ type: 'jsonl', path: '/x.jsonl', redact: ['arguments', 'user', 'iban'] }], [], CONTEXT)
  const event = {
    ...{ event_type: 'tool_call_end', tool: 'kept', user: 'hidden-1', arguments: { a: ['hidden-2'], n: 5 }, seq: 3 },
    ...{ metadata: { iban: 'hidden-3', note: 'kept' }, entry_hash: 'e'.repeat(64) },
  }
  const line = { seq: 3, entryHash: event.entry_hash, bytes: Buffer.from(JSON.stringify(event)) }
  const { body = '' } = (await createShape({ ...plan!.shape, origin: 'o', version: '0' })(line)) ?? {}
  const { tool, metadata, arguments: masked } = JSON.parse(body)
  assert.deepEqual([body.includes('hidden'), tool, metadata.note, Object.keys(masked)], [false, 'kept', 'kept', ['a', 'n']])
})

const BUCKET = { type: 's3', bucket: 'audit-1', region: 'eu-central-1', objects: 'segments' }
for (const more of [{ where: 'tool == "x"' }, { dialect: 'ecs' }, { redact: ['tool'] }, { records: 'events' }]) {
  test(`whole segments are not offered with ${Object.keys(more).join()}`, () => {
    const plan = () => planSinks([{ ...BUCKET, ...more }], [], CONTEXT)
    assert.throws(plan, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.message.startsWith('no where, dialect'))
  })
}

test('tables stand beside segments only, and without their package it is said what to install', async () => {
  const other = () => planSinks([{ ...BUCKET, objects: 'batches', parquet: true }], [], CONTEXT)
  assert.throws(other, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.message.startsWith('objects: segments was expected'))
  const [plan] = planSinks([{ ...BUCKET, parquet: true }], [], CONTEXT)
  assert.deepEqual([plan!.segments, plan!.timeoutMs], ['closed', 600_000])
  await assert.rejects(plan!.open(undefined), (e) => SwornError.is(e, 'DRIVER_MISSING') && e.message.includes('@duckdb/node-api'))
})

test('a table takes no other dialect than its own', () => {
  const plan = () => planSinks([{ type: 'sqlite', path: '/x.db', dialect: 'ecs' }], [], CONTEXT)
  assert.throws(plan, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.message.startsWith('no dialect but aegis-rows was expected'))
})

test('sinks for people begin now and get alerts, unless another filter is given', () => {
  const slack = { type: 'slack', webhook_url: 'https://slack.example/services/x' }
  const [usual, other] = [slack, { ...slack, where: 'severity == "error"', start: 'beginning' }].map(
    (sink) => planSinks([sink], [], CONTEXT)[0]!,
  )
  assert.deepEqual([usual!.shape.where, usual!.start], ['event_type == "security_alert"', 'now'])
  assert.deepEqual([other!.shape.where, other!.start], ['severity == "error"', 'beginning'])
})

test('what a sink for people cannot mean is refused when the configuration is read, without its secrets', () => {
  const mail = { type: 'email', host: 'h', from: 'a@example.com', to: ['b@example.com'] }
  const refused: [object, RegExp][] = [
    [{ type: 'slack', webhook_url: 'not-a-url-hunter2' }, /an http or https URL was expected/],
    [{ type: 'slack' }, /the URL of a webhook was expected/],
    [{ type: 'slack', webhook_url: 'https://x.example/hunter2', dialect: 'ocsf' }, /no dialect was expected/],
    [{ type: 'slack', webhook_url: 'https://x.example/hunter2', body: '{{tool' }, /placeholders like \{\{tool\}\}/],
    [{ type: 'pagerduty' }, /a routing key was expected/],
    [{ ...mail, username: 'u' }, /a username and a password were expected/],
    [{ ...mail, username: 'u', password: 'hunter2', tls: 'none' }, /without TLS everybody could read it/],
    [{ ...mail, from: 'a@example.com\r\nBcc: c@example.com' }, /email/i],
    [{ ...mail, to: ['b@example.com, c@example.com'] }, /email/i],
    [{ ...mail, to: [] }, /to/],
  ]
  for (const [sink, message] of refused)
    assert.throws(
      () => planSinks([sink], [], CONTEXT),
      (e: Error) => message.test(e.message) && !e.message.includes('hunter2'),
      JSON.stringify(sink),
    )
})

test('a driver that is not installed is named with what installs it', async () => {
  await assert.rejects(
    loadDriver('@sworn/not-there', 'one two'),
    (e) => SwornError.is(e, 'DRIVER_MISSING') && e.message === 'npm install one two, next to sworn (at @sworn/not-there)',
  )
})
