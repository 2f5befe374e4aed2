/**
 * One POST an event, or many in one; signed, so that the receiver can tell who sent it and when.
 *
 * Standard Webhooks: `webhook-id` is the entry's key, the same at every try, so that a receiver that keeps ids takes
 * each once. The events of one session follow each other; different sessions go side by side.
 * Source: Standard Webhooks 1.0; CloudEvents 1.0.2 HTTP binding §3.1 (binary), §3.2 (structured), §3.3 (batch).
 * @module
 */
import { createHmac } from 'node:crypto'
import { asText, SwornError } from '@sworn/verify'
import { createSender, type HttpOptions, type HttpSender, parseUrl } from '../http.ts'
import { type Answer, judgeStatus, saysFailure, wrongAnswer } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { believe } from './bulk.ts'
import { joinInPlace } from './joined.ts'
import { sendLanes } from './lanes.ts'

export interface WebhookOptions extends HttpOptions {
  /** `whsec_` and base64 of 24 to 64 bytes. */
  readonly secret?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** `each`: one event a request. `batch`: a JSON array. `binary`: CloudEvents in headers, the event as body. */
  readonly mode: 'each' | 'batch' | 'binary'
  readonly contentType: string
  /** Requests at a time. */
  readonly parallel: number
  /** The ledger's origin. */
  readonly origin: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Request {
  readonly id: string
  readonly body: string | readonly Buffer[]
  readonly headers: Readonly<Record<string, string>>
}

/** @throws SwornError CONFIG_INVALID for a URL or secret that is none */
export function webhookSink(options: WebhookOptions): OpenSink {
  parseUrl(options.url)
  const key = options.secret === undefined ? undefined : parseSecret(options.secret)
  const limits = options.mode === 'batch' ? { items: 1000, bytes: 1 << 20 } : { items: 64, bytes: 4 << 20 }
  return async () => {
    const sender = createSender({ ...options, maxSockets: options.parallel })
    const send = (items: readonly Item[], request: Request, signal: AbortSignal) => post(items, request, { sender, key, options, signal })
    return {
      limits,
      send: (items, signal) =>
        options.mode === 'batch'
          ? send(items, batchRequest(items, options), signal)
          : sendLanes(items, options.parallel, (item) =>
              send([item], options.mode === 'binary' ? binaryRequest(item, options) : eachRequest(item, options), signal),
            ),
      async probe(signal): Promise<Probed> {
        const answer = await postSigned(probeRequest(options), { sender, key, options, signal })
        const isTaken = answer.status >= 200 && answer.status < 300 && !saysFailure(answer)
        return isTaken ? { shown: 'took a request of type dev.sworn.probe' } : wrongAnswer(answer)
      },
      close: async () => sender.close(),
    }
  }
}

/** The key behind the secret. @throws SwornError CONFIG_INVALID; the secret is not repeated */
export function parseSecret(secret: string): Uint8Array {
  const key = Buffer.from(/^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] ?? '', 'base64')
  if (key.length >= 24 && key.length <= 64) return key
  throw new SwornError('CONFIG_INVALID', 'whsec_ and the base64 of 24 to 64 bytes was expected', 'secret')
}

interface Posting {
  readonly sender: HttpSender
  readonly key: Uint8Array | undefined
  readonly options: WebhookOptions
  readonly signal: AbortSignal
}

async function post(items: readonly Item[], request: Request, posting: Posting): Promise<Outcome> {
  try {
    const answer = await postSigned(request, posting)
    return judgeStatus(items, answer, posting.options.now()) ?? believe(items, answer)
  } catch (e) {
    return allAgain(items, reasonOf(e))
  }
}

function postSigned({ id, body, headers }: Request, { sender, key, options, signal }: Posting): Promise<Answer> {
  const seconds = String(Math.floor(options.now() / 1000))
  const signature = key && {
    'webhook-signature': `v1,${sign(key, [`${id}.${seconds}.`, ...(typeof body === 'string' ? [body] : body)])}`,
  }
  return sender.post(body, { ...options.headers, ...headers, 'webhook-id': id, 'webhook-timestamp': seconds, ...signature }, signal)
}

function sign(key: Uint8Array, parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest('base64')
}

/** A CloudEvent and a Standard Webhooks payload in one: its type says what it is. */
function probeRequest({ origin, now }: WebhookOptions): Request {
  const id = `${origin}/probe/${now()}`
  const time = new Date(now()).toISOString()
  const body = JSON.stringify({ specversion: '1.0', id, source: origin, type: 'dev.sworn.probe', time, timestamp: time, data: {} })
  return { id, body, headers: { 'content-type': 'application/json' } }
}

function eachRequest({ key, body }: Item, { contentType }: WebhookOptions): Request {
  return { id: key, body, headers: { 'content-type': contentType } }
}

/** The same entries in the same batch have the same id. */
function batchRequest(items: readonly Item[], { contentType, origin }: WebhookOptions): Request {
  const type = contentType === 'application/cloudevents+json' ? 'application/cloudevents-batch+json' : contentType
  const id = `${origin}/${items[0]!.seq}-${items.at(-1)!.seq}/${items.length}`
  return { id, body: joinInPlace(items, { first: '[', between: ',', last: ']' }), headers: { 'content-type': type } }
}

function binaryRequest({ key, seq, body, event }: Item, { origin }: WebhookOptions): Request {
  const attributes = {
    'ce-specversion': '1.0',
    'ce-id': asText(event.event_id ?? key),
    'ce-source': origin,
    'ce-type': `dev.sworn.${event.event_type}`,
    ...(typeof event.timestamp === 'string' && { 'ce-time': event.timestamp }),
    ...(typeof event.tool === 'string' && { 'ce-subject': event.tool }),
    'ce-swornseq': String(seq),
  }
  const encoded = Object.entries(attributes).map(([name, value]) => [name, percentEncode(value)])
  return { id: key, body, headers: { ...Object.fromEntries(encoded), 'content-type': 'application/json' } }
}

/** CloudEvents HTTP binding §3.1.3.2: what is not printable ASCII, and space, quote and percent. */
function percentEncode(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) => encodeURIComponent(part.toWellFormed()).replaceAll("'", '%27'))
}
