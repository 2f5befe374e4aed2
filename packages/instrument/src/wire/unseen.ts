/**
 * Requests to a model that no adapter saw: the check on all the others.
 *
 * Node says of every request that its `fetch`, undici and `node:http` make where it goes, whoever took them when. One
 * that has the address of a model's API and that nothing recorded is an `observation_gap`, once for each place that it
 * goes to: from then on the ledger says that it is blind there. Queries are not looked at, because keys stand in them.
 * Source: spec capture §4.10; Node, `diagnostics_channel`.
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Adapter, InstrumentRecorder } from '../adapter.ts'
import { isCovered } from '../covered.ts'
import { memberOf, textAt } from '../members.ts'

/** Without a body to look at, an address has to be one that only models have. */
const PATHS: readonly RegExp[] = [
  /\/chat\/completions$/,
  /\/(?:v1|openai)\/(?:.*\/)?responses$/,
  /\/v1\/messages$/,
  /\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/,
  /^\/model\/[^/]+\/(?:invoke|invoke-with-response-stream|converse|converse-stream)$/,
]
const MAX_PLACES = 1000
const MAX_PATH_CHARS = 256

interface Sent {
  readonly host: string
  readonly path: string
}

/** How each channel says where a request goes. */
const CHANNELS: Readonly<Record<string, (request: unknown) => Sent | undefined>> = {
  'undici:request:create': (request) => sentTo(textAt(request, 'method'), hostOf(memberOf(request, 'origin')), textAt(request, 'path')),
  'http.client.request.created': (request) => sentTo(textAt(request, 'method'), textAt(request, 'host'), textAt(request, 'path')),
}

export const unseen: Adapter = {
  id: 'unseen',
  layer: 'wire',
  facts: {
    sees: "that a model was called and nothing else recorded it, by the address alone: a `fetch` that was taken before, `Request` objects, `node:http`, Bedrock's too; an `observation_gap`, once for each place",
    stops: 'nothing',
    misses: 'gRPC, WebSockets, child processes, addresses of another shape',
  },
  canBlock: () => false,
  targets: [{ pkg: 'http', entries: [], tested: [22, 26], isGlobal: true }],
  patch(_, { patches, recorder }) {
    const places = new Set<string>()
    return Object.entries(CHANNELS)
      .filter(([channel, read]) => patches.hold(channel, () => listen(channel, (request) => tell(read(request), places, recorder))))
      .map(([channel]) => channel)
  },
}

function listen(channel: string, take: (request: unknown) => void): () => void {
  const onMessage = (message: unknown) => take(memberOf(message, 'request'))
  subscribe(channel, onMessage)
  return () => void unsubscribe(channel, onMessage)
}

function sentTo(method: string | undefined, host: string | undefined, address: string | undefined): Sent | undefined {
  const [path = ''] = (address ?? '').split('?')
  const isModel = method === 'POST' && PATHS.some((shape) => shape.test(path))
  return isModel && host !== undefined ? { host, path: path.slice(0, MAX_PATH_CHARS) } : undefined
}

function hostOf(origin: unknown): string | undefined {
  return (typeof origin === 'string' ? URL.parse(origin)?.hostname : textAt(origin, 'hostname')) ?? undefined
}

function tell(sent: Sent | undefined, places: Set<string>, recorder: InstrumentRecorder): void {
  if (!sent || isCovered()) return
  const place = `${sent.host} ${sent.path}`
  if (places.has(place) || places.size >= MAX_PLACES) return
  places.add(place)
  const source = { kind: 'instrumentation', name: 'unseen', vantage: 'observed' }
  const event = { event_type: 'observation_gap', source, metadata: { reason: 'model_call_unseen', ...sent } }
  recorder.record(event).catch(() => undefined) // nobody is here to be told
}
