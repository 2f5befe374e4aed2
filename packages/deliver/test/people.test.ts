/** Slack and PagerDuty against loopback servers that answer as their documentation says; what people get to read. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { append, finish, makePlace, openAt, planOf, sinkContract, start } from '../../../testkit/src/sink-contract.ts'
import { later } from '../../../testkit/src/suite.ts'
import { type Item, planSinks } from '../src/index.ts'
import { pagerDutySink } from '../src/sinks/pagerduty.ts'
import { slackSink } from '../src/sinks/slack.ts'
import { createTemplate, template } from '../src/sinks/template.ts'
import { openHttpPeer, type Posted } from './support/http-peer.ts'

const FAULTS = ['down', 'error', 'lying', 'lost answer'] as const
const KEY = 'r'.repeat(32)
const SEQ = createTemplate('seq={{seq}};')
const itemOf = (event: Record<string, unknown>, seq = 7): Item => {
  const whole = { event_type: 'security_alert', ...event } as Item['event']
  return { seq, key: `sworn.local/x/${seq}`, entryHash: 'a'.repeat(64), event: whole, body: '', line: '' }
}
const send = async (open: ReturnType<typeof slackSink>, items: readonly Item[]) =>
  (await open(undefined)).send(items, new AbortController().signal)

const isProbe = (body: string) => JSON.parse(body).text === '' || JSON.parse(body).event_action === 'resolve'

sinkContract(
  'slack',
  async () => {
    const peer = await openHttpPeer({
      accept: ({ body }) => (isProbe(body) ? { status: 400, body: 'no_text' } : { body: 'ok' }),
      lie: 'no_service',
    })
    const seqsOf = ({ body }: Posted) => [...JSON.stringify(JSON.parse(body).blocks).matchAll(/seq=(\d+);/g)].map(([, seq]) => Number(seq))
    return {
      ...peer,
      open: slackSink({ url: peer.url, subject: createTemplate('{{tool}}'), body: SEQ, paceMs: 0, now: Date.now }),
      faults: FAULTS,
      held: () => peer.taken.flatMap(seqsOf),
      drops: false,
    }
  },
  later,
)

/** Takes each dedup_key as one alert. */
sinkContract(
  'pagerduty',
  async () => {
    const peer = await openHttpPeer({ accept: () => ({ status: 202, body: '{"status":"success"}' }), lie: '{"status":"no"}' })
    return {
      ...peer,
      open: pagerDutySink({ url: peer.url, routingKey: KEY, subject: SEQ, origin: 'sworn.local/x', now: Date.now }),
      faults: FAULTS,
      held: () => {
        const alerts = peer.taken.filter(({ body }) => !isProbe(body)).map(({ body }) => JSON.parse(body))
        return [...new Map(alerts.map(({ dedup_key, payload }) => [dedup_key, payload.custom_details.seq])).values()]
      },
      drops: true,
    }
  },
  later,
)

test('a template shows what an event has, leaves out lines of which nothing is known, and nothing that an event says can move text', () => {
  const shown = createTemplate('{{severity}} {{ tool }} end\nrule {{metadata.rule}} of {{metadata.evidence.1}}\nby {{user}}\n{{key}}')
  const item = itemOf({ severity: 'error', metadata: { rule: 'r\nfaked: line\u202e', evidence: [1, 2] } })
  assert.equal(shown(item), 'error end\nrule r faked: line\ufffd of 2\nsworn.local/x/7')
  assert.equal(createTemplate('{{constructor}}{{metadata.__proto__}}{{metadata.toString}}')(itemOf({ metadata: {} })), '')
  assert.equal(createTemplate('{{a}}')(itemOf({ a: 'x'.repeat(5000) })).length, 1000)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const text = createTemplate('{{a}}|{{metadata.b}}')(itemOf({ a, metadata: { b } }))
      assert.ok(text.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) && text.length <= 2001)
    }),
  )
})

test('what is no template is refused when the configuration is read', () => {
  for (const text of ['{{', 'a }} b', '{{}}', '{{a..b}}', '{{a b}}', '{{#if a}}', '{{"a"}}', '{{a}}'.repeat(65), 'x'.repeat(4097), ''])
    assert.equal(template.safeParse(text).success, false, text.slice(0, 20))
  for (const text of ['plain', '{ {', '{{a}}{{ b.c-d.0 }}', '{{a}}'.repeat(64)]) assert.equal(template.safeParse(text).success, true, text)
})

test('in Slack no value mentions anybody or makes a link, and no text is longer than Slack takes', async (t) => {
  const peer = await openHttpPeer({ accept: () => ({ body: 'ok' }) })
  t.after(peer.close)
  const body = createTemplate('<!here> {{reason}}\n{{metadata}}')
  const open = slackSink({ url: peer.url, subject: createTemplate('{{tool}}'), body, paceMs: 0, now: Date.now })
  const hostile = '<!channel> @here @everyone <https://evil.example|click> & &lt;'
  assert.deepEqual(
    await send(open, [itemOf({ tool: '<@U1>', reason: hostile }), itemOf({ reason: '&'.repeat(900), metadata: { x: '&'.repeat(900) } })]),
    {},
  )
  const { text, blocks, link_names } = JSON.parse(peer.taken[0]!.body)
  const [first, second] = blocks
  assert.equal(
    first.text.text,
    '*&lt;@U1&gt;*\n<!here> &lt;!channel&gt; @\u2060here @\u2060everyone &lt;https://evil.example|click&gt; &amp; &amp;lt;',
  )
  assert.deepEqual([first.text.type, first.text.verbatim, link_names], ['mrkdwn', true, false])
  assert.ok(second.text.text.length <= 3000 && text.length <= 40_000)
  assert.match(second.text.text, /&amp;…$/)
})

test('messages to Slack keep their distance, and a Retry-After is kept', async (t) => {
  const times: number[] = []
  let status = 429
  const peer = await openHttpPeer({
    accept: () => {
      times.push(performance.now())
      return { status, body: 'ok' }
    },
  })
  t.after(peer.close)
  const sink = await slackSink({ url: peer.url, subject: SEQ, body: SEQ, paceMs: 60, now: Date.now })(undefined)
  const { signal } = new AbortController()
  assert.equal((await sink.send([itemOf({})], signal)).again?.reason, 'HTTP 429')
  status = 200
  for (let n = 0; n < 3; n++) assert.deepEqual(await sink.send([itemOf({})], signal), {})
  for (const [n, time] of times.entries()) if (n > 0) assert.ok(time - times[n - 1]! >= 59, 'sooner than the pace')
})

test('what Slack refuses is parked, a webhook that is gone is trouble for the operator', async (t) => {
  const answers: Record<string, number> = { tool_2: 400 }
  const peer = await openHttpPeer({ accept: ({ body }) => ({ status: answers[/tool_\d/.exec(body)?.[0] ?? ''] ?? 200, body: 'ok' }) })
  t.after(peer.close)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 4)
  const open = slackSink({ url: peer.url, subject: createTemplate('{{tool}}'), body: SEQ, paceMs: 0, now: Date.now })
  await finish(start(place.path, ledger.info.origin, [planOf({ open }, { batch: { items: 1, lingerMs: 0 } })]))
  const [letter] = readFileSync(join(place.path, 'sinks', 'test', 'dead.jsonl'), 'utf8').split('\n')
  assert.equal(JSON.parse(letter!).reason, 'HTTP 400')
  const gone = await openHttpPeer({ accept: () => ({ status: 404, body: 'no_service' }) })
  t.after(gone.close)
  const outcome = await send(slackSink({ url: gone.url, subject: SEQ, body: SEQ, paceMs: 0, now: Date.now }), [itemOf({})])
  assert.equal(outcome.again?.reason, 'HTTP 404')
})

test('an alert of PagerDuty: its key, its severity, its bounds; what is no event there is parked', async (t) => {
  const peer = await openHttpPeer({
    accept: ({ body }) =>
      body.includes('refuse') ? { status: 400, body: '{"status":"invalid event"}' } : { status: 202, body: '{"status":"success"}' },
  })
  t.after(peer.close)
  const options = { url: peer.url, routingKey: KEY, subject: createTemplate('{{reason}}'), origin: 'sworn.local/x', now: Date.now }
  const severities = ['critical', 'error', 'warning', 'info', 'debug']
  const items = severities.map((severity, seq) => itemOf({ severity, reason: 'r'.repeat(999), metadata: { rule: 'denial_spike' } }, seq))
  assert.deepEqual(await send(pagerDutySink(options), items), { refused: [] })
  const alerts = peer.taken.map(({ body }) => JSON.parse(body))
  assert.deepEqual(
    alerts.map(({ payload }) => payload.severity),
    ['critical', 'error', 'warning', 'info', 'info'],
  )
  assert.deepEqual([alerts[0].dedup_key, alerts[0].event_action, peer.taken[0]!.path], ['sworn.local/x/0', 'trigger', '/v2/enqueue'])
  const byRule = { ...options, dedupKey: createTemplate('{{metadata.rule}}') }
  await send(pagerDutySink(byRule), [items[0]!, itemOf({ metadata: { rule: 'x'.repeat(300) } }), itemOf({})])
  const keys = peer.taken.slice(5).map(({ body }) => JSON.parse(body).dedup_key)
  assert.deepEqual([keys[0], keys[1].length, keys[2]], ['denial_spike', 64, 'sworn.local/x/7'])
  const outcome = await send(pagerDutySink(options), [itemOf({ reason: 'refuse' }), itemOf({ result: 'é'.repeat(600_000) })])
  assert.deepEqual(outcome.refused, [{ index: 0, reason: 'HTTP 400' }])
  const large = peer.taken.at(-1)!
  assert.ok(Buffer.byteLength(large.body) < 512 << 10)
  assert.equal(JSON.parse(large.body).payload.custom_details.key, 'sworn.local/x/7')
})

test('an event that ends an alert of PagerDuty resolves it by its key, and what is none triggers', async (t) => {
  const peer = await openHttpPeer({ accept: () => ({ status: 202, body: '{"status":"success"}' }) })
  t.after(peer.close)
  const config = {
    ...{ type: 'pagerduty', url: peer.url, addresses: ['loopback'], routing_key: KEY },
    ...{
      where: 'event_type in ["security_alert", "session_end"]',
      dedup_key: '{{session_id}}',
      resolve_where: 'event_type == "session_end"',
    },
  }
  const context = { origin: 'sworn.local/x', version: '0', stdout: process.stdout, now: Date.now, ledgerPath: '/x' }
  const plans = (sink: object) => planSinks([sink], [], context)
  const events = [{ session_id: 'a', reason: 'r' }, { event_type: 'session_end', session_id: 'a' }, { event_type: 'session_end' }]
  assert.deepEqual(await send(plans(config)[0]!.open, events.map(itemOf)), { refused: [] })
  const [first, ...rest] = peer.taken.map(({ body }) => JSON.parse(body))
  assert.deepEqual([first.event_action, first.dedup_key], ['trigger', 'a'])
  assert.deepEqual(rest, [
    { routing_key: KEY, event_action: 'resolve', dedup_key: 'a' },
    { routing_key: KEY, event_action: 'resolve', dedup_key: 'sworn.local/x/2' },
  ])
  const { dedup_key: _, ...nameless } = config
  assert.throws(() => plans(nameless), /a dedup_key was expected/)
  assert.throws(() => plans({ ...config, resolve_where: 'event_type ==' }), /FILTER_INVALID|expected/)
})
