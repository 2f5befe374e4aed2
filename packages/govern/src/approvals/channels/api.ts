/**
 * The approval API: what the dashboard shows and answers. A channel and a route, no listener.
 *
 *   GET  /api/approvals      → {pending: [question…], remembered: [approval…]}
 *   POST /api/approvals/:id  {shown_hash, approved, scope?, reason?} → 200 accepted, 409 settled before,
 *                            202 recorded, not heard yet; 404 unknown, 422 other bytes or no answer, 503 not recorded
 *
 * Every request needs a token; who approved is whoever the token names, never what a body says. A browser page
 * of another origin cannot use it: bodies are JSON by their type, and a foreign `Origin` is refused.
 * Source: issue "Approvals", design §2 (routes).
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import { bearerOf, createBearerCheck } from '@sworn/recorder/http'
import type { Channel, Question, Reception, Remembered, Report } from '../types.ts'
import { fromApi, readText, toWire } from './wire.ts'

/** Milliseconds in which a body has to be here. */
const BODY_MS = 5000

export interface ApprovalApiOptions {
  /** Each at least 16 characters; the name becomes `human_decision.approver`. */
  readonly tokens: readonly { readonly token: string; readonly approver: string }[]
  /** Origins whose pages may call; requests without `Origin` are no pages. */
  readonly origins?: readonly string[]
  /** Approvals that still hold, for the list. */
  readonly remembered?: () => readonly Remembered[]
  /** Takes `auth_failure`; at most one a second. */
  readonly note?: (event: AuditEvent) => void
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number
}

/** Rejects when the answer could not be handed on. */
export type SlowTell = (report: Report) => Reception | Promise<Reception>

export interface ApprovalApi {
  /** Channel `api`. */
  readonly channel: Channel
  /** Shows a question of somebody else, who may take a while to say what becomes of an answer. Returns how to take it back. */
  show(question: Question, tell: SlowTell): () => void
  /** undefined: the path is not ours. Never rejects. */
  route(request: Request): Promise<Response | undefined>
}

const MAX_SETTLED = 200
const PATH = /^\/api\/approvals(?:\/([^/]+))?$/

interface Put {
  readonly question: Question
  readonly tell: SlowTell
}

interface Desk {
  readonly pending: Map<string, Put>
  /** Answers to these are late. Bounded: the oldest becomes unknown. */
  readonly settled: Map<string, Put>
  readonly approverOf: (request: Request) => string | undefined
  readonly options: ApprovalApiOptions
  readonly noteRefusal: () => void
}

/** @throws TypeError for a token of less than 16 characters, or for none */
export function createApprovalApi(options: ApprovalApiOptions): ApprovalApi {
  const desk: Desk = {
    pending: new Map(),
    settled: new Map(),
    approverOf: createTokenCheck(options.tokens),
    options,
    noteRefusal: createRefusalNote(options),
  }
  return {
    channel: { name: 'api', maxChars: 65_536, open: (question, tell) => put(desk, { question, tell }) },
    show: (question, tell) => put(desk, { question, tell }),
    async route(request) {
      const match = PATH.exec(new URL(request.url).pathname)
      return match ? respond(desk, request, match[1]) : undefined
    },
  }
}

function put({ pending, settled }: Desk, place: Put): () => void {
  const { id } = place.question
  pending.set(id, place)
  place.tell({ kind: 'shown' })
  return () => {
    pending.delete(id)
    settled.set(id, place)
    if (settled.size > MAX_SETTLED) settled.delete(settled.keys().next().value ?? '')
  }
}

function createTokenCheck(tokens: ApprovalApiOptions['tokens']): Desk['approverOf'] {
  if (tokens.length === 0) throw new TypeError('tokens of at least 16 characters were expected')
  const find = createBearerCheck(tokens)
  return (request) => find(bearerOf(request.headers.get('authorization')))?.approver
}

/** A flood of wrong tokens does not fill the record. */
function createRefusalNote({ note, clock = () => performance.now() }: ApprovalApiOptions): () => void {
  let next = Number.NEGATIVE_INFINITY
  return () => {
    if (!note || clock() < next) return
    next = clock() + 1000
    note({ event_type: 'auth_failure', reason: 'A request to the approval API without a valid token', metadata: { channel: 'api' } })
  }
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } })
}

async function respond(desk: Desk, request: Request, id: string | undefined): Promise<Response> {
  const origin = request.headers.get('origin')
  if (origin !== null && !desk.options.origins?.includes(origin)) return answer(403, { error: 'origin_not_allowed' })
  const approver = desk.approverOf(request)
  if (approver === undefined) {
    desk.noteRefusal()
    return answer(401, { error: 'token_required' })
  }
  if (request.method === 'GET' && id === undefined) return answer(200, listOf(desk))
  if (request.method === 'POST' && id !== undefined) return decide(desk, request, id, approver)
  return answer(405, { error: 'method_not_allowed' })
}

function listOf({ pending, options }: Desk): object {
  const remembered = (options.remembered?.() ?? []).map(({ shownHash, grantedAt, ...rest }) => ({
    ...rest,
    shown_hash: shownHash,
    granted_at: grantedAt,
  }))
  return { pending: [...pending.values()].map(({ question }) => toWire(question)), remembered }
}

const STATUS: Readonly<Record<Reception, number>> = { accepted: 200, late: 409, mismatch: 422, malformed: 422, noted: 202 }

/** `noted`: it is on record, and whoever asks has not said yet what becomes of it. */
const SAID: Readonly<Partial<Record<Reception, object>>> = { accepted: { accepted: true }, noted: { recorded: true } }

async function decide({ pending, settled }: Desk, request: Request, id: string, approver: string): Promise<Response> {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '')) return answer(415, { error: 'json_expected' })
  const body = await readText(request.body, BODY_MS)
  if (body === undefined) return answer(413, { error: 'body_not_readable' })
  const place = pending.get(id) ?? settled.get(id)
  if (!place) return answer(404, { error: 'unknown_question' })
  try {
    const reception = await place.tell({ kind: 'answer', answer: fromApi(body, id, approver) })
    return answer(STATUS[reception], SAID[reception] ?? { error: reception })
  } catch {
    return answer(503, { error: 'not_recorded' })
  }
}
