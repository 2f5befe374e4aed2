/**
 * Splunk HTTP Event Collector, with indexer acknowledgement: an entry counts when it was indexed, not when it was heard.
 *
 * Source: Splunk Enterprise 9, "Format events for HTTP Event Collector", "About HTTP Event Collector Indexer
 * Acknowledgment".
 * @module
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { asText, isJsonObject } from '@sworn/verify'
import { createSender, type HttpOptions, type HttpSender } from '../http.ts'
import { type Answer, jsonOf, wrongAnswer } from '../http-answer.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { believe, bulkSink, endpoint } from './bulk.ts'

export interface SplunkOptions extends HttpOptions {
  readonly token: string
  readonly index?: string | undefined
  readonly sourcetype: string
  /** False for a collector without acknowledgement: an entry counts when it was heard. */
  readonly acknowledge: boolean
  readonly hostname: string
  readonly now: () => number
}

const LIMITS = { items: 500, bytes: 1 << 20 }
const POLL_MS = 250
const KNOWN = 'the collector knows the token; nothing was written'

export function splunkSink(options: SplunkOptions): OpenSink {
  const { url, token, acknowledge } = options
  const channel = randomUUID()
  const headers = {
    'content-type': 'application/json',
    authorization: `Splunk ${token}`,
    ...(acknowledge && { 'x-splunk-request-channel': channel }),
  }
  const asking = { ...options, url: endpoint(url, `/services/collector/ack?channel=${channel}`) }
  return bulkSink({
    ...options,
    url: endpoint(url, '/services/collector/event'),
    limits: LIMITS,
    headers,
    encode: (items) => items.map((item) => encode(item, options)).join('\n'),
    probe: { body: () => '', shown: KNOWN, judge: judgeNoData },
    async judge(items, answer, { signal }) {
      if (!acknowledge) return believe(items, answer)
      const sender = createSender(asking)
      try {
        return await acknowledged(items, answer, { sender, headers, signal })
      } finally {
        sender.close()
      }
    },
  })
}

/** A collector looks at the token before it says that there was nothing in the request: code 5, "No data". */
function judgeNoData(answer: Answer): Probed {
  const body = jsonOf(answer)
  const isKnown = answer.status === 200 || (answer.status === 400 && isJsonObject(body) && body.code === 5)
  return isKnown ? { shown: KNOWN } : wrongAnswer(answer)
}

function encode({ event, body, key }: Item, { index, sourcetype, hostname }: SplunkOptions): string {
  const time = Date.parse(asText(event.timestamp)) / 1000
  const meta = {
    ...(Number.isFinite(time) && { time }),
    host: hostname,
    source: 'sworn',
    sourcetype,
    ...(index !== undefined && { index }),
    fields: { sworn_key: key },
  }
  return `${JSON.stringify(meta).slice(0, -1)},"event":${body.startsWith('{') ? body : JSON.stringify(body)}}`
}

interface Asking {
  readonly sender: HttpSender
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Asks until the batch was indexed; the time limit of the try ends it. */
async function acknowledged(items: readonly Item[], answer: Answer, { sender, headers, signal }: Asking): Promise<Outcome> {
  const body = jsonOf(answer)
  const id = isJsonObject(body) && typeof body.ackId === 'number' ? String(body.ackId) : undefined
  if (id === undefined) return allAgain(items, 'no ackId in the answer; is acknowledgement on for this token?')
  while (!signal.aborted) {
    const said = await sender.post(JSON.stringify({ acks: [Number(id)] }), headers, signal)
    const acks = jsonOf(said)
    if (isJsonObject(acks) && isJsonObject(acks.acks) && acks.acks[id] === true) return { id }
    await wait(POLL_MS, undefined, { signal, ref: false })
  }
  return allAgain(items, 'not indexed in time')
}
