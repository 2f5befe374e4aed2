/**
 * PagerDuty: an alert an event, or the end of one, Events API v2.
 *
 * `dedup_key` is the entry's key or what the configuration makes of the event, so a repeat after a lost answer or a
 * crash is the same alert there. Source: PagerDuty, "Send an alert event" (202; 400 for what is none; 429; summary
 * 1,024 characters, dedup_key 255, 512 KB a request).
 * @module
 */
import { hash } from 'node:crypto'
import { asText, isJsonObject } from '@sworn/verify'
import { createSender, type HttpOptions, type HttpSender } from '../http.ts'
import { type Answer, jsonOf, judgeStatus, wrongAnswer } from '../http-answer.ts'
import { reasonOf } from '../ship.ts'
import { allAgain, type Item, type OpenSink, type Outcome, type Probed } from '../sink.ts'
import { endpoint } from './bulk.ts'
import { sendLanes } from './lanes.ts'
import { cut, type Template } from './template.ts'

export interface PagerDutyOptions extends HttpOptions {
  /** Integration key: 32 characters. */
  readonly routingKey: string
  readonly subject: Template
  /** Absent: each entry is an alert of its own. */
  readonly dedupKey?: Template | undefined
  /** What ends the alert of its key; absent: nothing does. */
  readonly resolves?: ((event: Item['event']) => boolean) | undefined
  /** The ledger's. */
  readonly origin: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const LIMITS = { items: 64, bytes: 8 << 20 }
const HEADERS = { 'content-type': 'application/json' }
const MAX_SUMMARY = 1024
const MAX_KEY = 255
const MAX_REQUEST = 512 << 10
const SEVERITY: Readonly<Record<string, string>> = { critical: 'critical', error: 'error', warning: 'warning' }

/** @throws SwornError CONFIG_INVALID for a URL that is none */
export function pagerDutySink(options: PagerDutyOptions): OpenSink {
  const http = { ...options, url: endpoint(options.url, '/v2/enqueue') }
  createSender(http).close()
  return async () => {
    const sender = createSender(http)
    return {
      limits: LIMITS,
      send: (items, signal) => sendLanes(items, 1, (item) => sendOne(item, { options, sender, signal })),
      async probe(signal): Promise<Probed> {
        const resolve = { routing_key: options.routingKey, event_action: 'resolve', dedup_key: `${options.origin}/probe` }
        const answer = await sender.post(JSON.stringify(resolve), HEADERS, signal)
        if (isTaken(answer)) return { shown: 'the routing key is known; an alert that never was is resolved, nobody was woken' }
        return answer.status === 400 ? { wrong: 'HTTP 400: the routing key is not accepted; correct it' } : wrongAnswer(answer)
      },
      close: async () => sender.close(),
    }
  }
}

interface Sending {
  readonly options: PagerDutyOptions
  readonly sender: HttpSender
  readonly signal: AbortSignal
}

async function sendOne(item: Item, { options, sender, signal }: Sending): Promise<Outcome> {
  try {
    const answer = await sender.post(formatAlert(item, options), HEADERS, signal)
    const judged = judgeStatus([item], answer, options.now())
    return judged ?? (isTaken(answer) ? {} : allAgain([item], `HTTP ${answer.status} without success`))
  } catch (e) {
    return allAgain([item], reasonOf(e))
  }
}

function isTaken(answer: Answer): boolean {
  const body = jsonOf(answer)
  return answer.status >= 200 && answer.status < 300 && isJsonObject(body) && body.status === 'success'
}

/** The details are left out where they would not fit; the key leads to the entry. */
function formatAlert(item: Item, options: PagerDutyOptions): string {
  const { event, key, entryHash } = item
  if (options.resolves?.(event)) return JSON.stringify(toEnd(item, options))
  const place = { key, entry_hash: entryHash }
  const whole = JSON.stringify(toAlert(item, options, { ...event, ...place }))
  if (Buffer.byteLength(whole) <= MAX_REQUEST) return whole
  return JSON.stringify(toAlert(item, options, { ...place, details: 'left out: longer than 512 KB' }))
}

/** The end of an alert has no payload; of one that is not open PagerDuty makes nothing. */
function toEnd(item: Item, { routingKey, dedupKey }: PagerDutyOptions): object {
  return { routing_key: routingKey, event_action: 'resolve', dedup_key: keyOf(item, dedupKey) }
}

function toAlert(item: Item, { routingKey, subject, dedupKey, origin }: PagerDutyOptions, details: object): object {
  const { event } = item
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: keyOf(item, dedupKey),
    client: 'sworn',
    payload: {
      summary: cut(subject(item) || event.event_type, MAX_SUMMARY),
      source: origin,
      severity: SEVERITY[asText(event.severity)] ?? 'info',
      timestamp: event.timestamp,
      class: event.event_type,
      custom_details: details,
    },
  }
}

function keyOf(item: Item, template: Template | undefined): string {
  const text = template?.(item) || item.key
  return text.length <= MAX_KEY ? text : hash('sha256', text)
}
