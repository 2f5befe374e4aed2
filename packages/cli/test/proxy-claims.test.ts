/** Roles by the claims of access tokens, `sworn proxy --listen --jwt-keys`: a real issuer's tokens, real processes. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { later } from '../../../testkit/src/suite.ts'
import { demoServer, INITIALIZE } from './support/client.ts'
import { sworn, temporary } from './support/io.ts'
import { type Place, runProcess, startProcess } from './support/process.ts'

const LIMIT = { timeout: 120_000 }
const LATER = { ...LIMIT, skip: later }
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: demo}\nspec: {allowed_tools: [read_text_file, list_directory]}\n'
const ROLES = `roles:
  reader: {allowed_tools: [read_text_file], execution_mode: autonomous, allowed_paths: ['**'], budgets: {calls: {user: 3}}}
  lister: {allowed_tools: [list_directory], execution_mode: autonomous, allowed_paths: ['**'], budgets: unlimited}
auth: {provider: token, token: {role_claim: groups_role}}
`
const ISSUER = 'https://issuer.example.com'

async function createPlace(): Promise<{
  place: Place
  flags: readonly string[]
  tokenOf(claims: object, change?: { aud?: string; iss?: string; exp?: string }): Promise<string>
}> {
  const place = { cwd: temporary(), home: temporary() }
  mkdirSync(join(place.cwd, 'files'))
  writeFileSync(join(place.cwd, 'files', 'a.txt'), 'content of a')
  writeFileSync(join(place.cwd, 'agent.yaml'), POLICY)
  writeFileSync(join(place.cwd, 'roles.yaml'), ROLES)
  writeFileSync(join(place.cwd, 'sworn.yaml'), 'audit: {policy: agent.yaml, roles: roles.yaml}\n')
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  writeFileSync(join(place.cwd, 'jwks.json'), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }))
  writeFileSync(join(place.cwd, 'private.json'), JSON.stringify({ keys: [await exportJWK(privateKey)] }))
  return {
    place,
    flags: ['--jwt-keys', 'jwks.json', '--jwt-issuer', ISSUER, '--jwt-audience', 'sworn'],
    tokenOf: (claims, { aud = 'sworn', iss = ISSUER, exp = '5m' } = {}) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(iss)
        .setAudience(aud)
        .setExpirationTime(exp)
        .sign(privateKey),
  }
}

/** A proxy over HTTP, and a client of the 2025 era that says who it is with each request. */
async function open(place: Place, flags: readonly string[]) {
  const started = startProcess(['proxy', '--listen', '127.0.0.1:0', ...flags, '--', ...demoServer(place)], place)
  let said = ''
  started.process.stderr.on('data', (chunk: string) => {
    said += chunk
  })
  await started.until('listening on http')
  const url = /listening on (http\S+)/.exec(said)?.[1] ?? ''
  let id = 0
  const post = async (method: string, params: object, token: string, session = '') => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(session !== '' && { 'mcp-session-id': session }),
    }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }) })
    return { status: response.status, text: await response.text(), session: response.headers.get('mcp-session-id') ?? '' }
  }
  return {
    begin: (token: string) => post('initialize', INITIALIZE, token),
    read: (token: string, session: string) => post('tools/call', { name: 'read_text_file', arguments: { path: 'a.txt' } }, token, session),
    list: (token: string, session: string) => post('tools/call', { name: 'list_directory', arguments: { path: '.' } }, token, session),
    async end() {
      started.process.kill('SIGTERM')
      assert.equal(await started.code, 0, said)
    },
  }
}

test("the role is the newest token's, the budget the subject's, and the record says who", LIMIT, async () => {
  const { place, flags, tokenOf } = await createPlace()
  const proxy = await open(place, flags)
  const [reader, lister] = [
    await tokenOf({ sub: 'ada', groups_role: 'reader', org_unit: 'lab' }),
    await tokenOf({ sub: 'ada', groups_role: 'lister' }),
  ]
  const { session } = await proxy.begin(reader)
  assert.match((await proxy.read(reader, session)).text, /content of a/)
  assert.match((await proxy.list(reader, session)).text, /not allowed for this role/)
  assert.match((await proxy.list(lister, session)).text, /a\.txt/)
  assert.match((await proxy.read(lister, session)).text, /not allowed for this role/)
  assert.match((await proxy.read(reader, session)).text, /content of a/)
  assert.match((await proxy.read(reader, session)).text, /content of a/)
  assert.match((await proxy.read(reader, session)).text, /Budget exceeded/)
  const bob = await tokenOf({ sub: 'bob', groups_role: 'reader' })
  assert.equal((await proxy.read(bob, session)).status, 404) // the session is ada's
  const { session: own } = await proxy.begin(bob)
  assert.match((await proxy.read(bob, own)).text, /content of a/)
  for (const claims of [{ sub: 'eve' }, { sub: 'eve', groups_role: 'admin' }, { sub: 'eve', groups_role: ['reader'] }]) {
    const token = await tokenOf(claims)
    assert.match((await proxy.read(token, (await proxy.begin(token)).session)).text, /No known role/)
  }
  await proxy.end()
  const { out } = await sworn(['query', '--type', 'authorization_decision', '--format', 'jsonl', '--limit', '100'], place)
  const decisions = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    decisions.map(({ user, user_source, role, org_unit, reason_code }) => [user, user_source, role, org_unit, reason_code]).slice(0, 3),
    [
      ['ada', 'token', 'reader', 'lab', 'matched_allowed_tools'],
      ['ada', 'token', 'reader', 'lab', 'tool_not_allowed'],
      ['ada', 'token', 'lister', undefined, 'matched_allowed_tools'],
    ],
  )
  assert.deepEqual(
    decisions.slice(-3).map(({ user, reason_code }) => [user, reason_code]),
    Array(3).fill(['eve', 'role_unknown']),
  )
})

test('a token of another issuer, for others, that is over, unsigned or no JWT is nobody', LATER, async () => {
  const { place, flags, tokenOf } = await createPlace()
  const { tokenOf: forged } = await createPlace()
  const proxy = await open(place, flags)
  const claims = { sub: 'ada', groups_role: 'reader' }
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ ...claims, iss: ISSUER, aud: 'sworn', exp: 9e9 })).toString('base64url')}.`
  const bad = [
    await tokenOf(claims, { iss: 'https://other.example.com' }),
    await tokenOf(claims, { aud: 'others' }),
    await tokenOf(claims, { exp: '-1m' }),
    await tokenOf({ groups_role: 'reader' }),
    await forged(claims),
    none,
    'x',
  ]
  for (const token of bad) assert.equal((await proxy.begin(token)).status, 401)
  assert.equal((await proxy.begin(await tokenOf(claims))).status, 200)
  await proxy.end()
})

test(
  'without a token of an issuer nobody has a role by claim; flags that do not fit are refused before anything is opened',
  LIMIT,
  async () => {
    const { place, flags } = await createPlace()
    for (const [given, code] of [
      [flags.slice(0, 4), 2],
      [['--jwt-keys', 'private.json', ...flags.slice(2)], 2],
      [['--jwt-keys', 'agent.yaml', ...flags.slice(2)], 2],
      [['--jwt-keys', 'absent.json', ...flags.slice(2)], 3],
    ] as const)
      assert.equal(
        (await runProcess(['proxy', '--listen', '127.0.0.1:0', ...given, '--', ...demoServer(place)], place)).code,
        code,
        given.join(' '),
      )
    const proxy = await open(place, [])
    const { session } = await proxy.begin('anything at all')
    assert.match((await proxy.read('anything at all', session)).text, /No known role/)
    await proxy.end()
  },
)
