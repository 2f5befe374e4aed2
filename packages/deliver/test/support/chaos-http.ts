/** Sinks whose other side is an HTTP server that fails: one row of the table each. @module */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { ascending, assertSame, assertSessions, type MakeSubject } from './chaos.ts'
import { openChaosPeer, type Wire } from './chaos-peers.ts'

/** Some events are refused for good, until somebody replays them. */
const isPoison = (seq: number) => seq % 499 === 7

const matched = (pattern: RegExp) => (_: IncomingMessage, body: string) => [...body.matchAll(pattern)].map(([, seq]) => Number(seq))
const keyed = (name: string) => matched(new RegExp(`"${name}":"[^"]*/(\\d+)"`, 'g'))
const lie = '{"error":"no"}'
const plain: Wire = { lie, seqs: matched(/"seq":(\d+)/g) }
const attributes: Wire = { lie, seqs: matched(/"sworn\.seq","value":\{"intValue":"(\d+)"/g) }

interface Row {
  readonly wire: Wire
  readonly config: (url: string) => { readonly type: string; readonly name?: string; readonly [member: string]: unknown }
  /** The end of the numbers of the events that it gets; absent: all. Where a request an event or a message a second would take too long. */
  readonly share?: string
  /** What it gets says the number of an event, not its seq. */
  readonly isNumbered?: true
  /** It is asked by id: the order of arrival says nothing there. */
  readonly isUnordered?: true
}

const ROWS: Readonly<Record<string, Row>> = {
  webhook: { wire: plain, config: (url) => ({ type: 'webhook', url, mode: 'batch' }) },
  'webhook, an event a request': { wire: plain, config: (url) => ({ type: 'webhook', name: 'each', url }), share: '7' },
  elasticsearch: {
    wire: {
      lie: '{"errors":true,"items":[]}',
      seqs: keyed('_id'),
      answer: (results) =>
        JSON.stringify({ errors: true, items: results.map(({ seq, status }) => ({ create: { _id: `x/${seq}`, status } })) }),
    },
    config: (url) => ({ type: 'elasticsearch', url, index: 'i', token: 't' }),
    isUnordered: true,
  },
  splunk: { wire: { lie, seqs: keyed('sworn_key') }, config: (url) => ({ type: 'splunk', url, token: 't', acknowledge: false }) },
  datadog: { wire: { lie, seqs: keyed('sworn_key') }, config: (url) => ({ type: 'datadog', url, token: 't' }) },
  loki: { wire: { lie, seqs: keyed('sworn_key') }, config: (url) => ({ type: 'loki', url, token: 't' }) },
  'otlp logs': { wire: attributes, config: (url) => ({ type: 'otlp', name: 'logs', url }) },
  'otlp traces': { wire: attributes, config: (url) => ({ type: 'otlp', name: 'traces', url, signal: 'traces' }) },
  siem: {
    wire: { lie, seqs: matched(/"event_id": ?"0190b0a0-0000-7000-8000-(\d{12})"/g) },
    config: (endpoint) => ({ type: 'siem', endpoint }),
    isNumbered: true,
  },
  cloudwatch: {
    wire: {
      lie,
      seqs: matched(/\\"seq\\":(\d+)/g),
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': '00000000-0000-4000-8000-000000000000' },
      refusal: { status: 400, text: '{"__type":"InvalidParameterException"}' },
    },
    config: (endpoint) => ({ type: 'cloudwatch', endpoint, region: 'r', group: 'g', access_key_id: 'AKIDEXAMPLE', secret_access_key: 's' }),
  },
  slack: {
    wire: { lie: 'no_service', taken: 'ok', seqs: matched(/seq=(\d+);/g), refusal: { status: 400, text: 'invalid_blocks' } },
    config: (url) => ({ type: 'slack', webhook_url: url, body: 'seq={{seq}};', start: 'beginning' }),
    share: '77',
  },
  pagerduty: {
    wire: { lie, taken: '{"status":"success"}', seqs: keyed('dedup_key'), refusal: { status: 400, text: '{"status":"invalid event"}' } },
    config: (url) => ({ type: 'pagerduty', url, routing_key: 'r'.repeat(32), start: 'beginning' }),
    share: '7',
  },
}

/** Of requests; among fewer some fault may be missing. */
const MANY = 200

export const HTTP_SINKS: Readonly<Record<string, MakeSubject>> = Object.fromEntries(
  Object.entries(ROWS).map(([what, { wire, config, share = '', isNumbered, isUnordered }]): [string, MakeSubject] => [
    what,
    async (random) => {
      const peer = await openChaosPeer(wire, random, isPoison)
      return {
        config: { ...config(peer.url), ...(share !== '' && { where: `tool.endsWith("${share}")` }) },
        behave: peer.behave,
        check(expected) {
          const numbers = [...expected.seqs.keys()].filter((n) => String(n).endsWith(share))
          const seqs = isNumbered ? numbers : numbers.map((n) => expected.seqs[n]!)
          assertSame(peer.held.toSorted(ascending), seqs, `what ${what} holds`)
          assertSame([...peer.refused].toSorted(ascending), seqs.filter(isPoison), `what ${what} refused`)
          const kept = peer.held.filter((seq) => !isPoison(seq)) // the others came when they were sent again
          if (!isUnordered) assertSessions(isNumbered ? kept.map((n) => expected.seqs[n]!) : kept, expected, what)
          const requests = peer.faults.values().reduce((sum, times) => sum + times, 0)
          assert.ok(requests < MANY || peer.faults.size > 4, `${what} had few faults: ${[...peer.faults.keys()]}`)
        },
        close: peer.close,
      }
    },
  ]),
)
