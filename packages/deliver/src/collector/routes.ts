/**
 * The collector's routes: lines of other ledgers come in, a cosignature goes out.
 *
 *   POST /v1/mirrors/<log_id>/lines        lines, each with LF       → 200 {size, entry_hash, cosigned?}
 *   POST /v1/mirrors/<log_id>/checkpoint   a signed note             → the same
 *   GET  /v1/mirrors/<log_id>                                        → the same; 404 when nothing came yet
 *   GET  /v1/mirrors/<log_id>/lines?from=&to=                        → lines as they are held
 *   GET  /v1/mirrors/<log_id>/root?from=&to=                         → {root} over what is held; {} where it is not whole
 *
 * A fork and a rollback are 409 and a security alert in the collector's own ledger; a gap is 409 and says what comes
 * next. Shipping is witnessing: a producer that cuts its ledger later contradicts what it has sent. Hostile input.
 * Source: design §4; C2SP tlog-cosignature.md.
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import {
  type BodyLimits,
  bearerOf,
  bodyRefusalResponse,
  createBearerCheck,
  errorBody,
  errorResponse,
  jsonResponse,
  readBody,
} from '@sworn/recorder/http'
import { parseVkey, SwornError, toBase64 } from '@sworn/verify'
import { type Alerts, createAlerts } from './alerts.ts'
import type { Cosigner } from './cosigner.ts'
import { createMirror, type Mirror, type Standing } from './mirror.ts'
import { readHeld, rootOfHeld } from './read.ts'
import type { MirrorStore } from './store.ts'

export interface CollectorOptions {
  /** Where the mirror of a ledger is kept. */
  readonly storeOf: (logId: string) => MirrorStore
  readonly cosigner: Cosigner
  /** 16 characters at least; the name is whose mirrors are whose. */
  readonly tokens: readonly { readonly token: string; readonly name: string }[]
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Takes what is found wrong with a producer. */
  readonly record: (event: AuditEvent) => Promise<unknown>
  /** Verifier keys: only ledgers that begin with one of them are taken. Absent or empty: the key that a first line names is believed. */
  readonly keys?: readonly string[] | undefined
  readonly limits?: Partial<CollectorLimits>
}

export interface CollectorLimits extends BodyLimits {
  /** Requests whose bodies are in memory at the same time. */
  readonly requests: number
}

/** Undefined: the path is none of ours. Never rejects. */
export type CollectorRoute = (request: Request) => Promise<Response | undefined>

const LIMITS: CollectorLimits = { bytes: 8 << 20, timeMs: 30_000, requests: 8 }
const PATH = /^\/v1\/mirrors\/([\w-]{22})(?:\/(lines|checkpoint|root))?$/
/** Mirrors that are kept open: the next request reads the others anew. */
const MAX_OPEN = 256
const REFUSED: Partial<Record<SwornError['code'], number>> = {
  MIRROR_FORK: 409,
  MIRROR_GAP: 409,
  MIRROR_ROLLBACK: 409,
  ACCESS_DENIED: 403,
  LINE_MALFORMED: 422,
  LEDGER_FOREIGN_FILE: 422,
  NOTE_MALFORMED: 422,
  NOTE_UNVERIFIED: 422,
  CHECKPOINT_MALFORMED: 422,
  KEY_INVALID: 422,
  REQUEST_INVALID: 400,
}

/** @throws SwornError KEY_INVALID */
export function createCollector(options: CollectorOptions): CollectorRoute {
  const { storeOf, cosigner, tokens, now } = options
  const keys = options.keys?.length ? new Set(options.keys.map((key) => parseVkey(key).vkey)) : undefined
  const limits = { ...LIMITS, ...options.limits }
  const find = createBearerCheck(tokens)
  const mirrors = new Map<string, Kept>()
  const alerts = createAlerts(options.record, now)
  let open = 0

  function keptOf(logId: string): Kept {
    const store = mirrors.get(logId)?.store ?? storeOf(logId)
    const found = mirrors.get(logId) ?? { store, mirror: createMirror({ logId, store, cosigner, now, keys }) }
    mirrors.delete(logId)
    mirrors.set(logId, found)
    return found
  }

  /** Only between requests: one that is under way has its own. */
  function forget(): void {
    for (const logId of [...mirrors.keys()].slice(0, Math.max(0, mirrors.size - MAX_OPEN))) mirrors.delete(logId)
  }

  return async (request) => {
    const url = new URL(request.url)
    const [, logId, part] = PATH.exec(url.pathname) ?? []
    if (logId === undefined) return undefined
    const caller = find(bearerOf(request.headers.get('authorization')))
    if (!caller)
      return errorResponse(new SwornError('ACCESS_DENIED', 'a token of this server was expected'), 401, { 'www-authenticate': 'Bearer' })
    if (open >= limits.requests) return errorResponse(new SwornError('SERVER_BUSY', `at most ${limits.requests} requests at once`))
    open++
    try {
      return await answer({ request, url, part, producer: caller.name, ...keptOf(logId), limits })
    } catch (e) {
      return await refuse(e, { logId, producer: caller.name, alerts, mirror: mirrors.get(logId)?.mirror })
    } finally {
      open--
      if (open === 0) forget()
    }
  }
}

/** A mirror and where it is kept. */
interface Kept {
  readonly mirror: Mirror
  readonly store: MirrorStore
}

interface Asked extends Kept {
  readonly request: Request
  readonly url: URL
  readonly part: string | undefined
  readonly producer: string
  readonly limits: CollectorLimits
}

async function answer(asked: Asked): Promise<Response> {
  const { request, part, mirror, producer } = asked
  if (request.method === 'POST' && (part === 'lines' || part === 'checkpoint')) {
    const body = await bodyOf(asked)
    if (body instanceof Response) return body
    return toResponse(await (part === 'lines' ? mirror.take(producer, body) : mirror.present(producer, body.toString('utf8'))))
  }
  if (request.method !== 'GET' || part === 'checkpoint')
    return errorResponse(new SwornError('REQUEST_INVALID', 'GET or POST was expected'), 405, { allow: 'GET, POST' })
  const standing = await mirror.standing(producer)
  if (!standing) return errorResponse(new SwornError('MIRROR_GAP', 'the lines of the ledger were expected first'), 404)
  if (part === undefined) return toResponse(standing)
  const range = rangeOf(asked.url)
  if (part === 'lines') return new Response(await readHeld(asked.store, range), { headers: { 'content-type': 'application/x-ndjson' } })
  const root = range.to > standing.size ? undefined : await rootOfHeld(asked.store, range)
  return jsonResponse(root ? { root: toBase64(root) } : {})
}

/** A response: why there is none. */
async function bodyOf({ request, limits }: Asked): Promise<Buffer | Response> {
  if (request.headers.has('content-encoding'))
    return errorResponse(new SwornError('REQUEST_INVALID', 'a body that is not encoded was expected'), 415)
  const body = await readBody(request.body, limits)
  return Buffer.isBuffer(body) ? body : bodyRefusalResponse(body, limits)
}

/** @throws SwornError REQUEST_INVALID */
function rangeOf({ searchParams }: URL): { from: number; to: number } {
  const [from = Number.NaN, to = Number.NaN] = ['from', 'to'].map((name) =>
    /^\d{1,15}$/.test(searchParams.get(name) ?? '') ? Number(searchParams.get(name)) : undefined,
  )
  if (!(from <= to)) throw new SwornError('REQUEST_INVALID', 'from and to were expected')
  return { from, to }
}

function toResponse({ size, entryHash, cosigned }: Standing): Response {
  return jsonResponse({ size, entry_hash: entryHash, ...(cosigned && { cosigned }) })
}

interface Refusing {
  readonly logId: string
  readonly producer: string
  readonly alerts: Alerts
  readonly mirror: Mirror | undefined
}

async function refuse(e: unknown, { logId, producer, alerts, mirror }: Refusing): Promise<Response> {
  if (!SwornError.is(e)) return errorResponse(undefined)
  if (e.code === 'MIRROR_FORK' || e.code === 'MIRROR_ROLLBACK') alerts.tell({ logId, producer, code: e.code, at: e.at })
  const status = REFUSED[e.code]
  if (e.code !== 'MIRROR_GAP') return status === undefined ? errorResponse(e) : errorResponse(e, status)
  const standing = await mirror?.standing(producer).catch(() => undefined)
  return jsonResponse({ ...errorBody(e), next: standing?.size ?? 0 }, 409)
}
