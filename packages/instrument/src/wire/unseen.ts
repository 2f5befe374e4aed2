/**
 * Requests to a model that no adapter saw: the check on all the others.
 *
 * Node says of every request that its `fetch`, undici and `node:http` make where it goes, whoever took them when. One
 * that has the address of a model's API and that nothing recorded is an `observation_gap`, once for each place that it
 * goes to: from then on the ledger says that it is blind there. Queries are not looked at, because keys stand in them.
 * WebSockets and gRPC are told by their addresses as well. What a process that is started does cannot be seen from here:
 * that is a gap for each program, unless it is Node with `sworn/register`.
 * Source: spec capture §4.10; Node, `diagnostics_channel`.
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { basename } from 'node:path'
import type { Adapter } from '../adapter.ts'
import { isCovered } from '../covered.ts'
import { createGaps, type TellGap } from '../gaps.ts'
import { listAt, memberOf, textAt } from '../members.ts'

/** Without a body to look at, an address has to be one that only models have. */
const PATHS: readonly RegExp[] = [
  /\/chat\/completions$/,
  /\/(?:v1|openai)\/(?:.*\/)?responses$/,
  /\/v1\/messages$/,
  /\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/,
  /^\/model\/[^/]+\/(?:invoke|invoke-with-(?:bidirectional|response)-stream|converse|converse-stream)$/,
  /^\/google\.[\w.]+\.(?:GenerativeService|PredictionService)\/\w*(?:Generate|Predict)\w*$/,
]
/** Opened as WebSockets. */
const SOCKETS: readonly RegExp[] = [/^\/(?:v1|openai)\/(?:.*\/)?(?:realtime|responses)$/, /\.GenerativeService\.BidiGenerateContent$/]
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
  'http2.client.stream.created': (headers) => sentTo(textAt(headers, ':method'), hostIn(headers), textAt(headers, ':path')),
}
const PROCESSES = 'child_process'
/** The member of a channel's message that says it. */
const SUBJECTS: Readonly<Record<string, string>> = { 'http2.client.stream.created': 'headers', [PROCESSES]: 'process' }
const MAX_PROGRAMS = 100

export const unseen: Adapter = {
  id: 'unseen',
  layer: 'wire',
  facts: {
    sees: "that a model was called and nothing else recorded it, by the address alone: a `fetch` that was taken before, `Request` objects, `node:http`, Bedrock's too, WebSockets and gRPC; an `observation_gap`, once for each place; that a process was started that nobody watches, once for each program",
    stops: 'nothing',
    misses: 'what such a process does, addresses of another shape',
  },
  canBlock: () => false,
  targets: [{ pkg: 'http', entries: [], tested: [22, 26], isGlobal: true }],
  patch(_, { patches, recorder }) {
    const tellPlace = createGaps(recorder, 'unseen', MAX_PLACES)
    const tellProgram = createGaps(recorder, 'unseen', MAX_PROGRAMS)
    const takes: Readonly<Record<string, (subject: unknown) => void>> = {
      ...Object.fromEntries(
        Object.entries(CHANNELS).map(([channel, read]) => [channel, (request: unknown) => tell(read(request), tellPlace)]),
      ),
      [PROCESSES]: (child) => process.nextTick(() => tellOf(child, tellProgram)), // what it runs is set after it was made
    }
    return Object.entries(takes)
      .filter(([channel, take]) => patches.hold(channel, () => listen(channel, take)))
      .map(([channel]) => channel)
  },
}

/** A process that nobody watches from here on; by its name alone, because secrets stand in arguments. */
function tellOf(child: unknown, tellGap: TellGap): void {
  const program = basename(textAt(child, 'spawnfile') ?? '')
  const isWatched = listAt(child, 'spawnargs').includes('sworn/register') || (process.env.NODE_OPTIONS ?? '').includes('sworn/register')
  if (program === '' || (isWatched && /^node(?:\.exe)?$/.test(program))) return
  tellGap({ reason: 'process_unseen', program: program.slice(0, MAX_PATH_CHARS) })
}

function listen(channel: string, take: (subject: unknown) => void): () => void {
  const onMessage = (message: unknown) => take(memberOf(message, SUBJECTS[channel] ?? 'request'))
  subscribe(channel, onMessage)
  return () => void unsubscribe(channel, onMessage)
}

function sentTo(method: string | undefined, host: string | undefined, address: string | undefined): Sent | undefined {
  const [path = ''] = (address ?? '').split('?')
  const shapes = method === 'POST' ? PATHS : method === 'GET' ? SOCKETS : []
  const isModel = shapes.some((shape) => shape.test(path))
  return isModel && host !== undefined ? { host, path: path.slice(0, MAX_PATH_CHARS) } : undefined
}

function hostOf(origin: unknown): string | undefined {
  return (typeof origin === 'string' ? URL.parse(origin)?.hostname : textAt(origin, 'hostname')) ?? undefined
}

function hostIn(headers: unknown): string | undefined {
  return URL.parse(`http://${textAt(headers, ':authority') ?? ''}`)?.hostname
}

function tell(sent: Sent | undefined, tellGap: TellGap): void {
  if (sent && !isCovered()) tellGap({ reason: 'model_call_unseen', ...sent })
}
