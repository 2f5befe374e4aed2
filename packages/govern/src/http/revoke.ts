/**
 * POST /v1/revoke: ends a session or a token, for administrators. In force, in every process, before the answer.
 *
 * An identity token is no credential here: an agent cannot revoke. Source: AIP v1alpha2 §6.5.
 * @module
 */
import { bearerOf } from '@sworn/recorder/http'
import { z } from 'zod'
import { type Revocation, tokenId } from '../identity/index.ts'
import { type Answer, type Asked, aboutAnswer, refuse, refuseCaller } from './answers.ts'
import { readJson, refuseBody } from './body.ts'
import type { Door } from './door.ts'
import { isJson } from './validate.ts'

const reason = z.string().max(1000).optional()
const bodies = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session'), session_id: z.uuid(), reason }),
  z.strictObject({
    type: z.literal('token'),
    token_nonce: z.string().regex(/^(?:[0-9a-f]{32}|sha256:[0-9a-f]{64})$/),
    reason,
  }),
])

export async function revoke(door: Door, asked: Asked, request: Request): Promise<Answer> {
  const by = door.adminOf(bearerOf(request.headers.get('authorization')))
  if (by === undefined) return refuseCaller(asked, 'unauthorized', 'The token of an administrator was expected')
  const { identity } = door
  if (!identity?.rules()) return refuse(asked, { status: 404, error: 'not_found', reason: 'The policy does not enable identity' })
  const invalid = {
    status: 400,
    error: 'invalid_request',
    reason: 'type session with session_id, or type token with token_nonce, was expected',
  }
  if (!isJson(request)) return refuse(asked, { status: 415, error: 'invalid_request', reason: 'A body of application/json was expected' })
  const body = await readJson(request.body, door.limits)
  if ('fault' in body) return refuseBody(asked, body.fault)
  const read = bodies.safeParse(body.value)
  if (!read.success) return refuse(asked, invalid)
  const target = read.data.type === 'session' ? { session: read.data.session_id } : { tokenId: toTokenId(read.data.token_nonce) }
  return perform(door, asked, { target, by, ...(read.data.reason !== undefined && { reason: read.data.reason }) })
}

/** The nonce of AIP, or the id that our record shows. */
function toTokenId(named: string): string {
  return named.startsWith('sha256:') ? named : tokenId(named)
}

/** The revocation itself is recorded by the identity, before this goes on. */
async function perform({ identity, counters, live, wallMs }: Door, asked: Asked, revocation: Revocation): Promise<Answer> {
  const { target } = revocation
  try {
    const before = await identity?.revoke(revocation)
    if ('session' in target) live.ended(target.session)
    counters.add('session' in target ? 'revokedSessions' : 'revokedTokens')
    if (before === 'unknown') return { status: 404, body: { error: 'not_found', reason: 'No such session or token is alive' }, events: [] }
  } catch {
    const reason = 'The revocation cannot be counted or recorded'
    const event = { event_type: 'auth_failure', user: revocation.by, reason, ...aboutAnswer(asked, 503) }
    return { status: 503, body: { error: 'audit_unavailable', reason }, events: [event] }
  }
  const named = 'session' in target ? { type: 'session', target: target.session } : { type: 'token', target: target.tokenId }
  return { status: 200, body: { revoked: true, ...named, revoked_at: new Date(wallMs()).toISOString() }, events: [] }
}
