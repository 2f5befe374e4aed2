/** Configuration: what is read, what is refused and where, who may say what. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { findDirectories, findSuggestion, hashConfig, loadConfig, readTrusted, rememberTrusted } from '../src/config/index.ts'
import { AUDIT_KEYS } from '../src/config/keys.ts'
import { auditSchema, configJsonSchema, readConfig } from '../src/schemas.ts'

function refusal(text: string, env: Record<string, string> = {}): SwornError {
  try {
    readConfig(text, 'sworn.yaml', env)
  } catch (e) {
    assert.ok(SwornError.is(e, 'CONFIG_INVALID'), String(e))
    return e
  }
  throw new Error('nothing was refused')
}

describe('reading one file', () => {
  test('the keys of the founding documents are read as they stand', () => {
    const text =
      'audit:\n  enabled: true\n  log_path: /var/log/a.jsonl\n  log_level: warn\n  events: [tool_execution, errors]\n  redact: [password]\n  destinations: [file]\n  signing: true\n'
    assert.deepEqual(readConfig(text, 'f', {}), {
      enabled: true,
      log_path: '/var/log/a.jsonl',
      log_level: 'warn',
      events: ['tool_execution', 'errors'],
      redact: ['password'],
      destinations: ['file'],
      signing: true,
    })
  })

  const refused: [string, string, RegExp, string][] = [
    [
      'an unknown key, with the nearest known one',
      'audit:\n  retension_days: 3\n',
      /"retension_days", did you mean "retention_days"/,
      'sworn.yaml:2:3',
    ],
    [
      'sinks, because nothing here delivers',
      'audit:\n  sinks:\n    - type: webhook\n',
      /sinks are configured, but nothing here delivers/,
      'sworn.yaml:2:3',
    ],
    [
      'a retention shorter than what its framework asks for',
      'audit:\n  retention:\n    classes:\n      - { framework: eu-ai-act, days: 182 }\n',
      /fewer days than the framework asks for/,
      'sworn.yaml:4:9',
    ],
    [
      'a class of retention without a length',
      'audit:\n  retention:\n    classes:\n      - { risk: [high] }\n',
      /days or a framework was expected/,
      'sworn.yaml:4:9',
    ],
    [
      'a subject for what is not committed',
      'audit:\n  redact:\n    - { path: arguments.x, action: mask, subject: user }\n',
      /unknown option "subject"/,
      'sworn.yaml:3:42',
    ],
    ['a destination besides the file', 'audit:\n  destinations: [file, siem]\n', /nothing here delivers/, 'sworn.yaml:2:3'],
    [
      'a file destination that is not the ledger',
      'audit:\n  log_path: a.jsonl\n  destinations: [{type: file, path: b.jsonl}]\n',
      /nothing here delivers/,
      'sworn.yaml:3:3',
    ],
    ['a wrong type', 'audit:\n  enabled: 3\n', /boolean was expected/, 'sworn.yaml:2:3'],
    ['duplicate keys', 'audit:\n  enabled: true\n  enabled: false\n', /duplicate/, 'sworn.yaml:3:3'],
    ['an alias', 'audit: &a\n  enabled: true\nother: *a\n', /aliases/, 'sworn.yaml:3:8'],
    ['signing switched off', 'audit:\n  signing: false\n', /always signed/, 'sworn.yaml:2:3'],
    ['an unset variable', 'audit:\n  log_path: ${NOWHERE}\n', /NOWHERE is not set/, 'sworn.yaml:2:13'],
    ['a top-level key beside audit', 'adit: {}\n', /"adit", did you mean "audit"/, 'sworn.yaml:1:1'],
    ['broken YAML', 'audit: [\n', /malformed/, 'sworn.yaml:2:1'],
  ]
  for (const [what, text, message, at] of refused) {
    test(`refuses ${what}, with line and column`, () => {
      const e = refusal(text)
      assert.match(e.message, message)
      assert.equal(e.at.split(' ')[0], at)
    })
  }

  test('variables are resolved; an unquoted one may be a number, and none adds structure', () => {
    const text = 'audit:\n  log_path: "${DIR:-/tmp}/x"\n  rotate_bytes: ${SIZE}\n  user: ${WHO}\n'
    assert.deepEqual(readConfig(text, 'f', { SIZE: '2097152', WHO: 'a: [b]' }), {
      log_path: '/tmp/x',
      rotate_bytes: 2_097_152,
      user: 'a: [b]',
    })
  })

  test('an error never quotes a value', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{12,20}$/),
        (secret) => !refusal(`audit:\n  on_audit_failure: zz${secret}\n`).message.includes(secret),
      ),
      { seed: 7, numRuns: 50 },
    )
  })

  test('any text is either read or refused with CONFIG_INVALID', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          readConfig(text, 'f', {})
        } catch (e) {
          assert.ok(SwornError.is(e, 'CONFIG_INVALID'), String(e))
        }
      }),
      { seed: 11, numRuns: count({ fast: 100, ci: 500 }) },
    )
  })

  test('the JSON Schema names every key', () => {
    assert.match(JSON.stringify(configJsonSchema()), /on_audit_failure.*log_path|log_path.*on_audit_failure/)
  })
})

describe('what is in force', () => {
  const load = (files: Record<string, string>, more: Partial<Parameters<typeof loadConfig>[0]> = {}) =>
    loadConfig({ name: 'linux', env: {}, homeDirectory: '/h', cwd: '/p', readText: (path) => files[path], ...more })
  const user = '/h/.config/sworn/sworn.yaml'
  const managed = '/etc/sworn/sworn.yaml'
  const project = '/p/sworn.yaml'

  test('flag beats environment beats project beats user beats managed beats default', async () => {
    const files = {
      [managed]: 'audit: {user: m, log_level: error}',
      [user]: 'audit: {user: u, log_path: u}',
      [project]: 'audit: {user: p}',
    }
    const trusted = { [project]: hashConfig(files[project]!) }
    const config = await load(files, { trusted, env: { SWORN_LEDGER: 'e' }, flags: { user: 'f' } })
    assert.equal(config.values.user, 'f')
    assert.deepEqual(config.origins.user, { kind: 'flag', name: '--user' })
    assert.equal(config.values.log_path, '/p/e')
    assert.deepEqual(config.origins.log_level, { kind: 'managed', name: managed })
    assert.deepEqual(config.origins.on_audit_failure, { kind: 'default', name: 'default' })
    assert.equal((await load(files, { trusted })).values.user, 'p')
    assert.equal((await load(files, { trusted })).values.log_path, '/h/.config/sworn/u')
  })

  test('a path with NUL is refused with its place, in a file and given by the caller', async () => {
    for (const key of ['log_path', 'policy', 'signing_key'])
      await assert.rejects(
        load({ [user]: `audit:\n  ${key}: "a\\0b"\n` }),
        (e) =>
          SwornError.is(e, 'CONFIG_INVALID') &&
          e.message.startsWith('a path without NUL was expected') &&
          e.at === `${user}:2:3 audit.${key}`,
      )
    await assert.rejects(load({}, { flags: { log_path: 'a\0b' } }), (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === 'audit.log_path')
  })

  test('a segment has 1 MiB to 2 GiB', async () => {
    const of = (bytes: number) => load({ [user]: `audit: {rotate_bytes: ${bytes}}` })
    for (const bytes of [1_048_575, 2 ** 31 + 1]) await assert.rejects(of(bytes), (e) => SwornError.is(e, 'CONFIG_INVALID'))
    for (const bytes of [1_048_576, 2 ** 31]) assert.equal((await of(bytes)).values.rotate_bytes, bytes)
  })

  test('without any file the ledger is ./audit', async () => assert.equal((await load({})).values.log_path, '/p/audit'))

  const weakening: [string, string][] = [
    ['disable recording', 'enabled: false'],
    ['move the ledger', 'log_path: /tmp/elsewhere'],
    ['narrow what is recorded', 'events: [errors]'],
    ['raise the level', 'log_level: critical'],
    ['let actions go on unrecorded', 'on_audit_failure: continue'],
    ['replace a policy', 'policy: lax.yaml'],
    ['name another user', 'user: root'],
    ['take a network file system for a disk', 'shared_file_system: true'],
  ]
  for (const [what, line] of weakening) {
    test(`an untrusted project file may not ${what}; trusted, it may; changed since, it may not`, async () => {
      const text = `audit:\n  ${line}\n`
      const files = { [user]: 'audit: {policy: strict.yaml}', [project]: text }
      const key = line.split(':')[0]!
      const untrusted = await load(files)
      assert.deepEqual(
        untrusted.refusals.map((r) => r.key),
        [key],
      )
      assert.notEqual(untrusted.origins[key as 'user']?.kind, 'project')
      assert.equal((await load(files, { trusted: { [project]: hashConfig(text) } })).origins[key as 'user']?.kind, 'project')
      assert.equal((await load(files, { trusted: { [project]: hashConfig(`${text} `) } })).refusals.length, 1)
    })
  }

  test('an untrusted project file may add redaction and a first policy', async () => {
    const config = await load({ [user]: 'audit: {redact: [a]}', [project]: 'audit: {redact: [b], policy: agent.yaml}' })
    assert.deepEqual(config.values.redact, ['a', 'b'])
    assert.equal(config.values.policy, '/p/agent.yaml')
    assert.deepEqual(config.refusals, [])
  })

  test('locked keys stay, even against a trusted project file', async () => {
    const files = { [managed]: 'audit: {log_path: /var/a, lock: [log_path]}', [project]: 'audit: {log_path: /tmp/b}' }
    const config = await load(files, { trusted: { [project]: hashConfig(files[project]!) } })
    assert.equal(config.values.log_path, '/var/a')
    assert.match(config.refusals[0]!.reason, /locked/)
  })

  test('a named file must exist', async () => {
    await assert.rejects(load({}, { file: 'x.yaml' }), (e) => SwornError.is(e, 'CONFIG_INVALID'))
  })

  test('SWORN_RECORDER names a ledger or its socket, or switches recorder processes off; anything else is refused', async () => {
    const of = (SWORN_RECORDER: string, more: Record<string, string> = {}) => load({}, { env: { SWORN_RECORDER, ...more } })
    assert.equal((await load({})).recorder, 'by command')
    assert.deepEqual([(await of('off')).recorder, (await of('off')).values.log_path], ['own', '/p/audit'])
    for (const [named, ledger] of [
      ['/v/audit', '/v/audit'],
      ['/v/audit/log.sock', '/v/audit'],
      ['/v/a.jsonl.ledger/log.sock', '/v/a.jsonl'],
      ['here', '/p/here'],
    ] as const) {
      assert.deepEqual([(await of(named)).recorder, (await of(named)).values.log_path], ['process', ledger])
      assert.deepEqual((await of(named)).origins.log_path, { kind: 'environment', name: 'SWORN_RECORDER' })
    }
    for (const bad of ['http://127.0.0.1:7/', '/run/sworn/0af3.sock'])
      await assert.rejects(of(bad), (e) => SwornError.is(e, 'CONFIG_INVALID') && e.at === 'SWORN_RECORDER' && !e.message.includes('0af3'))
    await assert.rejects(of('/v/audit', { SWORN_LEDGER: '/other' }), (e) => SwornError.is(e, 'CONFIG_INVALID'))
  })

  test('there is no walk up the tree', async () => assert.equal((await load({ '/sworn.yaml': 'audit: {user: x}' })).values.user, undefined))
})

test('directories follow the platform, and SWORN_HOME wins', () => {
  const of = (name: NodeJS.Platform, env: Record<string, string> = {}) =>
    findDirectories({ name, env, homeDirectory: name === 'win32' ? 'C:\\u' : '/h' })
  assert.equal(of('linux').state, '/h/.local/state/sworn')
  assert.equal(of('linux', { XDG_STATE_HOME: '/x' }).state, '/x/sworn')
  assert.equal(of('linux', { XDG_STATE_HOME: 'relative' }).state, '/h/.local/state/sworn')
  assert.equal(of('darwin').config, '/h/Library/Application Support/sworn')
  assert.equal(of('win32', { APPDATA: 'C:\\r' }).config, 'C:\\r\\sworn')
  assert.equal(of('linux', { SWORN_HOME: '/s' }).config, '/s')
})

test('trust is remembered by path and hash, 0600, and can be forgotten', () => {
  const home = mkdtempSync(join(tmpdir(), 'sworn-trust-'))
  rememberTrusted(home, '/a', hashConfig('x'))
  rememberTrusted(home, '/b', hashConfig('y'))
  rememberTrusted(home, '/a', undefined)
  assert.deepEqual(readTrusted(home), { '/b': hashConfig('y') })
  assert.equal(statSync(join(home, 'trusted.json')).mode & 0o777, 0o600)
})

test('a suggestion is near or absent', () => {
  assert.equal(findSuggestion('verfiy', ['verify', 'query']), 'verify')
  assert.equal(findSuggestion('zzz', ['verify', 'query']), undefined)
})

test('the keys that are known without the schema are those of the schema', () =>
  assert.deepEqual(AUDIT_KEYS.toSorted(), Object.keys(auditSchema.shape).toSorted()))
