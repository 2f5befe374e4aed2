/** AW12: no answer of the policy server goes out before it is recorded, and nothing of a secret is in any. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '@sworn/recorder'
import { eventSchema } from '@sworn/recorder/schemas'
import fc from 'fast-check'
import { policyOf, runs } from './support/make.ts'
import { ADMIN, CALL, CLIENT, createPolicyServer, GUARDED, type PolicyServer } from './support/policy-server.ts'
import { roleGate } from './support/roles.ts'

const SESSION = '00000000-0000-4000-8000-000000000000'

/** A request of every kind, and the answer that it gets when everything works. */
const asked: readonly [what: string, status: number, send: (server: PolicyServer) => Promise<Response>][] = [
  ['a decision', 200, async (server) => server.validate(CALL, (await (await server.session()).token()).text)],
  ['a denial', 200, async (server) => server.validate({ tool: 'rm', arguments: {} }, (await (await server.session()).token()).text)],
  ['no token', 401, (server) => server.validate(CALL)],
  ['a bad token', 401, (server) => server.validate(CALL, 'x.y.z')],
  ['a bad body', 400, (server) => server.validate('x', 'x.y.z')],
  ['a page of a browser', 403, (server) => server.post('/v1/validate', CALL, { origin: 'https://example.com' })],
  ['a revocation of nothing', 404, (server) => server.revoke({ type: 'session', session_id: SESSION }, ADMIN.token)],
  ['a revocation by nobody', 401, (server) => server.revoke({ type: 'session', session_id: SESSION }, CLIENT.token)],
  ['keys', 200, (server) => server.get('/v1/jwks')],
  ['health', 200, (server) => server.get('/health')],
  ['metrics', 200, (server) => server.get('/metrics', CLIENT.token)],
  ['another verb', 405, (server) => server.get('/v1/validate')],
]

function withRecord(record: (event: AuditEvent) => Promise<unknown>): PolicyServer {
  return createPolicyServer(GUARDED, { record, metrics: () => '' })
}

describe('every answer is recorded before it goes out', () => {
  for (const [what, status, send] of asked) {
    test(what, async () => {
      const recorded: AuditEvent[] = []
      const server = withRecord(async (event) => {
        await new Promise(setImmediate) // the disk takes its time
        recorded.push(event)
      })
      const before = recorded.length
      const response = await send(server)
      assert.equal(response.status, status)
      assert.ok(recorded.length > before)
      for (const event of recorded) eventSchema.parse(event)
    })

    test(`${what}: 503 and nothing else when it cannot be recorded`, async () => {
      let full = false
      const server = withRecord(async (event) => {
        if (full && !event.event_type.startsWith('identity_token_issued')) throw new Error('disk full')
      })
      full = true
      const response = await send(server)
      assert.equal(response.status, 503)
      assert.partialDeepStrictEqual(await response.json(), { error: 'audit_unavailable' })
    })
  }
})

const word = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('session', 'token', 'read_file', 'rm', '__proto__'))
const anyBody = fc.oneof(
  fc
    .record({ tool: word, arguments: fc.dictionary(word, fc.jsonValue()), token: word }, { requiredKeys: [] })
    .map((body) => JSON.stringify(body)),
  fc
    .record({ type: word, session_id: fc.uuid(), token_nonce: word, reason: word }, { requiredKeys: [] })
    .map((body) => JSON.stringify(body)),
  fc.json(),
  fc.string({ unit: 'binary' }),
)
const anyRequest = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.constantFrom(
    '/v1/validate',
    '/v1/revoke',
    '/v1/jwks',
    '/health',
    '/metrics',
    '/v1/validate?token=x',
    '/v1/validate/',
    '//health',
  ),
  scheme: fc.constantFrom('Bearer ', 'bearer ', 'Basic ', ''),
  credential: fc.constantFrom('good', 'spent', 'client', 'admin', 'forged'),
  type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', ''),
  body: anyBody,
})

test('whatever is asked: an answer of the table, recorded, and no token or nonce in answers or records', async () => {
  const server = createPolicyServer(GUARDED, { metrics: () => '' })
  const session = await server.session()
  const spent = await session.token({ fresh: true })
  await server.validate(CALL, spent.text)
  const statuses = new Set([200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 503])
  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ method, path, scheme, credential, type, body }) => {
      const good = await session.token({ fresh: true })
      const forged = `${good.text.slice(0, -4)}AAAA`
      const token = { good: good.text, spent: spent.text, client: CLIENT.token, admin: ADMIN.token, forged }[credential]
      const headers = { authorization: `${scheme}${token}`, ...(type && { 'content-type': type }) }
      const before = server.events.length
      const response = await server.fetch(new Request(`http://127.0.0.1${path}`, { method, headers, ...(method !== 'GET' && { body }) }))
      const text = await response.text()
      assert.ok(statuses.has(response.status), String(response.status))
      const ours = !['/v1/validate/', '//health'].includes(path)
      const records = server.events.slice(before)
      assert.equal(records.length > 0, ours, path)
      const told = text + JSON.stringify([...response.headers]) + JSON.stringify(records)
      for (const secret of [token, good.claims.nonce, spent.claims.nonce, ...good.text.split('.'), CLIENT.token, ADMIN.token]) {
        const planted = body.includes(secret)
        assert.ok(planted || !told.includes(secret), 'a secret was told')
      }
      for (const event of records) eventSchema.parse(event)
    }),
    { ...runs, numRuns: runs.numRuns * 2 },
  )
})

test('a decision says what it spends: an allowed call and one that the caller asks about are counted, a refused one gives back', async () => {
  const spec =
    'allowed_tools: [read_file, write_file]\ndlp: {scan_requests: true, on_request_match: block, patterns: [{name: word, regex: secret}]}'
  const policy = policyOf(spec)
  const roles = `
roles: {worker: {allowed_tools: [all], human_approval: {auto_approve: [read_file]}, allowed_paths: ['**'], budgets: {calls: {day: 5}}}}
default: {role: worker}`
  const server = createPolicyServer(spec, { policy, governing: () => ({ policy, gate: roleGate(roles, { policy }) }) })
  const send = (tool: string, content: string) => server.validate({ tool, arguments: { content } }, CLIENT.token)
  for (const [tool, content] of [
    ['read_file', 'a'],
    ['write_file', 'a'],
    ['read_file', 'secret'],
  ] as const)
    assert.equal((await send(tool, content)).status, 200)
  const decisions = server.events.filter(({ event_type }) => /^(authorization_decision|approval_requested)$/.test(event_type))
  assert.deepEqual(
    decisions.map(({ event_type, metadata }) => [
      event_type,
      ...Object.keys(metadata ?? {}).filter((key) => /^(spent|returned)$/.test(key)),
    ]),
    [
      ['authorization_decision', 'spent'],
      ['approval_requested', 'spent'],
      ['authorization_decision', 'returned'],
    ],
  )
})
