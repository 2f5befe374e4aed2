/** What a policy says about its own signature, identity and server: read, checked, refused by place. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { parse } from 'yaml'
import { blockingGate } from '../src/index.ts'
import { explainPolicy, isSignatureFault, type LoadPolicyOptions, loadPolicy, parsePolicyKey, signPolicy } from '../src/policy/index.ts'
import { call, policyText, runs } from './support/make.ts'

const alice = generateKeyPairSync('ed25519')
const mallory = generateKeyPairSync('ed25519')
const load = (text: string, options: LoadPolicyOptions = {}) =>
  loadPolicy({ text, name: 'agent.yaml' }, { actsOn: ['identity', 'server'], ...options })

function signed(text: string, key: KeyObject): string {
  return text.replace('  name: test\n', `  name: test\n  signature: "${signPolicy(parse(text), key)}"\n`)
}

function refusal(text: string, options: LoadPolicyOptions = {}): SwornError {
  try {
    load(text, options)
  } catch (e) {
    assert.ok(SwornError.is(e, 'POLICY_INVALID'), String(e))
    return e
  }
  throw new assert.AssertionError({ message: 'the policy was accepted' })
}

describe('a policy may be signed, and a signature is always checked', () => {
  const text = policyText('allowed_tools: [read_file]\ntool_rules:\n- {tool: a, rate_limit: 3/m}')

  test('a policy signed by a trusted key loads in both profiles, with the hash that it has unsigned', () => {
    for (const profile of ['strict', 'aip-compat'] as const) {
      const policy = load(signed(text, alice.privateKey), {
        profile,
        signers: [mallory.publicKey, alice.publicKey],
        requireSignature: true,
      })
      assert.equal(policy.hash, load(text, { profile }).hash)
    }
  })

  test('comments, order and layout may change after signing', () => {
    const moved = signed(text, alice.privateKey).replace('spec:\n', 'spec: # reviewed\n').replaceAll('read_file', '"read_file"')
    assert.equal(load(moved, { signers: [alice.publicKey] }).name, 'test')
  })

  test('AW21: a foreign signature, a changed policy, a missing key and a missing signature are refused, at the signature', () => {
    const mine = signed(text, alice.privateKey)
    const cases: [string, LoadPolicyOptions, RegExp][] = [
      [signed(text, mallory.privateKey), { signers: [alice.publicKey] }, /none of the given keys/],
      [mine.replace('read_file', 'rm'), { signers: [alice.publicKey] }, /none of the given keys/],
      [mine.replace('ed25519:', 'ed448:'), { signers: [alice.publicKey] }, /none of the given keys/],
      [mine.replace(/ed25519:[^"]+/, ''), { signers: [alice.publicKey] }, /none of the given keys/],
      [mine, {}, /no key to check it with/],
      [text, { signers: [alice.publicKey], requireSignature: true }, /a signed policy was expected/],
    ]
    for (const [policy, options, message] of cases) {
      const error = refusal(policy, options)
      assert.match(error.message, message)
      assert.ok(isSignatureFault(error), error.at)
    }
    assert.ok(!isSignatureFault(refusal(policyText('mode: x'))))
  })

  test('no bit of a signature can be changed', () => {
    const good = signPolicy(parse(text), alice.privateKey)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length * 8 - 1 }), (bit) => {
        const bytes = Buffer.from(good, 'latin1')
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        const quoted = JSON.stringify(bytes.toString('latin1'))
        const changed = text.replace('  name: test\n', () => `  name: test\n  signature: ${quoted}\n`)
        assert.ok(refusal(changed, { signers: [alice.publicKey] }))
      }),
      runs,
    )
  })

  test('the gate of a policy whose signature does not hold answers -32010 to everything', async () => {
    const gate = blockingGate('policy_invalid', 'x', { signature: true })
    for (const verdict of [await gate.judge(call('read_file')), gate.judgeMethod('ping')]) {
      assert.equal(verdict.decision, 'deny')
      assert.partialDeepStrictEqual(verdict.rpcError, { code: -32010, message: 'Policy signature invalid' })
    }
  })

  test('only an Ed25519 public key is taken as a signer, and its text is not repeated', () => {
    const spki = alice.publicKey.export({ format: 'pem', type: 'spki' }).toString()
    assert.equal(parsePolicyKey(spki, 'policy.pub').asymmetricKeyType, 'ed25519')
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }).toString()
    const secret = alice.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    for (const wrong of [ec, secret, 'hunter2hunter2', ''])
      assert.throws(() => parsePolicyKey(wrong, 'policy.pub'), { message: 'an Ed25519 public key in PEM was expected (at policy.pub)' })
  })

  test('an unknown apiVersion is refused in both profiles', () => {
    for (const profile of ['strict', 'aip-compat'] as const)
      assert.match(refusal(text.replace('v1alpha1', 'v999'), { profile }).message, /aip.io\/v1alpha1 or/)
  })
})

describe('spec.identity and spec.server', () => {
  test('who does not act on a section does not load a policy that has it', () => {
    for (const section of ['identity', 'server']) {
      const text = policyText(`${section}: {enabled: false}`)
      assert.match(refusal(text, { actsOn: [] }).message, new RegExp(`${section} is set, but nothing here acts on it`))
      assert.ok(load(text))
    }
  })

  test('defaults are those of the specification', () => {
    const policy = load(policyText('identity: {enabled: true}\nserver: {enabled: true}'))
    assert.partialDeepStrictEqual(policy.identity, {
      tokenTtlMs: 300_000,
      rotationMs: 240_000,
      requireToken: false,
      binding: 'process',
      transitionGraceMs: 0,
      audience: 'test',
      clockSkewMs: 30_000,
      keys: { algorithm: 'ES256', source: 'generate', periodMs: 604_800_000 },
    })
    assert.partialDeepStrictEqual(policy.server, {
      host: '127.0.0.1',
      port: 9443,
      failoverMode: 'fail_closed',
      timeoutMs: 5000,
      endpoints: { validate: '/v1/validate', revoke: '/v1/revoke', jwks: '/v1/jwks', health: '/health', metrics: '/metrics' },
    })
  })

  test('the policy in words says what a token must be', () => {
    const lines = explainPolicy(load(policyText('identity: {enabled: true, require_token: true, session_binding: strict}')))
    assert.ok(lines.includes('identity: a token is required, once, within 300 s, bound by strict, for test'), lines.join('\n'))
  })

  test('the policy in words says that a local gate does not act on failover_mode, and who does', () => {
    const failoverOf = (server: string) => explainPolicy(load(policyText(server))).filter((line) => line.startsWith('failover'))
    assert.deepEqual(failoverOf('server: {failover_mode: local_policy}'), [], 'a server that is not enabled')
    const [line] = failoverOf('server: {enabled: true, failover_mode: local_policy}')
    assert.match(line ?? '', /local_policy, for a client .* within 5000 ms; a gate that judges here does not act on it/)
  })

  test('the default rotation fits below a shorter life', () => {
    assert.equal(load(policyText('identity: {enabled: true, token_ttl: 1m}')).identity?.rotationMs, 48_000)
    assert.equal(load(policyText('identity: {enabled: true, rotation_interval: 0s}')).identity?.rotationMs, 0)
  })

  const refused: [what: string, spec: string, at: RegExp, message: RegExp][] = [
    ['a life of more than an hour', 'identity: {token_ttl: 61m}', /identity\.token_ttl/, /1s to 1h/],
    ['a life of nothing', 'identity: {token_ttl: 0s}', /identity\.token_ttl/, /1s to 1h/],
    ['a duration without a unit', 'identity: {token_ttl: "300"}', /identity\.token_ttl/, /5m, 90s or 500ms/],
    ['rotation after the end', 'identity: {rotation_interval: 5m}', /rotation_interval/, /less than token_ttl/],
    ['a nonce window below the life', 'identity: {nonce_window: 4m}', /nonce_window/, /at least token_ttl/],
    ['a grace beyond the life', 'identity: {policy_transition_grace: 6m}', /policy_transition_grace/, /at most token_ttl/],
    ['an audience with a wildcard', 'identity: {audience: "https://*.example.com"}', /audience/, /without wildcards/],
    ['an audience that is no URI', 'identity: {audience: "my server"}', /audience/, /URI/],
    ['a storage of nonces elsewhere', 'identity: {nonce_storage: {type: redis}}', /nonce_storage\.type/, /memory was expected/],
    ['a shared secret', 'identity: {keys: {signing_algorithm: HS256}}', /signing_algorithm/, /ES256/],
    ['a key in a service', 'identity: {keys: {key_source: external}}', /key_source/, /generate or file/],
    ['a key file without a path', 'identity: {keys: {key_source: file}}', /identity\.keys/, /key_path goes with/],
    ['a misspelt member', 'identity: {token_tll: 5m}', /token_tll/, /did you mean "token_ttl"/],
    ['a listener for others without TLS', 'server: {listen: "0.0.0.0:9443"}', /server\.listen/, /tls is needed/],
    ['a listener without a host', 'server: {listen: ":9443"}', /server\.listen/, /tls is needed/],
    ['a port that is none', 'server: {listen: "localhost:70000"}', /server\.listen/, /65535/],
    ['two endpoints on one path', 'server: {endpoints: {validate: /a, health: /a}}', /endpoints/, /a path for each/],
    ['an endpoint that is no path', 'server: {endpoints: {health: status}}', /endpoints\.health/, /\/path/],
    ['failing open without bounds', 'server: {failover_mode: fail_open}', /fail_open/, /max_requests/],
    ['a webhook that is no web address', 'server: {fail_open_constraints: {alert_webhook: "file:///x"}}', /alert_webhook/, /https/],
  ]
  for (const [what, spec, at, message] of refused)
    test(`refused, with the place: ${what}`, () => {
      const error = refusal(policyText(spec))
      assert.match(error.at, at)
      assert.match(error.message, message)
    })

  test('failing open is bounded in strict; aip-compat takes it as it is', () => {
    const bounded = 'server: {failover_mode: fail_open, fail_open_constraints: {allowed_tools: [a], max_duration: 5m, max_requests: 9}}'
    assert.ok(load(policyText(bounded)))
    assert.ok(load(policyText('server: {failover_mode: fail_open}'), { profile: 'aip-compat' }))
  })
})
