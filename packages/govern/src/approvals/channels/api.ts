/**
 * The approval API: what the dashboard shows and answers. A channel and a route, no listener.
 *
 *   GET  /api/approvals      → {pending: [question…], remembered: [approval…]}
 *   POST /api/approvals/:id  {shown_hash, approved, scope?, reason?} → 200 accepted, 409 settled before,
 *                            202 recorded, not heard yet; 404 unknown, 422 other bytes or no answer, 503 not recorded
 *
 * What is refused is {error, reason}: a word for programs, and what was expected.
 *
 * Every request needs a token; who approved is whoever the token names, never what a body says. A browser page
 * of another origin cannot use it: bodies are JSON by their type, and a foreign `Origin` is refused.
 * Source: issue "Approvals", design §2 (routes).
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import { type BodyFault, bearerOf, CLOSE, createBearerCheck } from '@sworn/recorder/http'
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

type Headers = Readonly<Record<string, string>>

function answer(status: number, body: object, headers: Headers = {}): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers } })
}

/** error -> status, and what the caller reads. */
const REFUSED = {
  origin_not_allowed: [403, 'No page of another origin was expected'],
  token_required: [401, 'A token that governs was expected in the Authorization header'],
  method_not_allowed: [405, 'GET of the list, or POST of an answer to a question, was expected'],
  json_expected: [415, 'A body of application/json was expected'],
  unknown_question: [404, 'No question of this id waits'],
  not_recorded: [503, 'The answer cannot be recorded'],
  late: [409, 'The question was settled before'],
  mismatch: [422, 'The hash of the text that waits was expected'],
  malformed: [422, 'shown_hash, of the text, and approved, true or false, were expected'],
} as const

function refuse(error: keyof typeof REFUSED, headers: Headers = {}): Response {
  const [status, reason] = REFUSED[error]
  return answer(status, { error, reason }, headers)
}

const UNREAD: Readonly<Record<BodyFault, readonly [status: number, reason: string]>> = {
  too_large: [413, 'A shorter body was expected'],
  timeout: [408, `The whole body was expected within ${BODY_MS} ms`],
  broken: [400, 'A whole body in UTF-8 was expected'],
}

function refuseBody(fault: BodyFault): Response {
  const [status, reason] = UNREAD[fault]
  return answer(status, { error: 'body_not_readable', reason }, CLOSE)
}

async function respond(desk: Desk, request: Request, id: string | undefined): Promise<Response> {
  const origin = request.headers.get('origin')
  if (origin !== null && !desk.options.origins?.includes(origin)) return refuse('origin_not_allowed')
  const approver = desk.approverOf(request)
  if (approver === undefined) {
    desk.noteRefusal()
    return refuse('token_required', { 'www-authenticate': 'Bearer' })
  }
  if (request.method === 'GET' && id === undefined) return answer(200, listOf(desk))
  if (request.method === 'POST' && id !== undefined) return decide(desk, request, id, approver)
  return refuse('method_not_allowed', { allow: id === undefined ? 'GET' : 'POST' })
}

function listOf({ pending, options }: Desk): object {
  const remembered = (options.remembered?.() ?? []).map(({ shownHash, grantedAt, ...rest }) => ({
    ...rest,
    shown_hash: shownHash,
    granted_at: grantedAt,
  }))
  return { pending: [...pending.values()].map(({ question }) => toWire(question)), remembered }
}

async function decide({ pending, settled }: Desk, request: Request, id: string, approver: string): Promise<Response> {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '')) return refuse('json_expected')
  const body = await readText(request.body, BODY_MS)
  if ('fault' in body) return refuseBody(body.fault)
  const place = pending.get(id) ?? settled.get(id)
  if (!place) return refuse('unknown_question')
  try {
    const reception = await place.tell({ kind: 'answer', answer: fromApi(body.text, id, approver) })
    if (reception === 'accepted') return answer(200, { accepted: true })
    return reception === 'noted' ? answer(202, { recorded: true }) : refuse(reception) // 202: whoever asks has not said yet what becomes of it
  } catch {
    return refuse('not_recorded')
  }
}
