/** A client of a validation server over real HTTP: it obeys answers, and fails as its policy says. @module */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { type AuditEvent, SwornError, type Verdict } from '@sworn/recorder'
import { createRemoteValidator, type RemoteOptions } from '../src/http/index.ts'
import { identityPolicy } from './support/identity.ts'
import { call, gateOf } from './support/make.ts'
import { CLIENT, createPolicyServer, GUARDED, type PolicyServer } from './support/policy-server.ts'

async function withServer(listener: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) // listening on a port
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

/** The routes behind a real listener. */
function serve(server: PolicyServer): RequestListener {
  return async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const parts: Uint8Array[] = []
    for await (const part of incoming) parts.push(part)
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string])
    const response = await server.fetch(
      new Request(`http://127.0.0.1${incoming.url}`, { method: String(incoming.method), headers, body: Buffer.concat(parts) }),
    )
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  }
}

function rulesOf(server: string, timeout: string) {
  return identityPolicy(`server: {enabled: true, timeout: ${timeout}, ${server}}`).server!
}

const CLOSED = 'failover_mode: fail_closed'
const OPEN = 'failover_mode: fail_open, fail_open_constraints: {allowed_tools: [Read_File], max_duration: 5m, max_requests: 3}'

/** Patient, so that a loaded machine is no silence. */
function remoteOf(url: string, server = CLOSED, options: Partial<RemoteOptions> = {}, timeout = '60s') {
  return createRemoteValidator({ url, rules: rulesOf(server, timeout), profile: 'strict', token: async () => CLIENT.token, ...options })
}

const brief = ({ decision, reasonCode }: Verdict) => `${decision} ${reasonCode}`

describe('a server that answers is obeyed, in every failover mode', () => {
  const spec = 'allowed_tools: [read_file]\ntool_rules:\n- {tool: deploy, action: ask}\n- {tool: limited, rate_limit: 1/m}'
  for (const mode of [CLOSED, OPEN, 'failover_mode: local_policy'])
    test(mode.split(',')[0]!, () =>
      withServer(serve(createPolicyServer(spec)), async (url) => {
        const remote = remoteOf(url, mode, { local: gateOf('allowed_tools: [rm]') })
        assert.equal(brief(await remote.judge(call('read_file', { path: 'x' }))), 'allow matched_rule')
        assert.equal(brief(await remote.judge(call('rm'))), 'deny tool_not_allowed')
        assert.equal(brief(await remote.judge(call('deploy'))), 'ask matched_rule')
        await remote.judge(call('limited'))
        assert.partialDeepStrictEqual(await remote.judge(call('limited')), {
          decision: 'deny',
          reasonCode: 'rate_limited',
          rpcError: { code: -32002 },
        })
        const stranger = remoteOf(url, mode, { token: async () => 'somebody-else-0123456789', local: gateOf('allowed_tools: [rm]') })
        assert.equal((await stranger.judge(call('rm'))).decision, 'deny')
      }),
    )

  test('tokens are presented, one for each call, and their faults come back by code', async () => {
    const server = createPolicyServer(GUARDED)
    await withServer(serve(server), async (url) => {
      const session = await server.session()
      const fresh = remoteOf(url, OPEN, { token: async () => (await session.token({ fresh: true })).text })
      assert.equal((await fresh.judge(call('read_file'))).decision, 'allow')
      assert.equal((await fresh.judge(call('read_file'))).decision, 'allow')
      const { text } = await session.token({ fresh: true })
      const same = remoteOf(url, OPEN, { token: async () => text })
      await same.judge(call('read_file'))
      assert.partialDeepStrictEqual(await same.judge(call('read_file')), {
        decision: 'deny',
        reasonCode: 'identity_invalid',
        rpcError: { code: -32009, data: { token_error: 'replay_detected' } },
      })
    })
  })
})

describe('a server that does not answer', () => {
  const silent: [what: string, listener: RequestListener][] = [
    ['says nothing', () => {}],
    ['hangs in the middle', (_in, out) => void out.writeHead(200).write('{"decision":')],
    ['closes the connection', (incoming) => void incoming.socket.destroy()],
    ['fails', (_in, out) => void out.writeHead(500).end('{"decision":"allow"}')],
    ['speaks no JSON', (_in, out) => void out.writeHead(200).end('allow')],
    ['says another word', (_in, out) => void out.writeHead(200).end('{"decision":"maybe"}')],
    ['says two words', (_in, out) => void out.writeHead(200).end('{"decision":"block","decision":"allow"}')],
    [
      'sends elsewhere',
      (incoming, out) =>
        void (incoming.url === '/allow' ? out.end('{"decision":"allow"}') : out.writeHead(307, { location: '/allow' }).end()),
    ],
    ['says too much', (_in, out) => void out.writeHead(200).end(`{"decision":"allow","x":"${'x'.repeat(70_000)}"}`)],
  ]
  for (const [what, listener] of silent)
    test(`because it ${what}: everything is denied`, () =>
      withServer(listener, async (url) => {
        assert.partialDeepStrictEqual(await remoteOf(url, CLOSED, {}, '100ms').judge(call('read_file')), {
          decision: 'deny',
          rpcError: { code: -32001, data: { tool: 'read_file', reason: 'validation_unavailable' } },
        })
      }))

  const nobody = 'http://127.0.0.1:9'

  test('is replaced by the local policy where there is one', async () => {
    const mode = 'failover_mode: local_policy'
    const remote = remoteOf(nobody, mode, { local: gateOf('allowed_tools: [read_file]') })
    assert.partialDeepStrictEqual(await remote.judge(call('read_file')), { decision: 'allow', reasonCode: 'matched_allowed_tools' })
    assert.equal(brief(await remote.judge(call('rm'))), 'deny tool_not_allowed')
    assert.equal((await remoteOf(nobody, mode).judge(call('read_file'))).decision, 'deny')
  })

  test('fails open for the named tools only, so many calls, each a violation on record', async () => {
    const alerts: AuditEvent[] = []
    const remote = remoteOf(nobody, OPEN, { clock: () => 0, note: (event) => void alerts.push(event) })
    assert.equal((await remote.judge(call('write_file'))).decision, 'deny')
    for (let n = 0; n < 3; n++)
      assert.partialDeepStrictEqual(await remote.judge(call('read_file')), { decision: 'allow', violation: true, enforced: false })
    assert.equal((await remote.judge(call('read_file'))).decision, 'deny')
    assert.deepEqual(
      alerts.map(({ event_type, metadata }) => [event_type, metadata]),
      [['security_alert', { rule: 'fail_open' }]],
    )
  })

  test('fails open for so long, and again only after it has answered', async () => {
    let nowMs = 0
    let up = false
    await withServer(
      (_in, out) => void (up ? out.writeHead(200).end('{"decision":"allow"}') : out.socket?.destroy()),
      async (url) => {
        const remote = remoteOf(url, OPEN, { clock: () => nowMs })
        const isOpen = async () => (await remote.judge(call('read_file'))).decision === 'allow'
        assert.ok(await isOpen())
        nowMs = 300_001
        assert.ok(!(await isOpen()))
        up = true
        assert.ok(await isOpen())
        up = false
        assert.deepEqual([await isOpen(), await isOpen(), await isOpen(), await isOpen()], [true, true, true, false])
        up = true
        await isOpen()
        up = false
        assert.ok(!(await isOpen()), 'a server that comes and goes does not refill the bound')
      },
    )
  })

  test('does not fail open without a local policy where one is required', async () => {
    const needed = OPEN.replace('}', ', require_local_policy: true}')
    assert.equal((await remoteOf(nobody, needed).judge(call('read_file'))).decision, 'deny')
    assert.equal((await remoteOf(nobody, needed, { local: gateOf('{}') }).judge(call('read_file'))).decision, 'allow')
  })

  test('is told to the webhook, with nothing of the call', async () => {
    let told = (_body: string) => {}
    const body = new Promise<string>((resolve) => (told = resolve))
    await withServer(
      async (incoming, out) => {
        const parts: Uint8Array[] = []
        for await (const part of incoming) parts.push(part)
        out.end()
        told(Buffer.concat(parts).toString())
      },
      async (url) => {
        const mode = OPEN.replace('}', `, alert_webhook: "${url}/hook"}`)
        await remoteOf(nobody, mode).judge(call('read_file', { path: 'planted' }))
        assert.equal(await body, '{"event":"fail_open"}')
      },
    )
  })
})

test('a token is never sent in the clear to another machine', () => {
  for (const url of ['http://example.com', 'http://10.0.0.1:9443', 'ftp://localhost', 'nonsense', ''])
    assert.throws(
      () => remoteOf(url),
      (e) => SwornError.is(e, 'CONFIG_INVALID') && (url === '' || !e.message.includes(url)),
    )
  assert.ok(remoteOf('https://example.com'))
})

test('a call that cannot be sent is denied, not failed open', async () => {
  const loop: Record<string, unknown> = {}
  loop.self = loop
  for (const input of [loop, [1], 'text', 1n, { n: 1n }])
    assert.equal(brief(await remoteOf('http://127.0.0.1:9', OPEN).judge(call('read_file', input))), 'deny malformed_request')
})
