/** Committed values: what stands in the line, what goes to the vault, and who can read it. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPageCache } from '../../../testkit/src/fault/page-cache.ts'
import { sharedTest } from '../../verify/test/support/vectors.ts'
import { shapeEvent } from '../src/event/shape.ts'
import { parseRequest } from '../src/handover/messages.ts'
import { keyedHash } from '../src/redact/keyed-hash.ts'
import { createRedactor, type RedactOptions } from '../src/redact/redactor.ts'
import { createDisclosure, digestOf, readDisclosure } from '../src/vault/disclosure.ts'
import { derive, seal, unseal } from '../src/vault/primitives.ts'
import { formatRow, openRow, parseRow, sealRow } from '../src/vault/row.ts'
import { createSubjectKeys, subjectIdOf } from '../src/vault/subject-keys.ts'
import { createVault, hashKey } from '../src/vault/vault.ts'
import { STAMP } from './support/events.ts'

const HOME = '/home'
const info = { logId: 'AAAAAAAAAAAAAAAAAAAAAA', origin: 'sworn.local/test', macKey: new Uint8Array(32).fill(7) }
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
const idOf = (subject: string) => subjectIdOf(info.macKey, subject)
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

sharedTest('a disclosure and its digest are those of RFC 9901 and of the golden logs', 'own', (read) => {
  const rfc = JSON.parse(read('sd-array-element.json').toString('utf8'))
  assert.equal(digestOf(rfc.disclosure), rfc.digest)
  assert.deepEqual(readDisclosure(rfc.disclosure), { value: 'US' })
  for (const file of ['expected-sha256.json', 'expected-sha3-256.json']) {
    for (const { disclosure, digest } of JSON.parse(read(file).toString('utf8')).disclosures) {
      const [salt, value] = JSON.parse(Buffer.from(disclosure, 'base64url').toString('utf8'))
      assert.equal(digestOf(createDisclosure(value, Buffer.from(salt, 'base64url'))), digest)
    }
  }
})

sharedTest('AES-GCM of the vault passes all Wycheproof cases of its sizes', 'wycheproof', (read) => {
  const { testGroups } = JSON.parse(read('aes_gcm_test.json').toString('utf8'))
  let cases = 0
  for (const { ivSize, keySize, tagSize, tests } of testGroups) {
    if (ivSize !== 96 || keySize !== 256 || tagSize !== 128) continue
    for (const c of tests) {
      const [key, iv, aad, msg] = [c.key, c.iv, c.aad, c.msg].map(fromHex) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
      const sealed = Buffer.from(c.ct + c.tag, 'hex')
      const plain = unseal(key, iv, sealed, aad)
      assert.equal(plain?.toString('hex'), c.result === 'valid' ? c.msg : undefined, `case ${c.tcId}`)
      if (c.result === 'valid') assert.deepEqual(seal(key, iv, msg, aad), sealed, `case ${c.tcId}`)
      cases++
    }
  }
  assert.ok(cases > 60, `${cases} cases`)
})

sharedTest('HKDF of the vault passes all Wycheproof cases', 'wycheproof', (read) => {
  const { testGroups } = JSON.parse(read('hkdf_sha256_test.json').toString('utf8'))
  let cases = 0
  for (const { tests } of testGroups) {
    for (const c of tests) {
      const run = () => derive(fromHex(c.ikm), { salt: fromHex(c.salt), info: fromHex(c.info), bytes: c.size })
      if (c.result === 'valid') assert.equal(Buffer.from(run()).toString('hex'), c.okm, `case ${c.tcId}`)
      else assert.throws(run, `case ${c.tcId}`)
      cases++
    }
  }
  assert.equal(cases, 86)
})

test('a row that another process brings is one in our own spelling, or the event is refused', () => {
  const row = formatRow(sealRow({ subject_id: 's', pointer: '/a', event_id: 'e' }, 'x', random(12), { key: random(32), origin: 'o' }))
  const event = { json: '{"event_type":"x"}', eventId: '0190b0a0-0000-7000-8000-000000000000', eventType: 'x', level: 'sync' }
  const items = (vault: unknown) => {
    const request = parseRequest({ kind: 'submit', id: 1, items: [{ ...event, vault }] }, 'p')
    return request?.kind === 'submit' ? request.items : undefined
  }
  assert.deepEqual(items([row])?.[0]?.vault, [row])
  const wrong = [
    row,
    [1],
    [`${row}\n${row}`],
    [row.replace(',', ',\n')],
    [row.replace('{', '{"digest":"",')],
    Array(65).fill(row),
    ['{}'],
    {},
    null,
  ]
  for (const vault of wrong) assert.deepEqual(items(vault), [undefined], JSON.stringify(vault))
})

test('a row opens under its key alone, and not with any byte of it or of its place changed', () => {
  const key = random(32)
  const options = { key, origin: info.origin }
  const place = { subject_id: 'hmac-sha256:00', pointer: '/arguments/email', event_id: 'e-1' }
  const disclosure = createDisclosure('alice@example.com', random(16))
  const row = sealRow(place, disclosure, random(12), options)
  assert.equal(openRow(row, options), disclosure)
  assert.deepEqual(parseRow(formatRow(row)), row)
  assert.equal(openRow(row, { ...options, key: random(32) }), undefined)
  assert.equal(openRow(row, { ...options, origin: 'another' }), undefined)
  for (const change of [{ pointer: '/x' }, { event_id: 'e-2' }, { digest: digestOf('x') }, { ct: `A${row.ct.slice(1)}B` }]) {
    assert.equal(openRow({ ...row, ...change }, options), undefined, Object.keys(change).join())
  }
})

test('what is no row of ours is none, whatever it holds', () => {
  const row = { digest: 'a'.repeat(43), subject_id: 's', pointer: '/a', event_id: 'e', iv: 'a'.repeat(16), ct: 'a'.repeat(30) }
  assert.ok(parseRow(JSON.stringify(row)))
  for (const text of [
    '',
    'null',
    '[]',
    '{',
    JSON.stringify({ ...row, more: 1 }),
    JSON.stringify({ ...row, iv: 3 }),
    JSON.stringify({ ...row, subject_id: '../../x' }),
  ]) {
    assert.equal(parseRow(text), undefined, text)
  }
  fc.assert(
    fc.property(fc.string(), (text) => parseRow(text) === undefined),
    { seed: 1, numRuns: 300 },
  )
})

/** As much of a recorded event as is looked at. */
interface Recorded {
  readonly event_id: string
  readonly user: object
  readonly ip_address: object
  readonly arguments: Readonly<Record<string, { readonly $sd?: string }>> & { readonly list: readonly unknown[] }
  readonly arguments_hash?: string
  readonly metadata: Readonly<Record<string, unknown>>
}

interface World {
  readonly ops: ReturnType<typeof createPageCache>
  redact(event: Record<string, unknown>, options?: RedactOptions): { event: Recorded; rows: string[] }
}

function createWorld(): World {
  const ops = createPageCache()
  return {
    ops,
    redact(event, options = {}) {
      const rows: string[] = []
      const vault = createVault({ home: HOME, info, ops, random })
      const json = createRedactor(options, info.macKey, vault).redact(shapeEvent({ event_type: 'data_access', ...event }, [], STAMP), rows)
      return { event: JSON.parse(json), rows }
    },
  }
}

const EMAIL = { paths: [{ path: 'arguments.email', action: 'commit' as const }] }

test('a committed value leaves a digest in the line and a row that its subject can open', () => {
  const world = createWorld()
  const { event, rows } = world.redact({ user: 'alice', arguments: { email: 'a@example.com', n: 1 } }, EMAIL)
  const { $sd } = event.arguments.email ?? {}
  assert.deepEqual(event.arguments, { email: { $sd }, n: 1 })
  const row = parseRow(rows[0] ?? '')
  assert.ok(row && rows.length === 1 && row.digest === $sd && row.pointer === '/arguments/email' && row.event_id === event.event_id)
  const keys = createSubjectKeys({ ops: world.ops, home: HOME, logId: info.logId, random })
  const key = keys.find(idOf('alice'), false)
  assert.ok(key)
  assert.deepEqual(readDisclosure(openRow(row, { key, origin: info.origin }) ?? ''), { value: 'a@example.com' })
  assert.equal(event.arguments_hash, keyedHash(hashKey(key), { email: 'a@example.com', n: 1 }), 'keyed by the subject')
  assert.notEqual(event.arguments_hash, keyedHash(info.macKey, { email: 'a@example.com', n: 1 }))
})

test('two commitments to one value have nothing in common', () => {
  const world = createWorld()
  const [one, two] = [1, 2].map(() => world.redact({ user: 'alice', arguments: { email: 'a@example.com' } }, EMAIL))
  assert.notEqual(one?.event.arguments.email?.$sd, two?.event.arguments.email?.$sd)
  assert.notEqual(parseRow(one?.rows[0] ?? '')?.iv, parseRow(two?.rows[0] ?? '')?.iv)
})

test('the subject is the member that the rule names; user and ip_address can be committed themselves', () => {
  const rules = [
    { path: 'arguments.iban', action: 'commit' as const, subject: 'arguments.customer.id' },
    { path: 'user', action: 'commit' as const },
    { path: 'ip_address', action: 'commit' as const },
  ]
  const { event, rows } = createWorld().redact(
    { user: 'clerk', ip_address: '10.0.0.1', arguments: { iban: 'DE00', customer: { id: 42 } } },
    { paths: rules },
  )
  assert.deepEqual(
    [event.user, event.ip_address, event.arguments.iban].map((value) => Object.keys(value ?? {}).join()),
    ['$sd', '$sd', '$sd'],
  )
  const subjects = rows.map((row) => [parseRow(row)?.pointer, parseRow(row)?.subject_id])
  assert.deepEqual(Object.fromEntries(subjects), {
    '/user': idOf('clerk'),
    '/ip_address': idOf('clerk'),
    '/arguments/iban': idOf('42'),
  })
})

test('values of two subjects in one member: no keyed hash, because none would die with both', () => {
  const paths = ['a', 'b'].map((name) => ({ path: `arguments.${name}.v`, action: 'commit' as const, subject: `arguments.${name}.id` }))
  const { event, rows } = createWorld().redact(
    { arguments: { a: { v: 1, id: 'x' }, b: { v: 2, id: 'y' } }, arguments_hash: `hmac-sha256:${'0'.repeat(64)}` },
    { paths },
  )
  assert.equal(rows.length, 2)
  assert.equal(event.arguments_hash, undefined)
  assert.equal(event.metadata.hash_omitted, true)
})

test('secrets enter no vault: what other rules mask is masked before it is committed', () => {
  const world = createWorld()
  const secret = `ghp_${'a1B2'.repeat(9)}`
  const paths = [{ path: 'arguments.form', action: 'commit' as const }]
  const { event, rows } = world.redact({ user: 'u', arguments: { form: { password: 'hunter2', text: `my ${secret}` } } }, { paths })
  const keys = createSubjectKeys({ ops: world.ops, home: HOME, logId: info.logId, random })
  const key = keys.find(idOf('u'), false)
  const plain = readDisclosure(openRow(parseRow(rows[0] ?? '')!, { key: key!, origin: info.origin })!)
  assert.deepEqual(plain, { value: { password: '[REDACTED:password]', text: 'my [REDACTED:github_token]' } })
  assert.deepEqual(Object.keys(event.arguments.form ?? {}), ['$sd'])
})

const masked: [string, Record<string, unknown>, RedactOptions][] = [
  ['no subject', { arguments: { email: 'x' } }, EMAIL],
  ['an empty subject', { user: '', arguments: { email: 'x' } }, EMAIL],
  [
    'a subject that is an object',
    { user: 'u', arguments: { email: 'x', who: {} } },
    { paths: [{ path: 'arguments.email', action: 'commit', subject: 'arguments.who' }] },
  ],
  ['a value beyond 64 KiB', { user: 'u', arguments: { email: 'x'.repeat(65_536) } }, EMAIL],
]
for (const [what, event, options] of masked) {
  test(`${what}: the value is masked, and the event says that it was not committed`, () => {
    const { event: out, rows } = createWorld().redact(event, options)
    assert.deepEqual([out.arguments.email, out.metadata.commit_omitted, rows], ['[REDACTED:commit]', true, []])
  })
}

test('without a vault, or with keys that cannot be written, a commit rule masks', () => {
  const shaped = shapeEvent({ event_type: 'x', user: 'u', arguments: { email: 'x' } }, [], STAMP)
  const full = { ...createPageCache(), open: () => assert.fail('ENOSPC'), mkdir: () => assert.fail('ENOSPC') }
  for (const vault of [undefined, createVault({ home: HOME, info, ops: full, random })]) {
    const rows: string[] = []
    assert.match(createRedactor(EMAIL, info.macKey, vault).redact(shaped, rows), /"email":"\[REDACTED:commit\]".*"commit_omitted":true/)
    assert.deepEqual(rows, [])
  }
  assert.equal(createVault({ home: HOME, info: { logId: 'x', origin: 'y' } }), undefined, 'a client that may not have the MAC key')
})

test('more values than an event may commit are masked, the first 64 are committed', () => {
  const list = Array.from({ length: 70 }, (_, n) => `v${n}`)
  const { event, rows } = createWorld().redact(
    { user: 'u', arguments: { list } },
    { paths: [{ path: 'arguments.list.*', action: 'commit' }] },
  )
  assert.equal(rows.length, 64)
  assert.equal(event.arguments.list.filter((value: unknown) => value === '[REDACTED:commit]').length, 6)
})

test('whatever is committed, nothing of it is in the line', () => {
  const word = fc.string({ minLength: 6, maxLength: 40 }).filter((text) => !/redacted|commit|[$"\\{}]/i.test(text))
  fc.assert(
    fc.property(word, fc.oneof(fc.constant('alice'), fc.string()), (value, user) => {
      const { event, rows } = createWorld().redact({ user, arguments: { email: `~${value}~` } }, EMAIL)
      const line = JSON.stringify(event)
      assert.ok(!line.includes(JSON.stringify(`~${value}~`).slice(1, -1)))
      assert.ok(rows.every((row) => !row.includes('~')))
    }),
    { seed: 20261121, numRuns: 60 },
  )
})

test("a caller's own $sd is never taken for a commitment", () => {
  const { event } = createWorld().redact({ user: 'u', arguments: { x: { $sd: 'A'.repeat(43) } } }, EMAIL)
  assert.deepEqual(event.arguments.x, { $$sd: 'A'.repeat(43) })
})

test('no name of a subject is a path, and no key file tells who the subjects are', () => {
  const ops = createPageCache()
  const keys = createSubjectKeys({ ops, home: HOME, logId: info.logId, random })
  for (const name of [
    '../../../etc/passwd',
    '/etc/passwd',
    '.',
    '..',
    'a/b',
    'C:\\x',
    'nul\0byte',
    'CON',
    '💥',
    'x'.repeat(1024),
    '\ud800',
  ]) {
    assert.ok(keys.find(idOf(name), true), name)
    keys.destroy(idOf(name))
  }
  const left = ops.paths().filter((path) => path !== '/' && path !== HOME)
  assert.deepEqual(
    left.filter((path) => !path.startsWith(`${HOME}/keys`)),
    [],
  )
  assert.deepEqual(
    left.filter((path) => path.includes('deks/')),
    [],
  )
  keys.find(idOf('alice@example.com'), true)
  assert.match(ops.paths().find((path) => path.includes('deks/')) ?? '', /\/deks\/[0-9a-f]{64}$/)
})

test('processes that make the key of one subject at the same time have one key', () => {
  const ops = createPageCache()
  const options = { home: HOME, logId: info.logId, random }
  const second = createSubjectKeys({ ...options, ops })
  let raced = false
  const racing = {
    ...ops,
    link(from: string, to: string) {
      if (!raced) {
        raced = true
        second.find(idOf('alice'), true) // wins between our draft and its link
      }
      ops.link(from, to)
    },
  }
  const first = createSubjectKeys({ ...options, ops: racing })
  const key = first.find(idOf('alice'), true)
  assert.ok(key && raced)
  assert.deepEqual(key, second.find(idOf('alice'), false))
  assert.deepEqual(
    ops.paths().filter((path) => path.endsWith('.new')),
    [],
  )
})

test('a destroyed key is not remembered, and a file that was overwritten is no key', () => {
  const ops = createPageCache()
  const options = { ops, home: HOME, logId: info.logId, random }
  const [here, there] = [createSubjectKeys(options), createSubjectKeys(options)]
  const id = idOf('alice')
  const key = here.find(id, true)
  there.destroy(id)
  assert.equal(here.find(id, false), undefined)
  assert.notDeepEqual(here.find(id, true), key, 'who comes back has another key')
  const path = ops.paths().find((name) => name.includes('deks/')) ?? ''
  const fd = ops.open(path, 'update')
  ops.writeAt(fd, random(60), 0)
  ops.close(fd)
  assert.equal(createSubjectKeys(options).find(id, true), undefined, 'never silently replaced')
})

test('a key of other bytes is another key, also when its file has the inode of the one that was destroyed', () => {
  const ops = createPageCache()
  const sameInode = { ...ops, stat: (path: string) => ((found) => found && { ...found, ino: 7n, dev: 7n })(ops.stat(path)) }
  const options = { ops: sameInode, home: HOME, logId: info.logId, random }
  const [here, there] = [createSubjectKeys(options), createSubjectKeys(options)]
  const id = idOf('alice')
  const before = here.find(id, true)
  there.destroy(id)
  const after = there.find(id, true)
  assert.notDeepEqual(after, before)
  assert.deepEqual(here.find(id, true), after)
})
