/**
 * What Elasticsearch or OpenSearch holds of a ledger: documents by their id, which is the entry's key.
 *
 * Only ids that are asked for are found; a document of the same id in two indices is found twice. What was indexed a
 * moment ago is seen after the index was refreshed, which is asked for first where the key may.
 * Source: Elasticsearch 8 and 9, `ids` query.
 * @module
 */
import { isJsonObject, type JsonValue, SwornError } from '@sworn/verify'
import type { Held, OpenHoldings, Range } from '../holdings.ts'
import { createSender, type HttpOptions, type HttpSender } from '../http.ts'
import { jsonOf } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { endpoint } from './bulk.ts'
import { DAY } from './elasticsearch.ts'

export interface ElasticsearchHoldingsOptions extends HttpOptions {
  readonly index: string
  readonly token?: string | undefined
  /** The ledger's. */
  readonly origin: string
}

/** Documents of one answer: entries of the usual bound fill less than half of `MAX_ANSWER`. */
const ASKED = 250
const MAX_ANSWER = 64 << 20

export function elasticsearchHoldings({ url, index, token, origin, ...http }: ElasticsearchHoldingsOptions): OpenHoldings {
  const indices = encodeURIComponent(index.replace(DAY, '*'))
  const senderOf = (path: string) =>
    createSender({ ...http, url: endpoint(url, `/${indices}/${path}?ignore_unavailable=true`), maxAnswer: MAX_ANSWER })
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `ApiKey ${token}` }) }
  return async () => {
    const refresh = senderOf('_refresh')
    const search = senderOf('_search')
    await refresh.post('', headers, AbortSignal.timeout(30_000)).catch(() => {}) // the search says what is wrong
    return {
      compares: 'values',
      findsExtra: false,
      async *read({ from, to }, signal): AsyncGenerator<Held> {
        for (let at = from; at < to; at += ASKED)
          yield* await find(search, { headers, origin, range: { from: at, to: Math.min(to, at + ASKED) } }, signal)
      },
      async close() {
        refresh.close()
        search.close()
      },
    }
  }
}

interface Search {
  readonly headers: Readonly<Record<string, string>>
  readonly origin: string
  readonly range: Range
}

/** @throws SwornError SINK_UNREADABLE */
async function find(sender: HttpSender, { headers, origin, range }: Search, signal: AbortSignal): Promise<readonly Held[]> {
  const values = Array.from({ length: range.to - range.from }, (_, i) => `${origin}/${range.from + i}`)
  const query = JSON.stringify({ query: { ids: { values } }, size: 2 * ASKED, track_total_hits: true })
  const answer = await sender.post(query, headers, signal).catch((cause) => {
    throw unreadable(reasonOf(cause), cause)
  })
  if (answer.status === 404) return [] // no such index
  if (answer.status !== 200) throw unreadable(`HTTP ${answer.status}`)
  const hits = hitsOf(jsonOf(answer))
  if (!hits) throw unreadable('an answer that is no search result')
  return hits.map((hit) => toHeld(hit, `${origin}/`))
}

function hitsOf(body: JsonValue | undefined): readonly JsonValue[] | undefined {
  const hits = isJsonObject(body) && body.timed_out !== true && isJsonObject(body.hits) ? body.hits.hits : undefined
  return Array.isArray(hits) ? hits : undefined
}

function toHeld(hit: JsonValue, before: string): Held {
  const { _id: id, _source: source } = isJsonObject(hit) ? hit : {}
  const seq = typeof id === 'string' && id.startsWith(before) ? Number(id.slice(before.length)) : Number.NaN
  return { seq: Number.isSafeInteger(seq) ? seq : undefined, body: JSON.stringify(source ?? null) }
}

function unreadable(what: string, cause?: unknown): SwornError {
  return new SwornError('SINK_UNREADABLE', `documents cannot be searched (${what})`, 'elasticsearch', { cause })
}
