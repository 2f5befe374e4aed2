/**
 * What the client sends: requests and notifications are judged, answers and notifications are looked through as requests are.
 *
 * The client's order is kept for everything that can have an effect; pings and the client's answers
 * to the server do not wait behind a decision.
 * Source: policy.md §6.2 step 0, §6.5, checklist AW19.
 * @module
 */
import { canElicit } from '@sworn/govern'
import type { Verdict } from '@sworn/recorder'
import { type Id, isBlank, isId, memberOf, type Notification, type Read, type Request, type Response, readFrame } from '../frames/read.ts'
import { escapeSeparators, formatChanged, formatError } from '../frames/write.ts'
import { BLOCKED, dlpRefusal, inspect } from './inspect.ts'
import { noteUnknown, refuseFromClient } from './refused.ts'
import { keepFor, noteBlocked, passRequest } from './request.ts'
import { CODES, durationOf, isFollowed, MAX_IN_FLIGHT, membersOf, metaOf, noteMatches, remember, type Session, toPeer } from './session.ts'
import { partToken } from './tokens.ts'
import { createCall, passCall } from './tool-call.ts'

/** Takes one line of the client, LF included. Never throws. */
export function takeFromClient(session: Session, line: Buffer): void {
  if (isBlank(line)) return
  takeRead(session, readFrame(line), line)
}

/** The same for a line that was read already. */
export function takeRead(session: Session, read: Read, line: Buffer): void {
  if (!read.ok) {
    refuseFromClient(session, read.refusal)
    return
  }
  const { message, line: bare, token } = partToken(session, read.message, line)
  if (message.kind === 'response') passAnswer(session, message, bare)
  else if (message.kind === 'notification') passNotification(session, message, bare)
  else takeRequest(session, message, bare, token)
}

function takeRequest(session: Session, request: Request, line: Buffer, token: string | undefined): void {
  if (session.calls.has(request.id)) refuseDuplicate(session, request)
  else if (session.calls.size >= MAX_IN_FLIGHT) refuseBusy(session, request)
  else {
    learnClient(session, request)
    if (request.method === 'tools/call') startCall(session, request, line, token)
    else passRequest(session, request, line)
  }
}

function startCall(session: Session, request: Request, line: Buffer, token: string | undefined): void {
  const call = { ...createCall(session, request), ...(token !== undefined && { token }) }
  session.calls.set(call.id, call)
  keepFor(session, passCall(session, call, request, line, session.lane.hold()))
}

function passNotification(session: Session, notification: Notification, line: Buffer): void {
  const verdict = session.gate?.judgeMethod(notification.method)
  if (verdict !== undefined && verdict.decision !== 'allow') dropNotification(session, notification, verdict)
  else screenNotification(session, notification, line, verdict)
}

function screenNotification(session: Session, notification: Notification, line: Buffer, verdict: Verdict | undefined): void {
  const { method, params } = notification
  const id = method === 'notifications/cancelled' ? memberOf(params, 'requestId') : undefined
  if (isId(id) && abandon(session, id)) return // the server has not seen this call
  const { value, matches, blocked } = inspect(session, params, 'request')
  noteMatches(session, matches, { method })
  if (blocked && !isId(id)) {
    dropNotification(session, notification, dlpRefusal('parameters', verdict))
    return
  }
  const shown = blocked ? { requestId: id } : value // a cancellation leaves without its reason: what it stops must stop
  const out = shown === params ? line : formatChanged(line, ['params'], shown)
  session.lane.push(escapeSeparators(out), isId(id) ? () => cancel(session, id, memberOf(params, 'reason')) : undefined)
}

/** Recorded and never answered. */
function dropNotification(session: Session, notification: Notification, verdict: Verdict): void {
  session.stats.denied++
  noteBlocked(session, notification, verdict)
}

/** What the client says to the server's own questions: sampling, roots, elicitation. Where it must not be seen the server is told. */
function passAnswer(session: Session, response: Response, line: Buffer): void {
  const { id } = response
  if (session.people?.ready?.client?.hearResponse(response)) return // it answers a question of ours
  const method = id === null ? undefined : session.asked.get(id)
  if (id !== null && !session.asked.delete(id)) noteUnknown(session, id, 'request')
  const part = response.error === undefined ? 'result' : 'error'
  const { value, matches, blocked } = inspect(session, response[part], 'request')
  noteMatches(session, matches, { ...(method === undefined ? {} : { method }), ...(id === null ? {} : { rpc_id: id }) })
  if (blocked) session.toServer.write(formatError(id, BLOCKED))
  else session.toServer.write(escapeSeparators(value === response[part] ? line : formatChanged(line, [part], value)))
}

/** Ends the wait for people when the client no longer wants the call that they are asked about. */
function abandon(session: Session, id: Id): boolean {
  const call = session.calls.get(id)
  if (call?.abandon === undefined || call.state !== 'deciding') return false
  session.calls.delete(id)
  call.state = 'cancelled'
  session.stats.cancelled++
  call.abandon()
  return true
}

/** The cancellation went out behind its call: the outcome is cancelled, even if an answer still comes. */
function cancel(session: Session, id: Id, reason: unknown): void {
  const call = session.calls.get(id)
  if (call === undefined) return
  session.calls.delete(id)
  call.state = 'cancelled'
  remember(session.cancelled, id, call)
  if (!isFollowed(call)) return
  session.stats.cancelled++
  const error = typeof reason === 'string' ? { error: reason } : {}
  const about = { ...membersOf(session, call), error_type: 'cancelled', duration_ms: durationOf(session, call) }
  session.audit.note({ event_type: 'tool_call_error', ...about, ...error })
}

/** A second request with the id of one in flight: its answer could not be told apart. */
function refuseDuplicate(session: Session, { id, method }: Request): void {
  const tool = session.calls.get(id)?.tool
  refuseFromClient(session, {
    code: -32600,
    message: 'the id of a request in flight',
    id: null,
    kind: 'unknown',
    method,
    ...(tool === undefined ? {} : { tool }),
  })
}

function refuseBusy(session: Session, { id, method }: Request): void {
  const reason = `more than ${MAX_IN_FLIGHT} requests in flight`
  const about = { method, rpc_id: id, reason, reason_code: 'rate_limited', error_code: CODES.internal }
  session.audit.note({ event_type: 'method_blocked', decision: 'deny', ...about })
  session.toClient.write(
    formatError(id, { code: CODES.internal, message: 'Too many requests in flight', data: { reason: 'rate_limited' } }),
  )
}

function learnClient(session: Session, { method, params }: Request): void {
  if (session.people !== undefined && method === 'initialize') session.people.elicits = canElicit(memberOf(params, 'capabilities'))
  if (session.client.name !== undefined) return
  const info = method === 'initialize' ? memberOf(params, 'clientInfo') : memberOf(metaOf(params), 'io.modelcontextprotocol/clientInfo')
  if (info !== undefined) session.client = toPeer(info)
}
