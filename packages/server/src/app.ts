/**
 * The paths, and which room answers them. Rooms answer requests; who may ask is decided here.
 * Source: design §2 (routes).
 * @module
 */
import type { HttpBindings } from '@hono/node-server'
import { createLitellmRoute, LITELLM_PATH } from '@sworn/proxy/gateways'
import { createOtlpRoute, OTLP_PATHS } from '@sworn/proxy/otlp'
import { type ErrorCode, SwornError } from '@sworn/recorder'
import { createEventsRoute, createHealth, errorResponse, type Health, type HealthDesk, jsonResponse } from '@sworn/recorder/http'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Entrance, Refusal } from './access.ts'
import type { Caller, Room, ServerOptions } from './options.ts'
import type { Refusals } from './refusals.ts'

type Env = { readonly Bindings: HttpBindings }
export type App = Hono<Env>

/** reason -> status, code and what the caller reads. */
const TOLD: Readonly<Record<Refusal, readonly [status: number, code: ErrorCode, message: string]>> = {
  field_repeated: [400, 'REQUEST_INVALID', 'each field of the header once was expected'],
  host_unknown: [421, 'REQUEST_INVALID', 'a Host that is the address of this server was expected'],
  origin_unknown: [403, 'ACCESS_DENIED', 'no page of another origin was expected'],
  token_missing: [401, 'ACCESS_DENIED', 'a token was expected'],
  token_wrong: [401, 'ACCESS_DENIED', 'a token of this server was expected'],
}

/** What pages of a named origin may ask. */
const CORS = { allowMethods: ['GET', 'POST'], allowHeaders: ['Authorization', 'Content-Type'], maxAge: 600 }

interface Doorkeeper {
  readonly entrance: Entrance
  readonly refusals: Refusals
}

export function createApp({ access, recorder, events, rooms = [], health: judge, metrics }: ServerOptions, door: Doorkeeper): App {
  const named = (access.origins ?? []).filter((origin) => origin !== '*')
  const desk = createHealth(recorder)
  const takeEvents = createEventsRoute(desk.record, events)
  const takeOtlp = createOtlpRoute(desk.record)
  const takeLitellm = createLitellmRoute(desk.record)
  /** Of the server itself, for GET. */
  const ownPaths = new Set(['/health', ...(metrics ? ['/metrics'] : [])])
  const app = new Hono<Env>()
  app.use(async (context, next) => {
    const refusal = door.entrance.refusalOf(context.env.incoming)
    return refusal === undefined ? next() : turnAway(door, context, refusal, 'server')
  })
  if (named.length > 0) app.use(cors({ origin: named, ...CORS }))
  app.all('/v1/events', async (context) => {
    const caller = door.entrance.callerOf(context.env.incoming) ?? 'token_missing'
    return typeof caller === 'string' ? turnAway(door, context, caller, 'events') : takeEvents(context.req.raw, caller.name)
  })
  app.all(LITELLM_PATH, async (context) => {
    const caller = door.entrance.callerOf(context.env.incoming) ?? 'token_missing'
    return typeof caller === 'string' ? turnAway(door, context, caller, 'gateway') : takeLitellm(context.req.raw, caller.name)
  })
  for (const path of OTLP_PATHS) {
    app.all(path, async (context) => {
      const caller = door.entrance.callerOf(context.env.incoming) ?? 'token_missing'
      return typeof caller === 'string' ? turnAway(door, context, caller, 'otlp') : takeOtlp(context.req.raw, path, caller.name)
    })
  }
  app.get('/health', async (context) => {
    const caller = door.entrance.callerOf(context.env.incoming)
    if (caller === 'token_wrong') return turnAway(door, context, caller, 'health')
    return answerHealth({ desk, judge, caller }, context.req.raw)
  })
  if (metrics)
    app.get('/metrics', async (context) => {
      const caller = door.entrance.callerOf(context.env.incoming) ?? 'token_missing'
      return typeof caller === 'string' ? turnAway(door, context, caller, 'metrics') : metrics(context.req.raw)
    })
  app.all('*', async (context) => {
    const found = await askRooms(rooms, context.req.raw)
    if (found?.response.status === 401 && found.endpoint !== undefined) noteTurnedAway(door, context, found.endpoint)
    return found?.response ?? (ownPaths.has(context.req.path) ? methodRefused() : context.notFound())
  })
  app.notFound(() => errorResponse(new SwornError('REQUEST_INVALID', 'a path of this server was expected'), 404))
  app.onError(() => errorResponse(undefined)) // nothing of what was thrown is told
  return app
}

function turnAway({ refusals }: Doorkeeper, { env }: Context<Env>, reason: Refusal, endpoint: string): Response {
  const [status, code, message] = TOLD[reason]
  refusals.note({ reason, endpoint, status, address: env.incoming.socket.remoteAddress })
  return errorResponse(new SwornError(code, message), status, status === 401 ? { 'www-authenticate': 'Bearer' } : {})
}

interface RoomAnswer {
  readonly response: Response
  readonly endpoint: string | undefined
}

async function askRooms(rooms: readonly Room[], request: Request): Promise<RoomAnswer | undefined> {
  for (const room of rooms) {
    const response = await room.route(request)
    if (response) return { response, endpoint: room.endpoint }
  }
  return undefined
}

/** A room told the caller; who it was is on record all the same. */
function noteTurnedAway({ refusals }: Doorkeeper, { env: { incoming } }: Context<Env>, endpoint: string): void {
  const reason: Refusal = incoming.headers.authorization === undefined ? 'token_missing' : 'token_wrong'
  refusals.note({ reason, endpoint, status: 401, address: incoming.socket.remoteAddress })
}

function methodRefused(): Response {
  return errorResponse(new SwornError('REQUEST_INVALID', 'GET was expected'), 405, { allow: 'GET, HEAD' })
}

interface HealthAsked {
  readonly desk: HealthDesk
  readonly judge: Room | undefined
  readonly caller: Caller | undefined
}

/** The ledger's health and the judge's, the worse of both. */
async function answerHealth({ desk, judge, caller }: HealthAsked, request: Request): Promise<Response> {
  const asGet = request.method === 'HEAD' ? new Request(request.url, { headers: request.headers }) : request // a judge answers GET alone
  const [ours, theirs] = await Promise.all([desk.look(), judge?.route(asGet)])
  if (!theirs) return jsonResponse(toldTo(caller, ours), ours.status === 'healthy' ? 200 : 503)
  const theirBody = (await theirs.json()) as object // a room answers /health with an object
  const status = ours.status === 'healthy' ? theirs.status : 503
  const word = status === 200 ? 'healthy' : 'unhealthy'
  return jsonResponse({ ...theirBody, ...toldTo(caller, ours), status: word }, status)
}

function toldTo(caller: Caller | undefined, { status, uptime_seconds, ledger }: Health): object {
  return caller ? { status, uptime_seconds, ledger } : { status, uptime_seconds }
}
