/**
 * Elasticsearch and OpenSearch: `_bulk`, every item judged by its own answer.
 *
 * The document's id is the entry's key and it is created, never replaced: what comes twice is answered 409 and is there
 * already. Source: Elasticsearch 8 and 9, Bulk API.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { asText, isJsonObject, type JsonValue } from '@sworn/verify'
import { createSender, type HttpOptions } from '../http.ts'
import { type Answer, jsonOf, wrongAnswer } from '../http-answer.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed, type Refusal } from '../sink.ts'
import { bulkSink, endpoint } from './bulk.ts'

export interface ElasticsearchOptions extends HttpOptions {
  /** May hold `%{+yyyy.MM.dd}`: the day of the event. */
  readonly index: string
  /** An API key as Elasticsearch encodes it. */
  readonly token?: string | undefined
  readonly now: () => number
}

const LIMITS = { items: 1000, bytes: 8 << 20 }
/** In the name of an index: the day of the event. */
export const DAY = '%{+yyyy.MM.dd}'
const EXISTS = 409
const PROBE = 'sworn doctor: a probe, no event'

export function elasticsearchSink({ url, index, token, now, ...http }: ElasticsearchOptions): OpenSink {
  const authorization = token === undefined ? undefined : { authorization: `ApiKey ${token}` }
  const ask = async (method: 'GET' | 'DELETE', path: string, signal: AbortSignal) => {
    const sender = createSender({ ...http, url: endpoint(url, path), method })
    try {
      return await sender.post('', { ...authorization }, signal)
    } finally {
      sender.close()
    }
  }
  return bulkSink({
    ...http,
    url: endpoint(url, '/_bulk'),
    limits: LIMITS,
    headers: { 'content-type': 'application/x-ndjson', ...authorization },
    encode: (items) =>
      items
        .map((item) => `${JSON.stringify({ create: { _index: indexOf(index, item.event.timestamp), _id: item.key } })}\n${item.body}\n`)
        .join(''),
    judge,
    probe: {
      body: () => {
        const time = new Date(now()).toISOString()
        const place = { _index: indexOf(index, time), _id: `sworn-probe-${randomUUID()}` }
        return `${JSON.stringify({ create: place })}\n${JSON.stringify({ '@timestamp': time, message: PROBE })}\n`
      },
      shown: 'written, read back and removed',
      judge: (answer, { signal }) => readBack(answer, (method, path) => ask(method, path, signal)),
    },
    now,
  })
}

function indexOf(index: string, timestamp: JsonValue | undefined): string {
  const day = typeof timestamp === 'string' ? timestamp.slice(0, 10).replaceAll('-', '.') : 'undated'
  return index.replace(DAY, day)
}

/** A key that may only write is enough to deliver: what it may not do besides is said, not wrong. */
async function readBack(answer: Answer, ask: (method: 'GET' | 'DELETE', path: string) => Promise<Answer>): Promise<Probed> {
  const body = jsonOf(answer)
  const [result] = isJsonObject(body) && Array.isArray(body.items) ? body.items : []
  const { status, type, index, id } = resultOf(result)
  if (answer.status !== 200) return wrongAnswer(answer)
  if (status !== 201 || index === undefined || id === undefined) return { wrong: `HTTP ${status} ${type}`.trim() }
  const path = `/${encodeURIComponent(index)}/_doc/${encodeURIComponent(id)}`
  const found = await ask('GET', path)
  const removed = await ask('DELETE', path)
  if (found.status !== 200 && found.status !== 403) return { wrong: `written, and not there: HTTP ${found.status}` }
  const read = found.status === 200 ? 'written, read back' : 'written (this key may not read)'
  return { shown: removed.status === 200 ? `${read} and removed` : `${read}; this key may not remove ${id}` }
}

function judge(items: readonly Item[], answer: Answer): Outcome {
  const body = jsonOf(answer)
  const results = isJsonObject(body) && Array.isArray(body.items) ? body.items : undefined
  if (results?.length !== items.length) return allAgain(items, `HTTP ${answer.status} without a result for each entry`)
  const refused: Refusal[] = []
  const again: number[] = []
  for (const [index, result] of results.entries()) {
    const { status, type } = resultOf(result)
    if ((status >= 200 && status < 300) || status === EXISTS) continue
    if (status === 429 || status >= 500 || status === 0) again.push(index)
    else refused.push({ index, reason: `HTTP ${status} ${type}` })
  }
  return { refused, ...(again.length > 0 && { again: { indexes: again, reason: 'some entries were answered 429 or 5xx' } }) }
}

/** The type of an error is a name of Elasticsearch's; its reason could quote the document. */
function resultOf(result: JsonValue | undefined): { status: number; type: string; index?: string; id?: string } {
  const create = isJsonObject(result) ? result.create : undefined
  if (!isJsonObject(create) || typeof create.status !== 'number') return { status: 0, type: '' }
  const type = isJsonObject(create.error) ? asText(create.error.type) : ''
  const place = typeof create._index === 'string' && typeof create._id === 'string' ? { index: create._index, id: create._id } : {}
  return { status: create.status, type: /^[a-z_]{1,64}$/.test(type) ? type : '', ...place }
}
