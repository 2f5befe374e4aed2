/** Access tokens of an issuer: what counts, and that nothing about the check throws or quotes. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createClaimsCheck } from '../src/identity/index.ts'
import { START_MS } from './support/identity.ts'

const NOW_S = START_MS / 1000

async function createIssuer(algorithm = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] })
  const sign = (claims: object, typ = 'JWT') =>
    new SignJWT({ iss: 'i', aud: 'a', sub: 's', exp: NOW_S + 60, ...claims }).setProtectedHeader({ alg: algorithm, typ }).sign(privateKey)
  const check = createClaimsCheck({ keys, issuer: 'i', audience: 'a', now: () => START_MS }, 'at')
  return { keys, sign, check, privateKey }
}

describe('an access token', () => {
  test('counts with its claims for each kind of key', async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256']) {
      const { sign, check } = await createIssuer(algorithm)
      assert.partialDeepStrictEqual(await check(await sign({ role: 'reader' })), { sub: 's', role: 'reader' })
    }
  })

  test('of another issuer or audience, without subject or end, over, not yet, or an identity token does not', async () => {
    const { sign, check } = await createIssuer()
    const past = { exp: NOW_S - 31 }
    const bad = [{ iss: 'x' }, { aud: 'x' }, { aud: [] }, { sub: undefined }, { sub: 7 }, { exp: undefined }, past, { nbf: NOW_S + 31 }]
    for (const claims of bad) assert.equal(await check(await sign(claims)), undefined, JSON.stringify(claims))
    assert.equal(await check(await sign({}, 'aip+jwt')), undefined)
    assert.ok(await check(await sign({ exp: NOW_S - 29, aud: ['b', 'a'] })))
  })

  test('that was changed anywhere does not', async () => {
    const { sign, check } = await createIssuer()
    const token = await sign({})
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'Aa0-_.'), async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        const found = await check(changed)
        // the last character of base64url may hold bits that mean nothing
        assert.ok(found === undefined || changed === token || at === token.length - 1)
      }),
      { numRuns: 60 },
    )
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 400 }), async (text) => assert.equal(await check(text), undefined)),
      { numRuns: 60 },
    )
  })
})

test('a set of keys that is none, holds a private key or a shared secret is refused, and not quoted', async () => {
  const { privateKey } = await createIssuer()
  const secret = await exportJWK(privateKey)
  for (const keys of ['', '{}', '{"keys":[]}', JSON.stringify({ keys: [secret] }), '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'])
    assert.throws(
      () => createClaimsCheck({ keys, issuer: 'i', audience: 'a' }, '--jwt-keys'),
      (e) => SwornError.is(e, 'KEY_INVALID') && e.at === '--jwt-keys' && !e.message.includes(String(secret.d)) && e.cause === undefined,
    )
})
