/** Who may come in, over a real listener: tokens, names, origins, certificates, and what is recorded of the others. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import { openServer, type Room } from '../src/index.ts'
import { bearer, EVENT, formatRequest, GOVERN, REPORT, serve } from './support/serving.ts'

const WRONG = 'wrong-token-0123456789'

describe('who may report', () => {
  const rows: readonly (readonly [string, Record<string, string>, number, string | undefined])[] = [
    ['the token for reports', bearer(REPORT), 200, undefined],
    ['the token that governs', bearer(GOVERN), 200, undefined],
    ['no token', {}, 401, 'ACCESS_DENIED'],
    ['another token', bearer(WRONG), 401, 'ACCESS_DENIED'],
    ['the beginning of the token', bearer(REPORT.slice(0, -1)), 401, 'ACCESS_DENIED'],
    ['the token and more', bearer(`${REPORT}x`), 401, 'ACCESS_DENIED'],
    ['an empty token', { authorization: 'Bearer ' }, 401, 'ACCESS_DENIED'],
    ['another scheme', { authorization: `Basic ${Buffer.from(`a:${REPORT}`).toString('base64')}` }, 401, 'ACCESS_DENIED'],
    ['another Host', { ...bearer(REPORT), host: 'evil.example' }, 421, 'REQUEST_INVALID'],
    ['the Host of another port', { ...bearer(REPORT), host: '127.0.0.1:1' }, 421, 'REQUEST_INVALID'],
    ['a page of another origin', { ...bearer(REPORT), origin: 'https://evil.example' }, 403, 'ACCESS_DENIED'],
    ['a page of another port of this machine', { ...bearer(REPORT), origin: 'http://localhost:1' }, 403, 'ACCESS_DENIED'],
    ['a page without an origin', { ...bearer(REPORT), origin: 'null' }, 403, 'ACCESS_DENIED'],
  ]
  for (const [name, headers, status, code] of rows) {
    test(`${name}: ${status}`, async () => {
      const serving = await serve()
      const answer = await serving.ask('/v1/events', headers, EVENT)
      assert.deepEqual([answer.status, answer.code], [status, code])
      assert.equal(/www-authenticate: Bearer/i.test(answer.text), status === 401)
      const events = await serving.recorded()
      assert.equal(events.filter(({ event_type }) => event_type === 'data_access').length, status === 200 ? 1 : 0)
      assert.equal(events.filter(({ event_type }) => event_type === 'auth_failure').length, status === 200 ? 0 : 1)
      const told = answer.text + JSON.stringify(events)
      assert.deepEqual(
        [REPORT, GOVERN, WRONG].filter((token) => told.includes(token)),
        [],
      )
    })
  }

  test('a page of the server itself, and hosts and origins that are named, may call', async () => {
    const tokens = [{ token: REPORT, name: 'ci', may: 'report' as const }]
    const serving = await serve({ access: { tokens, hosts: ['audit.example'], origins: ['https://desk.example'] } })
    const own = { ...bearer(REPORT), origin: `http://127.0.0.1:${serving.port}` }
    const named = { ...bearer(REPORT), host: 'audit.example', origin: 'https://desk.example' }
    assert.deepEqual(
      [(await serving.ask('/v1/events', own, EVENT)).status, (await serving.ask('/v1/events', named, EVENT)).status],
      [200, 200],
    )
  })

  test('the browser of a page of a named origin is told so, without a token; no other is', async () => {
    const tokens = [{ token: REPORT, name: 'ci', may: 'report' as const }]
    const serving = await serve({ access: { tokens, origins: ['https://desk.example', '*'] } })
    const preflight = (origin: string) => {
      const lines = [`host: 127.0.0.1:${serving.port}`, `origin: ${origin}`, 'access-control-request-method: POST', 'connection: close']
      return serving.raw(`OPTIONS /v1/events HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    }
    const told = await preflight('https://desk.example')
    assert.equal(told.status, 204)
    assert.match(told.text, /access-control-allow-origin: https:\/\/desk\.example\r\n/i)
    const answer = await serving.ask('/v1/events', { ...bearer(REPORT), origin: 'https://desk.example' }, EVENT)
    assert.match(answer.text, /access-control-allow-origin: https:\/\/desk\.example\r\n/i)
    for (const other of ['https://evil.example', 'http://localhost:1', 'null']) {
      const refused = await preflight(other)
      assert.equal(refused.status, 403, other)
      assert.doesNotMatch(refused.text, /access-control-allow/i)
    }
  })

  test('a field that stands twice is refused, whichever is right', async () => {
    const serving = await serve()
    const request = formatRequest('/v1/events', { host: `127.0.0.1:${serving.port}`, ...bearer(REPORT) }, EVENT)
    for (const field of [`authorization: Bearer ${WRONG}`, 'content-type: text/plain', 'origin: a\r\norigin: b']) {
      assert.equal((await serving.raw(request.replace('\r\n', `\r\n${field}\r\n`))).status, 400, field)
    }
  })

  test('a flood of wrong tokens is one record at once and one that counts the rest', async () => {
    const serving = await serve()
    for (let n = 0; n < 20; n++) assert.equal((await serving.ask('/v1/events', bearer(WRONG), EVENT)).status, 401)
    await serving.close()
    const failures = (await serving.recorded()).filter(({ event_type }) => event_type === 'auth_failure')
    const attempts = failures.map(({ metadata }) => (metadata as { attempts: number }).attempts)
    assert.equal(
      attempts.reduce((sum, n) => sum + n, 0),
      20,
    )
    assert.partialDeepStrictEqual(failures[0], {
      reason: 'token_wrong',
      ip_address: '127.0.0.1',
      metadata: { endpoint: 'events', attempts: 1 },
    })
  })
})

describe('addresses', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'audit.example']) {
    test(`${host} is refused without a token or client certificates`, async () => {
      const { recorder } = await serve()
      const opened = openServer({ listen: { host, port: 0 }, access: { tokens: [] }, recorder })
      await assert.rejects(opened, (e) => SwornError.is(e, 'CONFIG_INVALID') && e.message.includes('token or client certificates'))
    })
  }

  test('a token that could be guessed is refused, and not repeated', async () => {
    const { recorder } = await serve()
    const opened = openServer({
      listen: { host: '127.0.0.1', port: 0 },
      access: { tokens: [{ token: 'short', name: 'x', may: 'report' }] },
      recorder,
    })
    await assert.rejects(opened, (e) => SwornError.is(e, 'CONFIG_INVALID') && !e.message.includes('short'))
  })

  test('an address that is taken is said with its place', async () => {
    const { recorder, port } = await serve()
    await assert.rejects(openServer({ listen: { host: '127.0.0.1', port }, access: { tokens: [] }, recorder }), (e) =>
      SwornError.is(e, 'IO_FAILED'),
    )
  })
})

describe('/health', () => {
  test('tells everybody whether it is well, and who has a token where it stands', async () => {
    const serving = await serve()
    await serving.ask('/v1/events', bearer(REPORT), EVENT)
    const [anybody, known, wrong] = [
      await serving.ask('/health'),
      await serving.ask('/health', bearer(REPORT)),
      await serving.ask('/health', bearer(WRONG)),
    ]
    assert.deepEqual([anybody.status, known.status, wrong.status], [200, 200, 401])
    assert.match(anybody.text, /\r\n\r\n\{"status":"healthy","uptime_seconds":\d+\}$/)
    assert.match(known.text, /"ledger":\{"writable":true,"log_id":"[^"]+","origin":"[^"]+","position":\d+\}/)
  })

  test("the judge's health joins the ledger's, and the worse of both is told", async () => {
    const judge = (status: number): Room => ({ route: async () => Response.json({ status: 'x', version: 'v1alpha2' }, { status }) })
    const [well, ill] = [await serve({ health: judge(200) }), await serve({ health: judge(503) })]
    assert.match((await well.ask('/health')).text, /200 OK[\s\S]*"status":"healthy","version":"v1alpha2"/)
    assert.match((await ill.ask('/health')).text, /503 Service[\s\S]*"status":"unhealthy"/)
  })
})

test('an address that is named whole counts before Host', async () => {
  const serving = await serve()
  assert.equal((await serving.ask('http://evil.example/v1/events', bearer(REPORT), EVENT)).status, 421)
  assert.equal((await serving.ask(`http://127.0.0.1:${serving.port}/v1/events`, bearer(REPORT), EVENT)).status, 200)
})

test('who a room turns away is on record, where the room leaves that to the server', async () => {
  const room = (endpoint: string | undefined, path: string): Room => ({
    ...(endpoint !== undefined && { endpoint }),
    route: async ({ url }) => (url.endsWith(path) ? new Response(null, { status: 401 }) : undefined),
  })
  const serving = await serve({ rooms: [room(undefined, '/own'), room('doors', '/left')] })
  await serving.ask('/own')
  await serving.ask('/left', bearer(WRONG))
  const failures = (await serving.recorded()).filter(({ event_type }) => event_type === 'auth_failure')
  assert.deepEqual(
    failures.map(({ reason, metadata }) => [reason, metadata]),
    [['token_wrong', { endpoint: 'doors', http_status: 401, attempts: 1 }]],
  )
})

test('health and metrics answer HEAD, and another method is told which one is expected', async () => {
  const judge: Room = {
    route: async ({ method }) => Response.json({ version: 'v1alpha2' }, { status: method === 'GET' ? 200 : 405 }),
  }
  const serving = await serve({ health: judge, metrics: async () => new Response('') })
  const ask = (method: string, path: string) =>
    serving.raw(
      `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${serving.port}\r\nauthorization: Bearer ${REPORT}\r\nconnection: close\r\n\r\n`,
    )
  for (const path of ['/health', '/metrics']) {
    assert.equal((await ask('HEAD', path)).status, 200)
    const refused = await ask('PUT', path)
    assert.deepEqual([refused.status, refused.code, /\r\nallow: GET, HEAD\r\n/i.test(refused.text)], [405, 'REQUEST_INVALID', true])
  }
})

test('rooms are asked in order, and what none of them has is 404', async () => {
  const room = (path: string): Room => ({ route: async ({ url }) => (new URL(url).pathname === path ? new Response(path) : undefined) })
  const broken: Room = {
    route: async ({ url }) => {
      if (url.endsWith('/c')) throw new Error('a secret of the room')
      return undefined
    },
  }
  const serving = await serve({ rooms: [room('/a'), room('/b'), broken] })
  assert.match((await serving.ask('/b')).text, /\/b$/)
  assert.deepEqual([(await serving.ask('/d')).status, (await serving.ask('/d')).code], [404, 'REQUEST_INVALID'])
  const failed = await serving.ask('/c')
  assert.deepEqual([failed.status, failed.code, failed.text.includes('secret')], [503, 'IO_FAILED', false])
})
