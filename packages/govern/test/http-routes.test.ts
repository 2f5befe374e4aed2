/** The policy server's endpoints in `strict`: who may ask, what is told, what is bounded. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compactVerify, createLocalJWKSet } from 'jose'
import { createPolicyRoutes } from '../src/http/index.ts'
import { blockingGate } from '../src/index.ts'
import { identityPolicy } from './support/identity.ts'
import { ADMIN, CALL, CLIENT, createPolicyServer, GUARDED } from './support/policy-server.ts'

const OPEN = 'allowed_tools: [read_file]'

async function told(response: Response): Promise<Record<string, unknown> & { status: number }> {
  return { ...JSON.parse(await response.text()), status: response.status }
}

describe('POST /v1/validate', () => {
  test('AW12: judges a call for the holder of an identity token, once, and records the decision', async () => {
    const server = createPolicyServer()
    const session = await server.session()
    const { text, id } = await session.token()
    assert.deepEqual(await told(await server.validate(CALL, text)), {
      status: 200,
      decision: 'allow',
      reason: 'Tool is in allowed_tools list',
      violations: [],
      token_status: { valid: true, expires_in: 300 },
    })
    assert.partialDeepStrictEqual(server.events.at(-1), {
      event_type: 'authorization_decision',
      decision: 'allow',
      tool: 'read_file',
      arguments: CALL.arguments,
      reason_code: 'matched_allowed_tools',
      policy_name: 'test',
      token_id: id,
      session_id: session.id,
      agent_id: 'test',
      metadata: { endpoint: 'validate', http_method: 'POST', http_status: 200 },
    })
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, text)), {
      status: 401,
      error: 'token_invalid',
      token_error: 'replay_detected',
      code: -32009,
    })
    assert.partialDeepStrictEqual(server.events.at(-1), {
      event_type: 'identity_token_rejected',
      token_id: id,
      reason_code: 'identity_invalid',
    })
  })

  test('tells each fault of a token by its code', async () => {
    const server = createPolicyServer()
    const session = await server.session()
    const [expired, revoked, foreign] = [await session.token({ fresh: true }), await session.token({ fresh: true }), 'x.y.z']
    await server.revoke({ type: 'token', token_nonce: revoked.claims.nonce }, ADMIN.token)
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, revoked.text)), {
      status: 401,
      error: 'token_revoked',
      code: -32011,
    })
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, foreign)), { status: 401, token_error: 'malformed', code: -32009 })
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, CLIENT.token)), {
      status: 401,
      error: 'token_required',
      code: -32008,
    })
    server.machine.nowMs += 300_000
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, expired.text)), { status: 401, token_error: 'token_expired' })
  })

  test('a reload holds for the next request: the old token is for another policy', async () => {
    const server = createPolicyServer()
    const { text } = await (await server.session()).token()
    server.follow(identityPolicy(GUARDED.replace('read_file', 'write_file')))
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, text)), { status: 401, token_error: 'policy_changed' })
  })

  test('a token is asked for in monitor mode too', async () => {
    const server = createPolicyServer(`mode: monitor\n${GUARDED}`)
    assert.equal((await server.validate(CALL, 'x.y.z')).status, 401)
  })

  test('takes credentials from the Authorization header only', async () => {
    const server = createPolicyServer()
    const session = await server.session()
    const fresh = async () => (await session.token({ fresh: true })).text
    const json = { 'content-type': 'application/json' }
    const ask = (headers: Record<string, string>, body: object = CALL, path = '/v1/validate') =>
      server.post(path, body, { ...json, ...headers })
    assert.equal((await ask({})).status, 401)
    assert.equal((await ask({ cookie: `token=${await fresh()}` })).status, 401)
    assert.equal((await ask({ authorization: `Basic ${await fresh()}` })).status, 401)
    assert.equal((await ask({}, { ...CALL, token: await fresh() })).status, 401)
    assert.equal((await ask({ authorization: `Bearer ${await fresh()}` }, { ...CALL, token: await fresh() })).status, 400)
    const text = await fresh()
    assert.equal((await ask({}, CALL, `/v1/validate?access_token=${text}`)).status, 401)
    assert.equal((await ask({ authorization: `Bearer ${text}` }, CALL, `/v1/validate?access_token=${text}`)).status, 400)
    assert.equal((await ask({ authorization: `Bearer ${text}`, origin: 'https://evil.example.com' })).status, 403)
    assert.equal((await server.validate(CALL, text)).status, 200)
  })

  test('without identity it answers known clients, and nobody else', async () => {
    const server = createPolicyServer(OPEN)
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, CLIENT.token)), { status: 200, decision: 'allow' })
    assert.partialDeepStrictEqual(server.events.at(-1), { user: CLIENT.name, user_source: 'token' })
    for (const token of [undefined, 'somebody-else-0123456789', ADMIN.token, `${CLIENT.token}x`])
      assert.equal((await server.validate(CALL, token)).status, 401)
    assert.equal(server.events.at(-1)?.event_type, 'auth_failure')
  })

  test('blocks, asks and limits as the gate does, and tells neither path nor pattern', async () => {
    const spec = `${OPEN}
protected_paths: [/etc/secret-place]
tool_rules:
- {tool: write_file, allow_args: {path: "/srv/hidden-pattern/.*"}}
- {tool: deploy, action: ask}
- {tool: limited, rate_limit: 1/m}`
    const server = createPolicyServer(spec)
    const ask = async (tool: string, args: object = {}) => {
      const response = await server.validate({ tool, arguments: args }, CLIENT.token)
      const text = await response.text()
      assert.ok(!text.includes('secret-place') && !text.includes('hidden-pattern'), text)
      return { ...JSON.parse(text), status: response.status, retry: response.headers.get('retry-after') }
    }
    assert.partialDeepStrictEqual(await ask('rm'), { decision: 'block', violations: [{ type: 'tool_not_allowed' }] })
    assert.partialDeepStrictEqual(await ask('read_file', { path: '/etc/secret-place/x' }), {
      decision: 'block',
      violations: [{ type: 'protected_path' }],
    })
    assert.partialDeepStrictEqual(await ask('write_file', { path: '/tmp/x' }), {
      violations: [{ type: 'argument_validation', field: 'path' }],
    })
    assert.partialDeepStrictEqual(await ask('deploy'), { decision: 'ask' })
    assert.partialDeepStrictEqual(server.events.at(-1), { event_type: 'approval_requested', decision: 'ask', tool: 'deploy' })
    assert.partialDeepStrictEqual(await ask('limited'), { status: 200, decision: 'allow' })
    assert.partialDeepStrictEqual(await ask('limited'), { status: 429, error: 'rate_limited', retry: '60' })
    assert.partialDeepStrictEqual(server.events.at(-1), { decision: 'deny', reason_code: 'rate_limited', error_code: -32002 })
  })

  test('data that would have to be masked blocks the call: a client that only asks cannot be given other arguments', async () => {
    for (const action of ['block', 'redact', 'warn']) {
      const dlp = `dlp: {scan_requests: true, on_request_match: ${action}, patterns: [{name: Key, regex: "AKIA[A-Z0-9]{16}"}]}`
      const server = createPolicyServer(`${OPEN}\n${dlp}`)
      const body = { tool: 'read_file', arguments: { path: 'AKIAABCDEFGHIJKLMNOP' } }
      const answer = await told(await server.validate(body, CLIENT.token))
      assert.equal(answer.decision, action === 'warn' ? 'allow' : 'block')
      assert.ok(JSON.stringify(answer.violations).includes('Sensitive data: Key'))
      assert.deepEqual(
        server.events.map(({ event_type }) => event_type),
        ['dlp_match', 'authorization_decision'],
      )
    }
  })

  test('without a policy that holds it blocks everything, and health says so', async () => {
    const routes = createPolicyRoutes({
      governing: () => ({ policy: undefined, gate: blockingGate('policy_invalid', 'broken') }),
      profile: 'strict',
      clients: [CLIENT],
      record: async () => undefined,
    })
    const headers = { authorization: `Bearer ${CLIENT.token}`, 'content-type': 'application/json' }
    const answer = await routes.route(new Request('http://x/v1/validate', { method: 'POST', headers, body: JSON.stringify(CALL) }))
    assert.partialDeepStrictEqual(await told(answer!), { status: 200, decision: 'block' })
    const health = await routes.route(new Request('http://x/health'))
    assert.equal(health?.status, 503)
    assert.partialDeepStrictEqual(await health?.json(), { status: 'unhealthy' })
    assert.equal(await routes.route(new Request('http://x/other')), undefined)
  })
})

test('a gate that fails lets nothing through: 500, recorded', async () => {
  const gate = { ...blockingGate('policy_invalid', 'x'), judge: async () => Promise.reject(new Error('planted secret')) }
  const server = createPolicyServer(OPEN, { governing: () => ({ policy: identityPolicy(OPEN), gate }) })
  const response = await server.validate(CALL, CLIENT.token)
  assert.equal(response.status, 500)
  assert.ok(!(await response.text()).includes('planted'))
  assert.partialDeepStrictEqual(server.events, [{ event_type: 'method_blocked', decision: 'deny' }])
})

describe('bodies are bounded', () => {
  const faults: [what: string, body: string, status: number][] = [
    ['no JSON', 'not valid json', 400],
    ['nothing', '', 400],
    ['a member twice', '{"tool":"read_file","tool":"rm","arguments":{}}', 400],
    ['a member twice by an escape', '{"tool":"read_file","to\\u006fl":"rm","arguments":{}}', 400],
    ['no tool', '{"arguments":{}}', 400],
    ['no arguments', '{"tool":"read_file"}', 400],
    ['arguments that are a list', '{"tool":"read_file","arguments":[]}', 400],
    ['a tool that is a number', '{"tool":1,"arguments":{}}', 400],
    ['a foreign member', '{"tool":"read_file","arguments":{},"x":1}', 400],
    ['a lone surrogate', '{"tool":"read_file","arguments":{"a":"\\ud800"}}', 400],
    ['too deep', `{"tool":"read_file","arguments":{"a":${'['.repeat(80)}${']'.repeat(80)}}}`, 400],
    ['too large', JSON.stringify({ tool: 'read_file', arguments: { a: 'x'.repeat(5000) } }), 413],
  ]
  for (const [what, body, status] of faults)
    test(`${what}: ${status}, recorded, and the token is not spent`, async () => {
      const server = createPolicyServer(GUARDED, { limits: { bytes: 4000 } })
      const { text } = await (await server.session()).token()
      const before = server.events.length
      const answer = await told(await server.validate(body, text))
      assert.partialDeepStrictEqual(answer, { status, error: 'invalid_request' })
      assert.partialDeepStrictEqual(server.events.slice(before), [{ event_type: 'method_blocked', reason_code: 'malformed_request' }])
      assert.equal((await server.validate(CALL, text)).status, 200)
    })

  test('a body that does not end is not waited for', async () => {
    const server = createPolicyServer(GUARDED, { limits: { timeMs: 20 } })
    let cancelled = false
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('{"tool":')),
      cancel: () => void (cancelled = true),
    })
    const headers = { authorization: 'Bearer x.y.z', 'content-type': 'application/json' }
    const request = new Request('http://127.0.0.1/v1/validate', { method: 'POST', headers, body, duplex: 'half' })
    assert.equal((await server.fetch(request)).status, 408)
    assert.ok(cancelled)
  })

  test('of a caller without credentials not a byte is read', async () => {
    const server = createPolicyServer()
    let pulled = false
    const body = new ReadableStream({ pull: () => void (pulled = true) }, { highWaterMark: 0 })
    const request = new Request('http://127.0.0.1/v1/validate', { method: 'POST', body, duplex: 'half' })
    assert.equal((await server.fetch(request)).status, 401)
    assert.ok(!pulled)
  })

  test('requests beyond the bound are refused unjudged, and the next record counts them', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const events: string[] = []
    const record = async (event: { event_type: string; metadata?: unknown }) => {
      await held
      events.push(event.event_type === 'observation_gap' ? JSON.stringify(event.metadata) : event.event_type)
    }
    const server = createPolicyServer(OPEN, { maxInFlight: 2, record })
    const waiting = [server.get('/health'), server.get('/health')]
    assert.deepEqual(await Promise.all([1, 2, 3].map(async () => (await server.get('/health')).status)), [503, 503, 503])
    release()
    await Promise.all(waiting)
    assert.equal((await server.get('/health')).status, 200)
    assert.ok(events.includes('{"reason":"busy","dropped":3}'), events.join())
  })
})

describe('POST /v1/revoke', () => {
  test('ends a session for administrators, before it answers', async () => {
    const server = createPolicyServer()
    const session = await server.session()
    const { text } = await session.token()
    const body = { type: 'session', session_id: session.id, reason: 'laptop lost' }
    for (const token of [undefined, text, CLIENT.token]) assert.equal((await server.revoke(body, token)).status, 401)
    assert.partialDeepStrictEqual(await told(await server.revoke(body, ADMIN.token)), {
      status: 200,
      revoked: true,
      type: 'session',
      target: session.id,
      revoked_at: '2026-01-24T10:00:00.000Z',
    })
    assert.partialDeepStrictEqual(server.events.at(-1), {
      event_type: 'identity_token_revoked',
      user: ADMIN.name,
      session_id: session.id,
      reason: 'laptop lost',
    })
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, text)), { error: 'token_revoked', revocation_type: 'session' })
    await assert.rejects(session.token())
  })

  test('ends a token by the id that the record shows', async () => {
    const server = createPolicyServer()
    const { text, id } = await (await server.session()).token()
    assert.equal((await server.revoke({ type: 'token', token_nonce: id }, ADMIN.token)).status, 200)
    assert.partialDeepStrictEqual(await told(await server.validate(CALL, text)), { error: 'token_revoked', revocation_type: 'token' })
  })

  test('a body that is too long, too slow or no JSON by its type is told apart, as for /v1/validate', async () => {
    const server = createPolicyServer(GUARDED, { limits: { bytes: 100, timeMs: 20 } })
    const sent = async (body: string | ReadableStream, type = 'application/json') => {
      const headers = { authorization: `Bearer ${ADMIN.token}`, 'content-type': type }
      const request = new Request('http://127.0.0.1/v1/revoke', { method: 'POST', headers, body, duplex: 'half' })
      const response = await server.fetch(request)
      return [response.status, response.headers.get('connection')]
    }
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
    assert.deepEqual(
      [await sent(JSON.stringify({ x: 'x'.repeat(200) })), await sent(endless), await sent('{}', 'text/plain'), await sent('{')],
      [
        [413, 'close'],
        [408, 'close'],
        [415, null],
        [400, null],
      ],
    )
  })

  test('knows nothing of what is not alive, and refuses what it does not understand', async () => {
    const server = createPolicyServer()
    const unknown = { type: 'session', session_id: '00000000-0000-4000-8000-000000000000' }
    assert.partialDeepStrictEqual(await told(await server.revoke(unknown, ADMIN.token)), { status: 404, error: 'not_found' })
    for (const body of [{}, { type: 'session' }, { type: 'token', token_nonce: '../x' }, { ...unknown, more: 1 }, 'x', { type: 'all' }])
      assert.equal((await server.revoke(body, ADMIN.token)).status, 400)
    assert.equal((await createPolicyServer(OPEN).revoke(unknown, ADMIN.token)).status, 404)
  })
})

describe('what anybody may read', () => {
  test('AW20: health tells the hash of the policy to known callers only', async () => {
    const server = createPolicyServer()
    server.machine.nowMs += 61_500
    assert.deepEqual(await (await server.get('/health')).json(), { status: 'healthy', version: 'v1alpha2', uptime_seconds: 61 })
    assert.deepEqual(Object.keys((await (await server.get('/health', 'somebody-else-0123456789')).json()) as object).length, 3)
    for (const { token } of [CLIENT, ADMIN])
      assert.match(((await (await server.get('/health', token)).json()) as { policy_hash: string }).policy_hash, /^[0-9a-f]{64}$/)
  })

  test('the published keys verify tokens with a stock library', async () => {
    const server = createPolicyServer()
    const { text } = await (await server.session()).token()
    const response = await server.get('/v1/jwks')
    assert.equal(response.headers.get('cache-control'), 'public, max-age=3600')
    const set = (await response.json()) as Parameters<typeof createLocalJWKSet>[0]
    assert.equal((await compactVerify(text, createLocalJWKSet(set))).protectedHeader.typ, 'aip+jwt')
    assert.equal((await createPolicyServer(OPEN).get('/v1/jwks')).status, 404)
  })

  test('metrics are for known callers, count violations, and hold no word of a request', async () => {
    const render = (samples: readonly { name: string; labels: object; value: number }[]) => JSON.stringify(samples)
    const server = createPolicyServer(OPEN, { metrics: render })
    assert.equal((await server.get('/metrics')).status, 401)
    await server.validate({ tool: 'planted-name', arguments: {} }, CLIENT.token)
    const text = await (await server.get('/metrics', CLIENT.token)).text()
    assert.ok(!text.includes('planted-name'))
    const samples = JSON.parse(text) as { name: string; labels: object; value: number; type?: string }[]
    const counted = samples.filter(({ value, type }) => type === undefined && value > 0)
    assert.deepEqual(
      counted.map(({ name, labels, value }) => [name, labels, value]),
      [
        ['aip_requests_total', {}, 1],
        ['aip_decisions_total', { decision: 'block' }, 1],
        ['aip_violations_total', {}, 1],
      ],
    )
    assert.equal((await createPolicyServer(OPEN).get('/metrics', CLIENT.token)).status, 404)
  })

  test('another verb is told which one is expected', async () => {
    const server = createPolicyServer()
    assert.equal((await server.post('/health', {})).headers.get('allow'), 'GET')
    assert.equal((await server.get('/v1/revoke')).headers.get('allow'), 'POST')
  })

  test('a token of less than 16 characters is no secret', () => {
    assert.throws(() => createPolicyServer(OPEN, { admins: [{ token: 'short', name: 'x' }] }), {
      message: 'tokens of at least 16 characters were expected',
    })
  })
})
