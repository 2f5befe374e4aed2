/** Webhook and approval API: what arrives from a network approves only when it is signed or authorised, fresh and exact. @module */
import assert from 'node:assert/strict'
import type { OutgoingHttpHeaders } from 'node:http'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { AuditEvent } from '@sworn/recorder'
import {
  createApprovalApi,
  createWebhookChannel,
  isSignedWebhook,
  parseWebhookSecret,
  type Question,
  signWebhook,
} from '../src/approvals/index.ts'
import { ask, CALL, createRoom, requestOf, START_MS } from './support/approvals.ts'
import { bearer, createReceiver, postTo, SECRET, signedHeaders, TOKEN, webhookAnswer } from './support/channel-drivers.ts'

const OTHER_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`

/** Asks by webhook; the receiver answers what `reply` says. */
async function byWebhook(
  reply: (question: Question, sent: string) => { status?: number; headers?: OutgoingHttpHeaders; body?: string | Buffer },
) {
  const receiver = await createReceiver()
  try {
    const channel = createWebhookChannel({ url: receiver.url, secret: SECRET, now: () => START_MS })
    const { approvals, time } = createRoom([channel])
    const { question, settlement } = await ask(approvals)
    const { response, body: sent, headers } = await receiver.arrived()
    const { status = 200, headers: own = {}, body = '' } = reply(question, sent)
    response.writeHead(status, own).end(body)
    const result = await settlement
    await approvals.close()
    return { result, sent, headers, question, time }
  } finally {
    await receiver.close()
  }
}

const good = (question: Question) => webhookAnswer(question, true)

describe('a webhook', () => {
  test('gets the redacted question with Standard Webhooks headers that its secret verifies', async () => {
    const { sent, headers, question } = await byWebhook((asked) => ({ headers: signedHeaders(asked.id, good(asked)), body: good(asked) }))
    assert.partialDeepStrictEqual(JSON.parse(sent), {
      type: 'approval.requested',
      data: { id: question.id, text: question.text, shown_hash: question.shownHash },
    })
    assert.ok(!sent.includes(CALL.token))
    const got = new Headers(
      Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])) as [string, string][],
    )
    assert.equal(isSignedWebhook(parseWebhookSecret(SECRET), `approval_${question.id}`, START_MS, got, sent), true)
  })

  test('signs as Standard Webhooks does: a published example gives the same signature', () => {
    const key = parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const signed = signWebhook(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}')
    assert.equal(signed['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  test('may rotate its secret: one good signature among several is enough', async () => {
    const { result } = await byWebhook((question) => {
      const headers = signedHeaders(question.id, good(question))
      const other = signedHeaders(question.id, good(question), START_MS, OTHER_SECRET)['webhook-signature']
      return { headers: { ...headers, 'webhook-signature': `v1a,x ${other} ${headers['webhook-signature']}` }, body: good(question) }
    })
    assert.equal(result.answer, 'approved')
    assert.equal(result.members.human_decision?.approver, 'grace')
  })

  const signed = (question: Question, body: string) => ({ headers: signedHeaders(question.id, body), body })
  const hostile: [string, Parameters<typeof byWebhook>[0], string][] = [
    ['without a signature', (question) => ({ body: good(question) }), 'unsigned'],
    ['signed with another secret', (q) => ({ headers: signedHeaders(q.id, good(q), START_MS, OTHER_SECRET), body: good(q) }), 'unsigned'],
    ['signed six minutes ago', (q) => ({ headers: signedHeaders(q.id, good(q), START_MS - 360_000), body: good(q) }), 'unsigned'],
    ['signed in six minutes', (q) => ({ headers: signedHeaders(q.id, good(q), START_MS + 360_000), body: good(q) }), 'unsigned'],
    ['replayed from another question', (q) => ({ headers: signedHeaders('f'.repeat(32), good(q)), body: good(q) }), 'unsigned'],
    ['changed on its way', (q) => ({ headers: signedHeaders(q.id, webhookAnswer(q, false)), body: good(q) }), 'unsigned'],
    ['that is our own question, sent back', (q, sent) => signed(q, sent), 'unusable_answer'],
    ['for other bytes', (q) => signed(q, webhookAnswer({ ...q, shownHash: 'sha256:0' }, true)), 'unusable_answer'],
    ['for another id', (q) => signed(q, webhookAnswer({ ...q, id: 'f'.repeat(32) }, true)), 'unusable_answer'],
    ['that says "true" in words', (q) => signed(q, webhookAnswer(q, true, { approved: 'true' })), 'unusable_answer'],
    ['for a scope that was not offered', (q) => signed(q, webhookAnswer(q, true, { scope: 'forever' })), 'unusable_answer'],
    ['with a member too many', (q) => signed(q, webhookAnswer(q, true, { isAdmin: true })), 'unusable_answer'],
    ['that is no JSON', (q) => signed(q, 'approved'), 'unusable_answer'],
    ['that is empty', (q) => signed(q, ''), 'unusable_answer'],
    ['of a megabyte', (q) => signed(q, webhookAnswer(q, true, { reason: 'x'.repeat(1 << 20) })), 'unusable_answer'],
    ['that is no UTF-8', () => ({ body: Buffer.from([0x7b, 0xff, 0x7d]) }), 'unusable_answer'],
    ['with status 500', (q) => ({ status: 500, ...signed(q, good(q)) }), 'refused'],
    ['with status 201', (q) => ({ status: 201, ...signed(q, good(q)) }), 'refused'],
  ]
  for (const [what, reply, why] of hostile) {
    test(`an answer ${what} never approves, and the record says ${why}`, async () => {
      const { result } = await byWebhook(reply)
      assert.equal(result.answer, 'unavailable')
      assert.deepEqual(result.members.metadata?.approval.failed, [`webhook: ${why}`])
    })
  }

  test('that redirects is not followed, although the other place would sign', async () => {
    const [receiver, other] = [await createReceiver(), await createReceiver()]
    try {
      const { approvals } = createRoom([createWebhookChannel({ url: receiver.url, secret: SECRET, now: () => START_MS })])
      const { question, settlement } = await ask(approvals)
      const body = good(question)
      void other.arrived().then(({ response }) => response.writeHead(200, signedHeaders(question.id, body)).end(body))
      ;(await receiver.arrived()).response.writeHead(307, { location: other.url }).end()
      const { answer, members } = await settlement
      assert.deepEqual([answer, members.metadata?.approval.failed, other.held.length], ['unavailable', ['webhook: unreachable'], 0])
      await approvals.close()
    } finally {
      await receiver.close()
      await other.close()
    }
  })

  test('that answers 202 leaves the question to the approval API', async () => {
    const receiver = await createReceiver()
    try {
      const api = createApprovalApi({ tokens: [{ token: TOKEN, approver: 'grace' }] })
      const webhook = createWebhookChannel({ url: receiver.url, secret: SECRET, now: () => START_MS })
      const { approvals } = createRoom([webhook, api.channel])
      const { question, settlement } = await ask(approvals)
      ;(await receiver.arrived()).response.writeHead(202).end()
      const response = await api.route(postTo(question.id, { shown_hash: question.shownHash, approved: true }))
      assert.equal(response?.status, 200)
      const { members } = await settlement
      assert.deepEqual([members.human_decision?.channel, members.human_decision?.approver], ['api', 'grace'])
      await approvals.close()
    } finally {
      await receiver.close()
    }
  })

  test('is refused by its configuration: plain HTTP beyond loopback, names and passwords, weak secrets', () => {
    const urls = [
      'http://approvals.example/x',
      'http://127.0.0.1.example/',
      'https://user:pw@approvals.example/',
      'ftp://x/',
      'file:///x',
      'x',
      '',
    ]
    for (const url of urls) assert.throws(() => createWebhookChannel({ url, secret: SECRET }), { code: 'CONFIG_INVALID' }, url)
    for (const url of ['https://approvals.example/x', 'http://localhost:1/', 'http://127.0.0.1/', 'http://[::1]:1/'])
      assert.doesNotThrow(() => createWebhookChannel({ url, secret: SECRET }), url)
    for (const secret of ['', 'whsec_', 'whsec_c2hvcnQ=', 'secret', `whsec_${'A'.repeat(200)}`]) {
      assert.throws(
        () => createWebhookChannel({ url: 'https://x.example/', secret }),
        (error: Error & { code: string }) =>
          error.code === 'CONFIG_INVALID' && (secret.length < 8 || !error.message.includes(secret.slice(6))),
      )
    }
  })
})

describe('the approval API', () => {
  async function withApi() {
    const refused: AuditEvent[] = []
    let ms = 0
    const api = createApprovalApi({
      tokens: [
        { token: TOKEN, approver: 'grace' },
        { token: 'another-token-of-theirs', approver: 'linus' },
      ],
      origins: ['https://dashboard.example'],
      note: (event) => void refused.push(event),
      clock: () => ms,
      remembered: () => room.approvals.remembered(),
    })
    const room = createRoom([api.channel])
    const asked = await ask(room.approvals)
    const send = async (request: Request) => (await api.route(request))!
    const list = async () =>
      (await (await send(new Request('http://localhost/api/approvals', { headers: bearer }))).json()) as {
        pending: unknown[]
        remembered: unknown[]
      }
    return { ...room, ...asked, api, send, list, refused, sleep: (by: number) => void (ms += by) }
  }
  const yes = (question: Question, over = {}) => ({ shown_hash: question.shownHash, approved: true, ...over })

  test('lists what waits, redacted, and what is remembered', async () => {
    const { question, send, list, settlement } = await withApi()
    const before = await list()
    assert.partialDeepStrictEqual(before, {
      pending: [{ id: question.id, text: question.text, shown_hash: question.shownHash }],
      remembered: [],
    })
    assert.ok(!JSON.stringify(before).includes(CALL.token))
    assert.equal((await send(postTo(question.id, yes(question, { scope: 'session' })))).status, 200)
    await settlement
    assert.partialDeepStrictEqual(await list(), { pending: [], remembered: [{ scope: 'session', tool: 'write_file', approver: 'grace' }] })
  })

  test('says who approved by the token, never by the body', async () => {
    const { question, send, settlement } = await withApi()
    assert.equal((await send(postTo(question.id, yes(question, { approver: 'root' })))).status, 422)
    const linus = { ...bearer, authorization: 'Bearer another-token-of-theirs' }
    assert.equal((await send(postTo(question.id, yes(question, { reason: 'looks fine' }), linus))).status, 200)
    assert.partialDeepStrictEqual((await settlement).members.human_decision, { approver: 'linus', channel: 'api', reason: 'looks fine' })
  })

  test('answers 409 to whoever comes later, and the answer is recorded as late', async () => {
    const { question, send, settlement, notes } = await withApi()
    await send(postTo(question.id, yes(question, { approved: false })))
    const late = await send(postTo(question.id, yes(question)))
    assert.deepEqual([late.status, await late.json()], [409, { error: 'late', reason: 'The question was settled before' }])
    assert.equal((await settlement).answer, 'denied')
    assert.deepEqual(
      notes.map(({ reason_code }) => reason_code),
      ['approval_late'],
    )
  })

  const json = bearer['content-type']
  const hostile: [string, number, (question: Question) => Request][] = [
    ['without a token', 401, (q) => postTo(q.id, yes(q), { 'content-type': json })],
    ['with a wrong token', 401, (q) => postTo(q.id, yes(q), { ...bearer, authorization: `Bearer ${TOKEN}x` })],
    ['with a token in another scheme', 401, (q) => postTo(q.id, yes(q), { ...bearer, authorization: `Basic ${TOKEN}` })],
    ['with a token of a megabyte', 401, (q) => postTo(q.id, yes(q), { ...bearer, authorization: `Bearer ${'x'.repeat(1 << 20)}` })],
    ['from a page of another origin', 403, (q) => postTo(q.id, yes(q), { ...bearer, origin: 'https://evil.example' })],
    ['from a page without an origin of its own', 403, (q) => postTo(q.id, yes(q), { ...bearer, origin: 'null' })],
    ['as a form', 415, (q) => postTo(q.id, yes(q), { ...bearer, 'content-type': 'text/plain' })],
    ['beyond 16 KiB', 413, (q) => postTo(q.id, yes(q, { reason: 'x'.repeat(20_000) }))],
    ['for an unknown question', 404, (q) => postTo('f'.repeat(32), yes(q))],
    ['for a path trick', 404, (q) => postTo('%2e%2e%2f', yes(q))],
    ['for other bytes', 422, (q) => postTo(q.id, yes(q, { shown_hash: 'sha256:0' }))],
    ['that says "true" in words', 422, (q) => postTo(q.id, yes(q, { approved: 'true' }))],
    ['that is null', 422, (q) => postTo(q.id, null)],
    ['by GET', 405, (q) => new Request(`http://localhost/api/approvals/${q.id}`, { headers: bearer })],
    [
      'to the list',
      405,
      (q) => new Request('http://localhost/api/approvals', { method: 'POST', headers: bearer, body: JSON.stringify(yes(q)) }),
    ],
  ]
  for (const [what, status, request] of hostile) {
    test(`an answer ${what} is ${status} and approves nothing`, async () => {
      const { question, send, settlement, time } = await withApi()
      const response = await send(request(question))
      assert.equal(response.status, status)
      assert.equal(response.headers.get('cache-control'), 'no-store')
      assert.equal(response.headers.get('www-authenticate'), status === 401 ? 'Bearer' : null)
      assert.equal(response.headers.has('allow'), status === 405)
      const { error, reason } = (await response.json()) as Record<string, unknown>
      assert.ok(typeof error === 'string' && typeof reason === 'string')
      time.pass(60_000)
      assert.equal((await settlement).answer, 'timeout')
    })
  }

  test('an answer that is sent byte by byte is cut off five seconds after it began, and approves nothing', async (t) => {
    const { question, send, settlement, time } = await withApi()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const bytes = Buffer.from(JSON.stringify(yes(question)))
    let sent = 0
    let ended = false
    const body = new ReadableStream<Uint8Array>({
      async pull(to) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        if (!ended) to.enqueue(bytes.subarray(sent, ++sent))
      },
      cancel: () => void (ended = true),
    })
    const { url } = postTo(question.id, {})
    let status: number | undefined
    const request = new Request(url, { method: 'POST', headers: bearer, body, duplex: 'half' })
    void send(request).then((response) => (status = response.status))
    for (let ms = 0; ms < 4900; ms += 100) {
      await turn()
      t.mock.timers.tick(100)
    }
    await turn()
    assert.deepEqual([status, ended, sent], [undefined, false, 49])
    t.mock.timers.tick(100)
    await turn()
    assert.deepEqual([status, ended], [408, true])
    time.pass(60_000)
    assert.equal((await settlement).answer, 'timeout')
  })

  test('a known origin may call, and other paths are left to others', async () => {
    const { question, send, api } = await withApi()
    assert.equal((await send(postTo(question.id, yes(question), { ...bearer, origin: 'https://dashboard.example' }))).status, 200)
    for (const path of ['/', '/api', '/api/approvals/', '/api/approvals/a/b', '/x/api/approvals'])
      assert.equal(await api.route(new Request(`http://localhost${path}`)), undefined)
  })

  test('requests without a good token are recorded, at most one a second', async () => {
    const { send, refused, sleep } = await withApi()
    for (let n = 0; n < 100; n++) await send(new Request('http://localhost/api/approvals'))
    assert.equal(refused.length, 1)
    sleep(1000)
    await send(new Request('http://localhost/api/approvals'))
    assert.deepEqual(
      refused.map(({ event_type }) => event_type),
      ['auth_failure', 'auth_failure'],
    )
  })

  test('short tokens and no tokens are refused when it is made', () => {
    assert.throws(() => createApprovalApi({ tokens: [] }), TypeError)
    assert.throws(() => createApprovalApi({ tokens: [{ token: 'short', approver: 'x' }] }), TypeError)
  })

  test('a question settled two hundred questions ago is unknown: what is kept is bounded', async () => {
    const api = createApprovalApi({ tokens: [{ token: TOKEN, approver: 'grace' }] })
    const { approvals } = createRoom([api.channel], { limit: { prompts: 2000 } })
    const first = await ask(approvals)
    first.cancel()
    const statusOf = async () => (await api.route(postTo(first.question.id, yes(first.question))))!.status
    assert.equal(await statusOf(), 409)
    for (let n = 0; n < 200; n++) (await ask(approvals, requestOf({ n }))).cancel()
    assert.equal(await statusOf(), 404)
  })
})
