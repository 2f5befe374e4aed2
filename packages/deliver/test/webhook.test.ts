/** The webhook sink against a loopback server: contract, signature, CloudEvents, addresses, redirects. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import { append, finish, makePlace, openAt, planOf, sinkContract, start, until } from '../../../testkit/src/sink-contract.ts'
import { addressKind } from '../src/http.ts'
import { type WebhookOptions, webhookSink } from '../src/sinks/webhook.ts'
import { openHttpPeer, type Posted } from './support/http-peer.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const OPTIONS = { mode: 'each', contentType: 'application/json', parallel: 4, origin: 'sworn.local/x', now: Date.now } as const

/** The server of a receiver that keeps ids: what comes twice is dropped there. */
async function peerOf(options: Partial<WebhookOptions>, seqs: (posted: Posted) => number[]) {
  const peer = await openHttpPeer()
  const held = () => {
    const ids = new Set<string | undefined>()
    return peer.taken.flatMap((posted) => {
      const id = String(posted.headers['webhook-id'])
      if (ids.has(id) || id.includes('/probe/')) return []
      ids.add(id)
      return seqs(posted)
    })
  }
  const faults = ['down', 'error', 'lying', 'lost answer'] as const
  return { ...peer, open: webhookSink({ ...OPTIONS, url: peer.url, ...options }), faults, held, drops: options.mode !== 'batch' }
}

sinkContract('webhook, one event a request', () => peerOf({ secret: SECRET }, ({ body }) => [JSON.parse(body).seq]))
sinkContract('webhook, batches', () => peerOf({ mode: 'batch' }, ({ body }) => JSON.parse(body).map((event: { seq: number }) => event.seq)))
sinkContract('webhook, CloudEvents binary', () => peerOf({ mode: 'binary' }, ({ headers }) => [Number(headers['ce-swornseq'])]))

async function deliverTo(options: Partial<WebhookOptions>, count = 3, plan: Parameters<typeof planOf>[1] = {}): Promise<Posted[]> {
  const peer = await openHttpPeer()
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, count)
  await finish(start(place.path, ledger.info.origin, [planOf({ open: webhookSink({ ...OPTIONS, url: peer.url, ...options }) }, plan)]))
  await peer.close()
  return peer.taken
}

test('a receiver checks the signature of Standard Webhooks over id, time and body', async () => {
  const [posted] = await deliverTo({ secret: SECRET, now: () => 1_795_000_000_999 })
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = posted!.headers
  assert.equal(time, '1795000000')
  assert.match(String(id), /^sworn\.local\/.+\/\d+$/)
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`${id}.${time}.${posted!.body}`).digest('base64')
  assert.equal(signature, `v1,${mac}`)
})

test('structured CloudEvents have their media type, binary ones their attributes in headers', async () => {
  const shape = { records: 'events', dialect: 'cloudevents' } as const
  const [structured] = await deliverTo({ contentType: 'application/cloudevents+json' }, 1, { shape })
  assert.equal(structured!.headers['content-type'], 'application/cloudevents+json')
  assert.equal(JSON.parse(structured!.body).specversion, '1.0')
  const [binary] = await deliverTo({ mode: 'binary' }, 1)
  assert.equal(binary!.headers['ce-type'], 'dev.sworn.tool_call_end')
  assert.equal(binary!.headers['ce-specversion'], '1.0')
  assert.equal(JSON.parse(binary!.body).event_type, 'tool_call_end')
})

test('an event that is refused for good is parked with the reason, the others arrive', async () => {
  const peer = await openHttpPeer({ accept: ({ body }) => ({ status: body.includes('"tool":"tool_4"') ? 422 : 200 }) })
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 10)
  const open = webhookSink({ ...OPTIONS, url: peer.url, mode: 'batch' })
  await finish(start(place.path, ledger.info.origin, [planOf({ open })]))
  const letters = readFileSync(join(place.path, 'sinks', 'test', 'dead.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(letters.length, 1)
  assert.equal(letters[0].reason, 'HTTP 422')
  assert.equal(JSON.parse(letters[0].line).tool, 'tool_4')
  await peer.close()
})

test('a redirect is not followed, and the trouble names no address', async () => {
  const elsewhere = await openHttpPeer()
  const peer = await openHttpPeer({ accept: () => ({ status: 302 }) })
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 1)
  const delivery = start(place.path, ledger.info.origin, [planOf({ open: webhookSink({ ...OPTIONS, url: `${peer.url}?token=secret` }) })])
  await until(() => peer.seen.length > 2)
  await delivery.close()
  const trouble = readFileSync(join(place.path, 'sinks', 'test', 'trouble.json'), 'utf8')
  assert.equal(JSON.parse(trouble).reason, 'HTTP 302: redirects are not followed')
  assert.ok(!trouble.includes('secret'))
  assert.equal(elsewhere.seen.length, 0)
  await Promise.all([peer.close(), elsewhere.close()])
})

test('addresses are allowed by kind, names by what they lead to', async () => {
  const kinds = {
    '127.0.0.1': 'loopback',
    '169.254.169.254': 'link_local',
    '10.1.2.3': 'private',
    '93.184.216.34': 'public',
    '::1': 'loopback',
    '::ffff:10.0.0.1': 'private',
    'fe80::1': 'link_local',
  }
  for (const [address, kind] of Object.entries(kinds)) assert.equal(addressKind(address), kind, address)
  const peer = await openHttpPeer()
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 1)
  const url = peer.url.replace('127.0.0.1', 'localhost')
  const delivery = start(place.path, ledger.info.origin, [planOf({ open: webhookSink({ ...OPTIONS, url, addresses: ['public'] }) })])
  await until(() => {
    try {
      return JSON.parse(readFileSync(join(place.path, 'sinks', 'test', 'trouble.json'), 'utf8')).reason.includes('address not allowed')
    } catch {
      return false
    }
  })
  await delivery.close()
  assert.equal(peer.seen.length, 0)
  await peer.close()
})

test('a secret or URL that is none is refused and not repeated', () => {
  const secret = 'whsec_c2hvcnQ='
  assert.throws(
    () => webhookSink({ ...OPTIONS, url: 'http://127.0.0.1/', secret }),
    (e) => SwornError.is(e, 'CONFIG_INVALID') && !e.message.includes('c2hv'),
  )
})
