import assert from 'node:assert/strict'
import * as http from 'node:http'
import { describe, it } from 'node:test'
import { denyingGate, maskingGate } from './support/gates.ts'
import { type HttpWire, openHttpWire } from './support/http-wire.ts'
import { call } from './support/wire.ts'

const SESSION = { 'mcp-session-id': 'the-session' }
const HELLO = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { clientInfo: { name: 'test', version: '1' } } }
const modern = (id: number, name: string, input: Record<string, unknown> = {}) => {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'm', version: '2' },
  }
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input, _meta } }
}

async function withWire(options: Parameters<typeof openHttpWire>[0], run: (wire: HttpWire) => Promise<void>): Promise<void> {
  const wire = await openHttpWire(options)
  try {
    await run(wire)
  } finally {
    await wire.close()
  }
}

const outcomes = ({ recorder }: HttpWire) => recorder.events.filter((e) => /^tool_call_(?:end|error)$/.test(e.event_type))

describe('a call over HTTP', () => {
  it('reaches the upstream as the bytes that came, and its answer the client as the bytes that came', () =>
    withWire({}, async (wire) => {
      const body =
        '{ "params":{"arguments":{"n":1.0,"big":12345678901234567890},"name":"echo"},\n "method":"tools/call","id":1,"jsonrpc":"2.0"}'
      const answer = '{"result":{"content":[],"n":1.50},\n\t"id":1,"jsonrpc":"2.0"}'
      wire.behave((_seen, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer))
      assert.equal((await wire.post(body)).body, answer)
      assert.equal(wire.seen[0]?.body, body)
    }))

  it('that is denied never reaches the upstream', () =>
    withWire({ gate: denyingGate(['rm']) }, async (wire) => {
      const { status, body } = await wire.post(call(7, 'rm'))
      assert.deepEqual([status, JSON.parse(body).error.code, JSON.parse(body).id], [200, -32001, 7])
      assert.match((await wire.post(modern(8, 'rm'))).body, /"isError":true/)
      assert.deepEqual(wire.seen, [])
      assert.deepEqual(
        wire.recorder.ofType('authorization_decision').map((e) => e.decision),
        ['deny', 'deny'],
      )
    }))

  it('reaches the upstream only after its decision is on disk, and not at all when it cannot be recorded', () =>
    withWire({ gate: denyingGate([]), ackTimeoutMs: 60_000 }, async (wire) => {
      await wire.post(HELLO)
      let acknowledge = () => {}
      wire.recorder.behave = new Promise((resolve) => (acknowledge = resolve))
      const answer = wire.post(call(1, 'echo'), SESSION)
      while (wire.recorder.ofType('authorization_decision').length === 0) await new Promise(setImmediate)
      assert.equal(wire.seen.length, 1)
      acknowledge()
      assert.equal((await answer).status, 200)
      assert.equal(wire.seen.length, 2)
      wire.recorder.behave = 'refuse'
      assert.match((await wire.post(call(2, 'echo'), SESSION)).body, /audit_unavailable/)
      assert.equal(wire.seen.length, 2)
      wire.recorder.behave = 'ack'
    }))

  it('leaves start and end under one correlation id, one session a client, of kind mcp_http', () =>
    withWire({}, async (wire) => {
      await wire.post(HELLO)
      await wire.post(call(1, 'echo', { a: 1 }), SESSION)
      await wire.post(modern(1, 'echo'))
      await wire.proxy.close()
      const { events } = wire.recorder
      assert.deepEqual([...new Set(events.map((e) => (e.source as { kind: string }).kind))], ['mcp_http'])
      assert.equal(new Set(events.map((e) => e.session_id)).size, 2)
      const [start, end] = events.filter((e) => e.tool === 'echo')
      assert.equal(start?.correlation_id, end?.correlation_id)
      assert.deepEqual([start?.server, start?.agent], ['echo', { name: 'test', version: '1' }])
      assert.equal(events.filter((e) => e.event_type === 'session_end').length, 2)
    }))

  it('of many stateless clients at once, all with the same id, gets its own answer', () =>
    withWire({}, async (wire) => {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => wire.post(modern(1, 'echo', { n }))))
      answers.forEach(({ body }, n) => {
        assert.match(body, new RegExp(`\\\\"n\\\\":${n}}`))
      })
      await wire.proxy.close()
      assert.equal(outcomes(wire).length, 40)
    }))
})

describe('data on its way over HTTP', () => {
  const event = (id: string, value: unknown) => `id: ${id}\ndata: ${JSON.stringify(value)}\n\n`
  const secret = { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'a hunter2 b' }] } }

  for (const form of ['application/json', 'text/event-stream'] as const) {
    const send = (wire: HttpWire) =>
      wire.behave((_seen, response) => {
        response.writeHead(200, { 'content-type': form })
        response.end(form === 'application/json' ? JSON.stringify(secret) : `: hi\n\n${event('e1', secret)}`)
      })
    it(`is masked in ${form}`, () =>
      withWire({ gate: maskingGate('hunter2', 'mask') }, async (wire) => {
        send(wire)
        const { body } = await wire.post(call(1, 'echo'))
        assert.match(body, /a \[REDACTED:word\] b/)
        if (form === 'text/event-stream') assert.match(body, /^: hi\n\nid: e1\ndata: /)
        assert.doesNotMatch(JSON.stringify(wire.recorder.events), /hunter2/)
      }))
    it(`is held back in ${form} when the policy blocks it`, () =>
      withWire({ gate: maskingGate('hunter2', 'block') }, async (wire) => {
        send(wire)
        const { body } = await wire.post(call(1, 'echo'))
        assert.match(body, /dlp_blocked/)
        assert.doesNotMatch(body + JSON.stringify(wire.recorder.events), /hunter2/)
      }))
  }

  it('in arguments is masked before the upstream sees it, in the header that repeats it too', () =>
    withWire({ gate: maskingGate('hunter2', 'mask', 'request') }, async (wire) => {
      await wire.post(modern(1, 'echo', { region: 'hunter2' }), { 'mcp-param-region': 'hunter2' })
      assert.doesNotMatch(JSON.stringify(wire.seen), /hunter2/)
      assert.match(wire.seen[0]!.body, /REDACTED:word/)
    }))

  it('in the words of a refusal is masked', () =>
    withWire({ gate: maskingGate('hunter2', 'mask') }, async (wire) => {
      wire.behave((_seen, response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('broken: hunter2'))
      const { status, body } = await wire.post(call(1, 'echo'))
      assert.deepEqual([status, body], [500, 'broken: [REDACTED:word]'])
    }))
})

describe('a stream of events', () => {
  it('passes byte for byte where nothing was changed: comments, priming events, progress, the answer', () =>
    withWire({}, async (wire) => {
      const stream =
        ': ping\n\nid: s-0\nretry: 50\ndata: \n\n' +
        'event: message\nid: s-1\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1.0}}\n\n' +
        'event: message\r\nid: s-2\r\ndata: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\r\n\r\n'
      wire.behave((_seen, response) => response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end(stream))
      assert.equal((await wire.post(call(1, 'echo'))).body, stream)
    }))

  it('that is whole when it comes arrives whole, also where a client takes it in pieces', () =>
    withWire({}, async (wire) => {
      for (const length of [0, 10_000, 40_000]) {
        const text = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [], pad: 'x'.repeat(length) } })}\n\n`
        wire.behave((_seen, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`: first\n\n${text}`))
        assert.equal((await wire.post(call(1, 'echo'))).body, `: first\n\n${text}`)
      }
    }))

  it('that breaks off is taken up again with Last-Event-ID, and the call has one outcome', () =>
    withWire({}, async (wire) => {
      await wire.post(HELLO)
      wire.behave(({ method, headers }, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        if (method === 'POST') response.write('id: s-1\ndata: \n\n', () => response.destroy())
        else response.end(`id: s-2\ndata: {"jsonrpc":"2.0","id":1,"result":{"after":"${headers['last-event-id']}"}}\n\n`)
      })
      await assert.rejects(wire.post(call(1, 'echo'), SESSION))
      assert.deepEqual(outcomes(wire), [])
      const again = await wire.request({ method: 'GET', headers: { accept: 'text/event-stream', 'last-event-id': 's-1', ...SESSION } })
      assert.match(again.body, /"after":"s-1"/)
      await wire.proxy.close()
      assert.deepEqual(
        outcomes(wire).map((e) => e.event_type),
        ['tool_call_end'],
      )
    }))

  it('that breaks off in the 2026 era is answered and recorded at once, whatever ids it had', () =>
    withWire({}, async (wire) => {
      wire.behave((_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('id: s-1\ndata: \n\n', () => response.destroy())
      })
      assert.match((await wire.post(modern(1, 'echo'))).body, /"reason":"broken"/)
      await wire.proxy.close()
      assert.deepEqual(
        outcomes(wire).map((e) => e.error_type),
        ['broken'],
      )
    }))

  it('without ids that breaks off is answered and recorded', () =>
    withWire({}, async (wire) => {
      wire.behave((_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(': on the way\n\n', () => response.destroy())
      })
      assert.match((await wire.post(call(1, 'echo'))).body, /"reason":"broken"/)
      await wire.proxy.close()
      assert.equal(outcomes(wire)[0]?.error_type, 'broken')
    }))

  it('carries requests of the server, and the answer of the client goes back', () =>
    withWire({}, async (wire) => {
      await wire.post(HELLO)
      const asked = '{"jsonrpc":"2.0","id":"s1","method":"roots/list"}'
      wire.behave(({ body }, response) => {
        if (body.includes('roots":')) return void response.writeHead(202).end()
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`data: ${asked}\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n`)
      })
      assert.match((await wire.post(call(1, 'echo'), SESSION)).body, /roots\/list/)
      assert.equal((await wire.post({ jsonrpc: '2.0', id: 's1', result: { roots: [] } }, SESSION)).status, 202)
      assert.match(wire.seen.at(-1)!.body, /"roots":\[\]/)
      assert.deepEqual(wire.recorder.ofType('security_alert'), [])
    }))

  it('is not passed on where readers may disagree: a lone carriage return, fields twice, unknown fields, a byte order mark', () =>
    withWire({}, async (wire) => {
      const note = (n: number) => `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":${n}}}`
      const answer = 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
      wire.behave((_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`\ufeffdata: ${note(1)}\n\n:\rdata: ${note(2)}\n\nid: a\nid: b\nfoo: x\ndata: ${note(3)}\n\n${answer}`)
      })
      const { body } = await wire.post(call(1, 'echo'))
      assert.equal(body, `data: ${note(1)}\n\nid: b\ndata: ${note(3)}\n\n${answer}`)
      assert.match(String(wire.recorder.ofType('method_blocked')[0]?.reason), /carriage return/)
    }))
})

describe('an upstream', () => {
  const broken: [string, Parameters<HttpWire['behave']>[0], number, string][] = [
    ['that hangs up', (_seen, response) => response.destroy(), 502, 'unreachable'],
    [
      'that answers in another form than it says',
      (_seen, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('data: {}\n\n'),
      502,
      'malformed_response',
    ],
    [
      'that answers with a page',
      (_seen, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      502,
      'malformed_response',
    ],
    [
      'that answers with packed bytes',
      (_seen, response) => response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'),
      502,
      'encoded',
    ],
    [
      'that redirects to another origin',
      (_seen, response) => response.writeHead(307, { location: 'http://127.0.0.2:9/mcp' }).end(),
      502,
      'redirected',
    ],
    ['that redirects without end', (_seen, response) => response.writeHead(308, { location: '/mcp' }).end(), 502, 'redirected'],
    ['that does not answer', () => {}, 504, 'timeout'],
  ]
  for (const [what, behave, status, why] of broken) {
    it(`${what} is an error for the client, with an outcome for the call`, () =>
      withWire({ limits: { answerMs: 200 } }, async (wire) => {
        wire.behave(behave)
        const reply = await wire.post(call(1, 'echo'))
        assert.deepEqual([reply.status, JSON.parse(reply.body).error.data.reason, JSON.parse(reply.body).id], [status, why, 1])
        await wire.proxy.close()
        assert.deepEqual([outcomes(wire).length, outcomes(wire)[0]?.error_type], [1, why])
        assert.equal(reply.headers.location, undefined)
      }))
  }

  it('that redirects within its origin is followed with the same body', () =>
    withWire({}, async (wire) => {
      const first = call(1, 'echo', { a: 1 })
      let moved = false
      wire.behave((seen, response) => {
        if (moved) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}')
        moved = seen.path === '/mcp'
        response.writeHead(307, { location: '/mcp/' }).end()
      })
      assert.equal((await wire.post(first)).status, 200)
      assert.deepEqual(
        wire.seen.map((s) => [s.path, s.body]),
        [
          ['/mcp', JSON.stringify(first)],
          ['/mcp/', JSON.stringify(first)],
        ],
      )
    }))

  it('that asks for authorization is heard: status, challenge and metadata pass, no header is recorded', () =>
    withWire({}, async (wire) => {
      const challenge = 'Bearer resource_metadata="https://example.com/.well-known/oauth-protected-resource"'
      wire.behave(({ method }, response) => {
        if (method === 'GET') response.writeHead(200, { 'content-type': 'application/json' }).end('{"resource":"x"}')
        else response.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' }).end('{"error":"invalid_token"}')
      })
      const reply = await wire.post(call(1, 'echo'), {
        authorization: 'Bearer eyJsecret',
        cookie: 'c=secret-cookie',
        'x-api-key': 'key-secret',
      })
      assert.deepEqual([reply.status, reply.headers['www-authenticate'], reply.body], [401, challenge, '{"error":"invalid_token"}'])
      assert.equal(wire.seen[0]?.headers.authorization, 'Bearer eyJsecret')
      const path = '/.well-known/oauth-protected-resource/mcp'
      const page = await wire.request({ path })
      assert.deepEqual([page.status, page.body, wire.seen[1]?.path], [200, '{"resource":"x"}', path])
      await wire.proxy.close()
      assert.doesNotMatch(JSON.stringify(wire.recorder.events), /secret/)
      assert.equal(outcomes(wire)[0]?.error_code, 401)
    }))
})

describe('a client', () => {
  it('that goes away cancels its stateless call: the upstream notices, the record says so', () =>
    withWire({}, async (wire) => {
      const noticed = new Promise<void>((resolve) => {
        wire.behave((_seen, response) => {
          response.once('close', () => resolve())
          response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': wait\n\n')
        })
      })
      const body = JSON.stringify(modern(1, 'sleep'))
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
      const request = http.request(wire.proxy.url, { method: 'POST', headers, agent: false }, (answer) =>
        answer.once('data', () => request.destroy()),
      )
      request.on('error', () => {})
      request.end(body)
      await noticed
      await wire.proxy.close()
      assert.deepEqual(
        outcomes(wire).map((e) => e.error_type),
        ['cancelled'],
      )
    }))

  it('cannot use the session of another', () =>
    withWire(
      {
        access: {
          tokens: [
            { token: 'a'.repeat(20), user: 'ann' },
            { token: 'b'.repeat(20), user: 'bob' },
          ],
        },
      },
      async (wire) => {
        const ann = { authorization: `Bearer ${'a'.repeat(20)}` }
        const bob = { 'proxy-authorization': `Bearer ${'b'.repeat(20)}`, authorization: 'Bearer for-the-upstream' }
        await wire.post(HELLO, ann)
        assert.equal((await wire.post(call(1, 'echo'), { ...bob, ...SESSION })).status, 404)
        assert.equal((await wire.post(call(1, 'echo'), { ...ann, ...SESSION })).status, 200)
        await wire.post(call(2, 'echo'), bob)
        assert.deepEqual(
          wire.seen.map((s) => s.headers.authorization),
          [undefined, undefined, 'Bearer for-the-upstream'],
        )
        assert.deepEqual(
          wire.recorder.ofType('tool_call_start').map((e) => [e.user, e.user_source]),
          [
            ['ann', 'token'],
            ['bob', 'token'],
          ],
        )
        assert.equal(wire.seen[2]?.headers['proxy-authorization'], undefined)
      },
    ))

  it('that ends its session with DELETE ends it in the record', () =>
    withWire({}, async (wire) => {
      await wire.post(HELLO)
      wire.behave((_seen, response) => response.writeHead(200).end())
      assert.equal((await wire.request({ method: 'DELETE', headers: SESSION })).status, 200)
      await wire.proxy.close()
      assert.equal(wire.recorder.ofType('session_end')[0]?.metadata?.reason, 'deleted')
    }))
})
