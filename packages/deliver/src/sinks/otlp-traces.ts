/**
 * Tool calls as spans to an OpenTelemetry collector; what a span is: `otlp-spans` of the dialects.
 *
 * What is known of an action is kept until it ends: at most 10,000 in memory, and the newest 50 (256 KiB)
 * beside the cursor, so that a restart in the middle of a call loses nothing of its span. Source: OTLP 1.5 over HTTP in JSON, partial success.
 * @module
 */
import { type Event, endsSpan, spanKey, spanPart, toSpan, toTraceRequest } from '@sworn/dialects'
import { isJsonObject, type JsonObject, type JsonValue } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Item, OpenSink, Outcome } from '../sink.ts'
import { believeCollector, bulkSink, endpoint } from './bulk.ts'
import type { VendorOptions } from './vendors.ts'

export interface OtlpTraceOptions extends VendorOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The ledger's. */
  readonly origin: string
  /** Of sworn. */
  readonly version: string
}

const LIMITS = { items: 500, bytes: 4 << 20 }
const MAX_OPEN = 10_000
const MAX_KEPT = 50
const MAX_MARK = 256 << 10
/** Of one action. */
const MAX_PARTS = 8

/** Parts of an action, and the entry that ended it: a batch that comes again needs them again. */
interface Action {
  readonly parts: readonly Event[]
  readonly end?: number
}

/** By action, oldest first. */
type Actions = Map<string, Action>

export function otlpTraceSink({ origin, version, headers, ...options }: OtlpTraceOptions): OpenSink {
  const spanOptions = { origin, version, primitives: nodePrimitives }
  const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
  return async (mark) => {
    const actions = parseMark(mark)
    const spansOf = (items: readonly Item[]) =>
      partsOf(items)
        .filter(({ part }) => endsSpan(part))
        .map(({ part }) => toSpan([...(actions.get(spanKey(part))?.parts ?? []), part], spanOptions))
    const inner = await bulkSink({
      ...options,
      url: endpoint(options.url, '/v1/traces'),
      limits: LIMITS,
      headers: { ...headers, 'content-type': 'application/json', ...authorization },
      encode: (items) => JSON.stringify(toTraceRequest(spansOf(items), spanOptions)),
      judge: (items, answer) => believeCollector(items, answer, 'rejectedSpans'),
      probe: { body: () => '{"resourceSpans":[]}', shown: 'took a request without spans; nothing was written' },
    })(undefined)
    return {
      ...inner,
      async send(items, signal): Promise<Outcome> {
        const parts = partsOf(items)
        forget(actions, items[0]!.seq)
        for (const { part, seq } of parts) note(actions, part, seq)
        const outcome = parts.some(({ part }) => endsSpan(part)) ? await inner.send(items, signal) : {}
        return { ...outcome, mark: toMark(actions) }
      },
    }
  }
}

function partsOf(items: readonly Item[]): readonly { readonly part: Event; readonly seq: number }[] {
  return items.flatMap(({ event, seq }) => {
    const part = spanPart(event)
    return part === undefined ? [] : [{ part, seq }]
  })
}

/** What follows an end was accepted or parked before: it does not come again. */
function forget(actions: Actions, next: number): void {
  for (const [key, { end }] of actions) if (end !== undefined && end < next) actions.delete(key)
}

/** What comes again takes its own place. */
function note(actions: Actions, part: Event, seq: number): void {
  const key = spanKey(part)
  const { parts = [] } = actions.get(key) ?? {}
  if (endsSpan(part)) {
    if (parts.length > 0) actions.set(key, { parts, end: seq })
    return
  }
  const others = parts.filter((other) => other.seq !== part.seq)
  actions.set(key, { parts: [...others, part].slice(0, MAX_PARTS) })
  if (actions.size > MAX_OPEN) actions.delete(actions.keys().next().value!)
}

/** The parts of what has not ended. */
function toMark(actions: Actions): JsonValue {
  const open = [...actions.values()].filter(({ end }) => end === undefined)
  const kept: JsonValue[] = []
  let bytes = 0
  for (const { parts } of open.slice(-MAX_KEPT).toReversed()) {
    bytes += JSON.stringify(parts).length
    if (bytes > MAX_MARK) break
    kept.unshift(parts.map((part) => ({ ...part }) as JsonObject)) // a part is JSON
  }
  return kept
}

function parseMark(mark: JsonValue | undefined): Actions {
  const kept = (Array.isArray(mark) ? mark.filter(isParts) : []) as unknown as readonly (readonly Event[])[] // checked
  return new Map(kept.map((parts) => [spanKey(parts[0]!), { parts }]))
}

function isParts(value: JsonValue): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((part) => isJsonObject(part) && typeof part.event_type === 'string')
}
