/** Sinks of log vendors against loopback servers that speak their documented wire format, with its faults. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, finish, makePlace, openAt, type Peer, planOf, sinkContract, start } from '../../../testkit/src/sink-contract.ts'
import type { OpenSink } from '../src/index.ts'
import { elasticsearchSink } from '../src/sinks/elasticsearch.ts'
import { splunkSink } from '../src/sinks/splunk.ts'
import { datadogSink, lokiSink, otlpSink, siemSink } from '../src/sinks/vendors.ts'
import { type HttpPeerOptions, openHttpPeer, type Posted } from './support/http-peer.ts'

const FAULTS = ['down', 'error', 'lying', 'lost answer'] as const
const seqOfKey = (key: string) => Number(key.slice(key.lastIndexOf('/') + 1))

async function vendorPeer(
  open: (url: string) => OpenSink,
  keys: (posted: Posted) => (string | undefined)[],
  options: HttpPeerOptions & Partial<Peer> = {},
): Promise<Peer> {
  const peer = await openHttpPeer(options)
  const { shape, faults = FAULTS } = options
  return {
    open: open(peer.url),
    ...(shape && { shape }),
    faults,
    fail: peer.fail,
    held: () =>
      peer.taken
        .flatMap(keys)
        .filter((key) => key !== undefined) // a probe has none
        .map(seqOfKey),
    drops: false,
    close: peer.close,
  }
}

sinkContract('datadog', () =>
  vendorPeer(
    (url) => datadogSink({ url, token: 't', hostname: 'h', now: Date.now }),
    ({ body }) => JSON.parse(body).map((entry: { sworn_key?: string }) => entry.sworn_key),
  ),
)

sinkContract('loki', () =>
  vendorPeer(
    (url) => lokiSink({ url, now: Date.now }),
    ({ body }) =>
      JSON.parse(body).streams.flatMap(({ values }: { values: [string, string, { sworn_key: string }?][] }) =>
        values.map(([, , metadata]) => metadata?.sworn_key),
      ),
    { accept: () => ({ status: 204, body: '' }) },
  ),
)

sinkContract('otlp', () =>
  vendorPeer(
    (url) => otlpSink({ url, now: Date.now }),
    ({ body }) => {
      const { resourceLogs } = JSON.parse(body)
      type Attribute = { key: string; value: { intValue?: string } }
      const records: { attributes: Attribute[] }[] = resourceLogs.flatMap((of: { scopeLogs: { logRecords: [] }[] }) =>
        of.scopeLogs.flatMap(({ logRecords }) => logRecords),
      )
      return records.map(({ attributes }) => attributes.find(({ key }) => key === 'sworn.seq')?.value.intValue ?? '')
    },
    { shape: { records: 'events', dialect: 'otlp' } },
  ),
)

sinkContract("Gantz's siem", () =>
  vendorPeer(
    (url) => siemSink({ url, token: 't', now: Date.now }),
    ({ body }) => JSON.parse(body).events.map(({ seq }: { seq: number }) => String(seq)),
  ),
)

/** An index that creates each id once; `partial` takes every second entry and answers 429 for the others. */
function elasticsearchPeer(): Promise<Peer> {
  const ids: string[] = []
  const idsOf = ({ body }: Posted): string[] =>
    body
      .trimEnd()
      .split('\n')
      .flatMap((line, i) => (i % 2 === 0 ? [JSON.parse(line).create._id] : []))
  const create = (id: string) => {
    if (ids.includes(id)) return { create: { _id: id, status: 409, error: { type: 'version_conflict_engine_exception' } } }
    ids.push(id)
    return { create: { _index: 'i', _id: id, status: 201 } }
  }
  const answer = (items: object[]) => ({ body: JSON.stringify({ errors: true, items }) })
  const one = ({ method, path }: Posted) => {
    const at = ids.indexOf(path.split('/_doc/')[1] ?? '')
    if (at >= 0 && method === 'DELETE') ids.splice(at, 1)
    return { status: at < 0 ? 404 : 200 }
  }
  return vendorPeer(
    (url) => elasticsearchSink({ url, index: 'aip-audit-%{+yyyy.MM.dd}', token: 'k', now: Date.now }),
    () => [],
    {
      accept: (posted) => (posted.method === 'POST' ? answer(idsOf(posted).map(create)) : one(posted)),
      takePart: (posted) => answer(idsOf(posted).map((id, i) => (i % 2 === 0 ? create(id) : { create: { _id: id, status: 429 } }))),
      shape: { records: 'events', dialect: 'ecs' },
    },
  ).then((peer) => ({
    ...peer,
    faults: [...FAULTS, 'partial' as const],
    held: () => ids.map(seqOfKey),
    drops: true,
    isUnordered: true as const,
  }))
}
sinkContract('elasticsearch', elasticsearchPeer)

/** A collector whose indexer has an entry only when it is asked for the acknowledgement. */
function splunkPeer(): Promise<Peer> {
  const waiting = new Map<string, string[]>()
  const indexed: string[] = []
  let next = 0
  const keysOf = (body: string): string[] => body.split('\n').map((line) => JSON.parse(line).fields.sworn_key)
  return vendorPeer(
    (url) => splunkSink({ url, token: 't', sourcetype: 'aip:audit', acknowledge: true, hostname: 'h', now: Date.now }),
    () => [],
    {
      lie: '{"text":"Success","code":0}',
      accept: ({ path, body, headers }) => {
        assert.equal(headers.authorization, 'Splunk t')
        if (body === '') return { status: 400, body: '{"text":"No data","code":5}' }
        if (path.startsWith('/services/collector/event')) {
          waiting.set(String(next), keysOf(body))
          return { body: JSON.stringify({ text: 'Success', code: 0, ackId: next++ }) }
        }
        const id = String(JSON.parse(body).acks[0])
        indexed.push(...(waiting.get(id) ?? []))
        waiting.delete(id)
        return { body: JSON.stringify({ acks: { [id]: true } }) }
      },
    },
  ).then((peer) => ({ ...peer, held: () => indexed.map(seqOfKey) }))
}
sinkContract('splunk', splunkPeer)

test('an entry that Elasticsearch cannot map is parked with the name of its error; the day is in the index', async (t) => {
  const indexes = new Set<string>()
  const peer = await openHttpPeer({
    accept: ({ body }) => {
      const lines = body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      const items = lines.flatMap((line, i) => {
        if (i % 2 === 1) return []
        indexes.add(line.create._index)
        const bad = JSON.stringify(lines[i + 1]).includes('tool_3')
        return [
          {
            create: bad
              ? { status: 400, error: { type: 'document_parsing_exception', reason: 'the value of the event' } }
              : { status: 201 },
          },
        ]
      })
      return { body: JSON.stringify({ errors: true, items }) }
    },
  })
  t.after(peer.close)
  const place = makePlace()
  const ledger = openAt(place)
  append(ledger, 0, 6)
  const open = elasticsearchSink({ url: peer.url, index: 'aip-audit-%{+yyyy.MM.dd}', now: Date.now })
  await finish(start(place.path, ledger.info.origin, [planOf({ open, shape: { dialect: 'ecs' } })]))
  const { readLetters } = await import('../src/dead-letters.ts')
  const { sinkPlaces } = await import('../src/index.ts')
  assert.deepEqual(
    readLetters(sinkPlaces(place.path, 'test').dead).map(({ reason }) => reason),
    ['HTTP 400 document_parsing_exception'],
  )
  assert.deepEqual([...indexes], ['aip-audit-2026.11.21'])
})
