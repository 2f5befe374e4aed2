/**
 * Asks by a webhook: a signed request, and a signed answer in its response.
 *
 * 200 with a signed body is the answer; 202 means that somebody answers through the approval API; everything
 * else is no answer. An unsigned, replayed or oversized answer never approves. Redirects are not followed; plain
 * HTTP is for loopback only. Source: checklist P16, Standard Webhooks.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import { isLoopback } from '@sworn/recorder/http'
import type { Channel, ChannelFailure, Question, Tell } from '../types.ts'
import { isSignedWebhook, parseWebhookSecret, signWebhook } from './webhook-signature.ts'
import { fromWebhook, readText, toWire } from './wire.ts'

/** A person may take long; the signal ends the answer when the question is withdrawn. The longest timer there is. */
const UNTIL_WITHDRAWN_MS = 2 ** 31 - 1

export interface WebhookChannelOptions {
  readonly url: string
  /** `whsec_<base64>`, 24 to 64 bytes, for both directions. */
  readonly secret: string
  readonly fetch?: typeof globalThis.fetch
  /** Unix milliseconds. */
  readonly now?: () => number
}

interface Post {
  readonly url: URL
  readonly key: Uint8Array
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
}

/** Channel `webhook`. @throws SwornError CONFIG_INVALID for the url or the secret */
export function createWebhookChannel(options: WebhookChannelOptions): Channel {
  const { fetch = globalThis.fetch, now = Date.now } = options
  const post: Post = { url: parseUrl(options.url), key: parseWebhookSecret(options.secret), fetch, now }
  return {
    name: 'webhook',
    maxChars: 65_536,
    open(question, tell) {
      const abort = new AbortController()
      const asked = ask(post, question, tell, abort.signal)
      return () => {
        abort.abort()
        return asked
      }
    },
  }
}

function parseUrl(text: string, at = 'approvals.webhook.url'): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.username || url.password) throw new SwornError('CONFIG_INVALID', 'expected a URL without user name and password', at)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw new SwornError('CONFIG_INVALID', 'expected https, or http to a loopback address', at)
}

/** Never rejects. */
async function ask(post: Post, question: Question, tell: Tell, signal: AbortSignal): Promise<void> {
  try {
    const response = await send(post, question, signal, tell)
    if (response.status === 202) await response.body?.cancel()
    else if (response.status === 200) await hear(post, question, response, tell)
    else {
      await response.body?.cancel()
      tell({ kind: 'failed', why: 'refused' })
    }
  } catch {
    tell({ kind: 'failed', why: signal.aborted ? 'closed' : 'unreachable' })
  }
}

const messageId = ({ id }: Question) => `approval_${id}`

function send({ url, key, fetch, now }: Post, question: Question, signal: AbortSignal, tell: Tell): Promise<Response> {
  const body = JSON.stringify({ type: 'approval.requested', data: toWire(question) })
  const headers = { 'content-type': 'application/json', ...signWebhook(key, messageId(question), now(), body) }
  const sent = fetch(url, { method: 'POST', body, headers, signal, redirect: 'error', credentials: 'omit' })
  tell({ kind: 'shown' })
  return sent
}

async function hear({ key, now }: Post, question: Question, response: Response, tell: Tell): Promise<void> {
  const fail = (why: ChannelFailure) => void tell({ kind: 'failed', why })
  const body = await readText(response.body, UNTIL_WITHDRAWN_MS)
  if ('fault' in body) return fail('unusable_answer')
  if (!isSignedWebhook(key, messageId(question), now(), response.headers, body.text)) return fail('unsigned')
  const reception = tell({ kind: 'answer', answer: fromWebhook(body.text) })
  if (reception === 'mismatch' || reception === 'malformed') fail('unusable_answer')
}
