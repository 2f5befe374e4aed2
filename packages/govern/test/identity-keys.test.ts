/** Signing keys: periods, publication, files that only their owner reads, processes that agree. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import { compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose'
import { createPeriodicKeys, memoryKeyStore, openKeyFile, openKeyStore } from '../src/identity/index.ts'
import { createMachine, FREE, identityPolicy, outcome, startProcess } from './support/identity.ts'

const DAY = 86_400_000
const MINUTE = 60_000
const rules = identityPolicy(FREE.replace('}', ', keys: {rotation_period: 1d}}')).identity!

async function withFolder(run: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'identity-keys-'))
  try {
    await run(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

describe('a key has a period', () => {
  test('it is published an hour before, signs during it, and counts until its last token has expired', async () => {
    let nowMs = 10 * DAY
    const ring = createPeriodicKeys(rules, memoryKeyStore(), () => nowMs)
    const first = ring.signing().kid
    const names = async () => (await ring.published()).map(({ kid }) => kid)
    assert.deepEqual(await names(), [first])
    nowMs = 11 * DAY - 60 * MINUTE
    assert.equal(ring.signing().kid, first)
    const [, second] = await names()
    assert.ok(second)
    nowMs = 11 * DAY
    assert.equal(ring.signing().kid, second)
    nowMs = 11 * DAY + 5 * MINUTE + 30_000 - 1
    assert.ok(ring.verifying(first))
    assert.deepEqual(await names(), [first, second])
    nowMs += 1
    assert.equal(ring.verifying(first), undefined)
    assert.deepEqual(await names(), [second])
  })

  test('tokens from before a change of keys count after it', async () => {
    const machine = createMachine()
    const policy = identityPolicy(FREE.replace('}', ', keys: {rotation_period: 10m}}'))
    const identity = startProcess(machine, { policy })
    const session = await identity.openSession()
    machine.nowMs = Math.ceil(machine.nowMs / (10 * MINUTE)) * 10 * MINUTE + 9 * MINUTE
    const old = await session.token()
    machine.nowMs += 2 * MINUTE
    const fresh = await session.token({ fresh: true })
    assert.notEqual(old.text.split('.')[0], fresh.text.split('.')[0])
    assert.deepEqual([await outcome(identity, old), await outcome(identity, fresh)], ['ok', 'ok'])
  })

  test('a reload may bring other keys, and running sessions sign with them', async () => {
    const machine = createMachine()
    const identity = startProcess(machine)
    const session = await identity.openSession()
    const next = identityPolicy(FREE.replace('}', ', policy_transition_grace: 1m, keys: {signing_algorithm: EdDSA}}'))
    identity.follow(
      next,
      createPeriodicKeys(next.identity!, machine.store, () => machine.nowMs),
    )
    const { text } = await session.token()
    assert.equal(decodeProtectedHeader(text).alg, 'EdDSA')
    assert.equal(await outcome(identity, text), 'ok')
  })

  test('what is published verifies tokens with a stock JWT library, and holds no private member', async () => {
    for (const algorithm of ['ES256', 'ES384', 'EdDSA', 'RS256']) {
      const identity = startProcess(createMachine(), {
        policy: identityPolicy(FREE.replace('}', `, keys: {signing_algorithm: ${algorithm}}}`)),
      })
      const { text } = await (await identity.openSession()).token()
      const keys = await identity.published()
      const { protectedHeader } = await compactVerify(
        text,
        createLocalJWKSet({ keys: keys.map((key) => ({ ...key, kty: String(key.kty) })) }),
      )
      assert.equal(protectedHeader.alg, algorithm)
      for (const key of keys) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!(secret in key), secret)
    }
  })
})

describe('keys in files', () => {
  test('are 0600 in a folder 0700, shared by processes, and found again after a restart', () =>
    withFolder(async (dir) => {
      const folder = join(dir, 'keys')
      const ring = () => createPeriodicKeys(rules, openKeyStore(folder, join(dir, 'audit')), () => 10 * DAY)
      const [a, b] = [ring(), ring()]
      const pem = (key: { privateKey: { export(o: object): unknown } }) => key.privateKey.export({ format: 'pem', type: 'pkcs8' })
      assert.equal(pem(a.signing()), pem(b.signing()))
      assert.equal(pem(ring().signing()), pem(a.signing()))
      assert.equal(statSync(folder).mode & 0o777, 0o700)
      assert.deepEqual(
        readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]),
        [[`${a.signing().kid}.pem`, 0o600]],
      )
    }))

  test('of two processes that make the same key at once one wins, and both use it', () =>
    withFolder((dir) => {
      const [a, b] = [openKeyStore(join(dir, 'keys'), join(dir, 'audit')), openKeyStore(join(dir, 'keys'), join(dir, 'audit'))]
      const make = () => generateKeyPairSync('ed25519').privateKey
      let theirs: ReturnType<typeof make> | undefined
      const mine = a.create('k', () => {
        theirs = b.create('k', make)
        return make()
      })
      assert.ok(theirs && mine.equals(theirs))
      assert.deepEqual(readdirSync(join(dir, 'keys')), ['k.pem'])
    }))

  test('that are over are removed', () =>
    withFolder(async (dir) => {
      let nowMs = 10 * DAY
      const ring = createPeriodicKeys(rules, openKeyStore(join(dir, 'keys'), join(dir, 'audit')), () => nowMs)
      const { kid } = ring.signing()
      nowMs += 2 * DAY
      assert.ok(!(await ring.published()).some((key) => key.kid === kid))
      assert.ok(!readdirSync(join(dir, 'keys')).includes(`${kid}.pem`))
    }))

  test('that others can read, that are broken, of another algorithm, or in the ledger are refused without a word of theirs', () =>
    withFolder(async (dir) => {
      const file = join(dir, 'signing.pem')
      const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      const refused = (expected: RegExp, algorithm: 'EdDSA' | 'ES256' = 'EdDSA', ledger = join(dir, 'audit')) =>
        assert.rejects(openKeyFile(file, algorithm, ledger), (e) => {
          assert.ok(SwornError.is(e) && expected.test(e.message), String(e))
          assert.ok(!e.message.includes(pem.split('\n')[1]!) && e.at === file)
          return true
        })
      await refused(/does not exist/)
      writeFileSync(file, pem, { mode: 0o600 })
      await refused(/a key for ES256 was expected/, 'ES256')
      await refused(/outside the ledger/, 'EdDSA', dir)
      assert.throws(() => openKeyStore(join(dir, 'keys'), dir), /outside the ledger/)
      assert.ok((await openKeyFile(file, 'EdDSA', join(dir, 'audit'))).signing().kid)
      chmodSync(file, 0o640)
      await refused(/0600/)
      chmodSync(file, 0o600)
      writeFileSync(file, pem.slice(0, -40))
      await refused(/a private key in PEM/)
    }))

  test('a name from a token never leads out of the folder', () =>
    withFolder((dir) => {
      const ring = createPeriodicKeys(rules, openKeyStore(join(dir, 'keys'), join(dir, 'audit')), () => 10 * DAY)
      writeFileSync(join(dir, 'outside.pem'), generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }), {
        mode: 0o600,
      })
      for (const kid of ['../outside', '../outside-0-99999999999', 'EdDSA-0-99999999999/../../outside', '', '\0'])
        assert.equal(ring.verifying(kid), undefined)
    }))
})
