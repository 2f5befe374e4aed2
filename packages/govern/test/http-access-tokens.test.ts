/** POST /v1/validate for the subject of an access token: a JWT of an issuer that is trusted, here jose's own. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createClaimsCheck } from '../src/identity/index.ts'
import { createGate } from '../src/index.ts'
import { loadRoles } from '../src/roles/index.ts'
import { START_MS } from './support/identity.ts'
import { emptyDisk, policyOf } from './support/make.ts'
import { CALL, CLIENT, createPolicyServer, GUARDED } from './support/policy-server.ts'

const ROLES = `
roles:
  reader: {allowed_tools: [read_file], execution_mode: autonomous, allowed_paths: ['**'], budgets: unlimited}
  lister: {allowed_tools: [list], execution_mode: autonomous, allowed_paths: ['**'], budgets: unlimited}
auth: {provider: token, token: {role_claim: group}}
`

async function createIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] })
  const sign = (claims: object = {}, typ = 'JWT') =>
    new SignJWT({ iss: 'i', aud: 'a', sub: 'ada', exp: START_MS / 1000 + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ })
      .sign(privateKey)
  return { sign, check: createClaimsCheck({ keys, issuer: 'i', audience: 'a', now: () => START_MS }, 'at') }
}

describe('an access token at /v1/validate', () => {
  test('is answered, and its subject is the user of the record', async () => {
    const { sign, check } = await createIssuer()
    const server = createPolicyServer('allowed_tools: [read_file]', { check })
    const response = await server.validate(CALL, await sign())
    assert.partialDeepStrictEqual([response.status, await response.json()], [200, { decision: 'allow' }])
    assert.partialDeepStrictEqual(server.events.at(-1), { event_type: 'authorization_decision', user: 'ada', user_source: 'token' })
  })

  test('that does not count is of no known client; nothing of it is recorded', async () => {
    const [{ sign, check }, other] = [await createIssuer(), await createIssuer()]
    const server = createPolicyServer('allowed_tools: [read_file]', { check })
    const bad = [
      await other.sign(),
      await sign({ aud: 'x' }),
      await sign({ iss: 'x' }),
      await sign({ sub: undefined }),
      await sign({ exp: START_MS / 1000 - 60 }),
      await sign({}, 'aip+jwt'),
      `${await sign()}x`,
      'x'.repeat(9000),
    ]
    for (const token of bad) {
      assert.equal((await server.validate(CALL, token)).status, 401)
      assert.equal(JSON.stringify(server.events).includes(token), false)
    }
    assert.ok(server.events.every(({ event_type }) => event_type === 'auth_failure'))
    assert.equal((await server.validate(CALL, CLIENT.token)).status, 200, 'known clients stay known')
  })

  test('brings the role that it claims', async () => {
    const { sign, check } = await createIssuer()
    const policy = policyOf('allowed_tools: [read_file, list]')
    const gate = createGate({ policy, platform: emptyDisk, roles: { directory: loadRoles({ text: ROLES, name: 'roles.yaml' }) } })
    const server = createPolicyServer('', { policy, check, governing: () => ({ policy, gate }) })
    const decide = async (claims: object) => JSON.parse(await (await server.validate(CALL, await sign(claims))).text()).decision
    assert.deepEqual([await decide({ group: 'reader' }), await decide({ group: 'lister' }), await decide({})], ['allow', 'block', 'block'])
  })

  test('goes beside an identity token where the policy requires one: the one says who asks, the other which session', async () => {
    const { sign, check } = await createIssuer()
    const server = createPolicyServer(GUARDED, { check })
    const { text, id } = await (await server.session()).token()
    const access = { authorization: `Bearer ${await sign()}` }
    assert.equal((await server.post('/v1/validate', CALL, access)).status, 401)
    assert.equal((await server.post('/v1/validate', CALL, { ...access, 'aip-identity-token': text })).status, 200)
    assert.partialDeepStrictEqual(server.events.at(-1), { user: 'ada', token_id: id })
    assert.equal((await server.post('/v1/validate', CALL, { ...access, 'aip-identity-token': text })).status, 401, 'it counts once')
    assert.equal((await server.post('/v1/validate', CALL, { 'aip-identity-token': text })).status, 401, 'nobody asks')
  })

  test('opens nothing else: revoke is for administrators, metrics and the hash of the policy for those who are known here', async () => {
    const { sign, check } = await createIssuer()
    const server = createPolicyServer(GUARDED, { check, metrics: () => 'x 1' })
    const token = await sign()
    assert.equal((await server.revoke({ type: 'session', session_id: 'x' }, token)).status, 401)
    assert.equal((await server.get('/metrics', token)).status, 401)
    assert.equal((await (await server.get('/health', token)).text()).includes('policy_hash'), false)
  })
})
