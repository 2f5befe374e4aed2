/**
 * POST /v1/validate: one tool call, judged as the gate judges it. Source: AIP v1alpha2 §6.2.
 *
 * `strict` takes credentials from header fields only, and answers nobody without: an identity token, or the token of a
 * known client where the policy requires no identity. Whoever has both says who asks in Authorization, and brings the
 * identity token in its own field. `aip-compat` reads a body's token when
 * the header has none, and answers anybody where no token is required, as AIP's vectors do.
 * @module
 */

import { type Action, type AuditEvent, asText, type DlpMatch, type Verdict } from '@sworn/recorder'
import { bearerOf } from '@sworn/recorder/http'
import { z } from 'zod'
import type { TokenFault } from '../identity/index.ts'
import { type Answer, type Asked, aboutAnswer, refuse, refuseCaller } from './answers.ts'
import { readJson, refuseBody } from './body.ts'
import { toAnswer } from './decision.ts'
import type { Door } from './door.ts'

const IDENTITY_FIELD = 'aip-identity-token'
const MAX_SUBJECT = 256

const shape = { tool: z.string().min(1).max(256), arguments: z.record(z.string(), z.unknown()) }
const STRICT = z.strictObject(shape)
const COMPAT = z.object({ ...shape, token: z.string().max(8192).optional() })

interface Call {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly token?: string | undefined
}

export async function validate(door: Door, asked: Asked, request: Request): Promise<Answer> {
  door.counters.add('requests')
  const bearer = bearerOf(request.headers.get('authorization'))
  const client = await clientOf(door, bearer)
  const stranger = door.profile === 'strict' ? strangerOf(door, bearer, client) : undefined
  if (stranger) return refuseCaller(asked, ...stranger) // before a byte of the body is read
  const call = await readCall(door, asked, request)
  if ('status' in call) return call
  const token = request.headers.get(IDENTITY_FIELD) ?? (client === undefined ? (bearer ?? call.token) : undefined)
  return judgeCall(door, asked, call, { token, client })
}

/** Somebody who may ask: a known client, or the subject of an access token. */
interface Client {
  readonly name: string
  readonly claims?: Readonly<Record<string, unknown>>
}

async function clientOf({ clientOf: nameOf, check }: Door, bearer: string | undefined): Promise<Client | undefined> {
  const name = nameOf(bearer)
  if (name !== undefined) return { name }
  const claims = bearer === undefined ? undefined : await check?.(bearer)
  return typeof claims?.sub === 'string' ? { name: claims.sub.slice(0, MAX_SUBJECT), claims } : undefined
}

/** Why nobody that we can know asks. */
function strangerOf(
  { identity }: Door,
  bearer: string | undefined,
  client: Client | undefined,
): readonly ['token_required' | 'unauthorized', string] | undefined {
  if (bearer === undefined) return ['token_required', 'A bearer token in the Authorization header was expected']
  return client === undefined && !identity?.rules() ? ['unauthorized', 'The token is of no known client'] : undefined
}

async function readCall(door: Door, asked: Asked, request: Request): Promise<Call | Answer> {
  const invalid = (status: number, reason: string) => refuse(asked, { status, error: 'invalid_request', reason })
  const strict = door.profile === 'strict'
  if (strict && new URL(request.url).search !== '') return invalid(400, 'A path without a query was expected')
  if (strict && !isJson(request)) return invalid(415, 'A body of application/json was expected')
  const body = await readJson(request.body, door.limits)
  if ('fault' in body) return refuseBody(asked, body.fault)
  const read = (strict ? STRICT : COMPAT).safeParse(body.value)
  return read.success ? read.data : invalid(400, 'tool, a name, and arguments, an object, were expected')
}

export function isJson(request: Request): boolean {
  return /^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '')
}

interface Credentials {
  readonly token: string | undefined
  readonly client: Client | undefined
}

async function judgeCall(door: Door, asked: Asked, call: Call, { token, client }: Credentials): Promise<Answer> {
  const { check, refusal, rejected } = (await door.identity?.judge({ token }, call.tool)) ?? {}
  if (check) door.counters.add(check.fault ? 'invalid' : 'valid')
  if (check?.fault && refusal && rejected) return refuseToken(asked, check.fault, refusal, rejected)
  const { gate } = door.governing()
  const facts = check?.facts
  if (facts) door.live.saw(facts)
  const who = client && { user: client.name, ...(client.claims && { claims: client.claims }) }
  const ids = { ...(facts && { session: facts.sessionId, agent: facts.agentId }), ...who }
  const action: Action = { kind: 'tool', name: call.tool, input: call.arguments, ids, rpc: { method: 'tools/call' } }
  const { verdict, matches } = screen(door, action, await gate.judge(action))
  count(door, verdict)
  const judged = {
    tool: call.tool,
    input: call.arguments,
    verdict,
    matches,
    ...(facts && { facts }),
    ...(client && { client: client.name }),
  }
  return toAnswer(asked, judged, door.profile, facts && Math.max(0, Date.parse(facts.expiresAt) - door.wallMs()))
}

/** A client that asks cannot be given other arguments: what would be masked is refused. */
function screen({ governing }: Door, { input }: Action, verdict: Verdict): { verdict: Verdict; matches: readonly DlpMatch[] } {
  if (verdict.decision === 'deny') return { verdict, matches: [] }
  const { value, matches, blocked } = governing().gate.inspect(input, 'request')
  if (!blocked && value === input) return { verdict, matches }
  const reason = 'Sensitive data in the arguments'
  const rpcError = { code: -32001, message: 'Forbidden', data: { reason }, profile: 'aip-v1alpha' }
  return {
    verdict: { ...verdict, decision: 'deny', reason, reasonCode: 'dlp_blocked', violation: true, enforced: true, rpcError },
    matches,
  }
}

function count({ counters }: Door, { decision, violation }: Verdict): void {
  counters.add(decision === 'deny' ? 'block' : decision)
  if (violation) counters.add('violations')
}

const ERRORS = {
  required: 'token_required',
  misplaced: 'token_invalid',
  invalid: 'token_invalid',
  revoked: 'token_revoked',
  uncounted: 'audit_unavailable',
} as const

function refuseToken(asked: Asked, fault: TokenFault, refusal: Verdict, rejected: AuditEvent): Answer {
  const status = fault.kind === 'uncounted' ? 503 : 401
  const data = refusal.rpcError?.data ?? {}
  const body = {
    error: ERRORS[fault.kind],
    ...data,
    code: refusal.rpcError?.code,
  }
  const event = { ...rejected, tool: asText(data.tool ?? '') }
  const members = event.metadata as Readonly<Record<string, unknown>> // the judge's own
  const metadata = { ...members, ...aboutAnswer(asked, status).metadata }
  return { status, body, headers: status === 401 ? { 'www-authenticate': 'Bearer' } : {}, events: [{ ...event, metadata }] }
}
