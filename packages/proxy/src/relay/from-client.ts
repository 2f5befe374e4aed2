/**
 * What the client sends: requests and notifications are judged, answers pass.
 *
 * The client's order is kept for everything that can have an effect; pings and the client's answers
 * to the server do not wait behind a decision.
 * Source: policy.md §6.2 step 0, checklist AW19.
 * @module
 */
import { canElicit } from '@sworn/govern'
import type { Verdict } from '@sworn/recorder'
import { type Id, isBlank, isId, memberOf, type Notification, type Read, type Request, type Response, readFrame } from '../frames/read.ts'
import { escapeSeparators, formatError } from '../frames/write.ts'
import { noteUnknown, refuseFromClient } from './refused.ts'
import {
  answer,
  CODES,
  durationOf,
  isModern,
  MAX_IN_FLIGHT,
  membersOf,
  metaOf,
  type Pending,
  remember,
  type Session,
  toDecision,
  toPeer,
  toRpcError,
} from './session.ts'
import { findTask } from './tasks.ts'
import { createCall, passCall } from './tool-call.ts'

/** Takes one line of the client, LF included. Never throws. */
export function takeFromClient(session: Session, line: Buffer): void {
  if (isBlank(line)) return
  takeRead(session, readFrame(line), line)
}

/** The same for a line that was read already. */
export function takeRead(session: Session, read: Read, line: Buffer): void {
  if (!read.ok) refuseFromClient(session, read.refusal)
  else if (read.message.kind === 'response') passAnswer(session, read.message, line)
  else if (read.message.kind === 'notification') passNotification(session, read.message, line)
  else takeRequest(session, read.message, line)
}

function takeRequest(session: Session, request: Request, line: Buffer): void {
  if (session.calls.has(request.id)) refuseDuplicate(session, request)
  else if (session.calls.size >= MAX_IN_FLIGHT) refuseBusy(session, request)
  else {
    learnClient(session, request)
    if (request.method === 'tools/call') startCall(session, request, line)
    else passRequest(session, request, line)
  }
}

function startCall(session: Session, request: Request, line: Buffer): void {
  const call = createCall(session, request)
  session.calls.set(call.id, call)
  const work = passCall(session, call, request, line, session.lane.hold())
  session.deciding.add(work)
  void work.finally(() => session.deciding.delete(work))
}

function toPending(session: Session, { id, method, params }: Request): Pending {
  const uri = method === 'resources/read' ? memberOf(params, 'uri') : undefined
  const task = findTask(session, method, params)
  return {
    id,
    method,
    ...(typeof uri === 'string' ? { uri } : {}),
    ...(task === undefined ? {} : { task, tool: task.tool }),
    correlation: task?.correlation ?? session.randomId(),
    modern: isModern(params),
    state: 'sent',
    startedAt: session.clock(),
  }
}

function passRequest(session: Session, request: Request, line: Buffer): void {
  const call = toPending(session, request)
  const verdict = session.gate?.judgeMethod(request.method)
  if (verdict !== undefined && verdict.decision !== 'allow') {
    noteBlocked(session, request, verdict)
    answer(session, call, toRpcError(verdict, { method: request.method }))
    return
  }
  session.calls.set(call.id, call)
  const onSent = () => {
    call.startedAt = session.clock()
  }
  if (request.method === 'ping') session.toServer.write(escapeSeparators(line))
  else session.lane.push(escapeSeparators(line), onSent)
}

function passNotification(session: Session, notification: Notification, line: Buffer): void {
  const verdict = session.gate?.judgeMethod(notification.method)
  if (verdict !== undefined && verdict.decision !== 'allow') {
    noteBlocked(session, notification, verdict) // never answered
    return
  }
  const id = notification.method === 'notifications/cancelled' ? memberOf(notification.params, 'requestId') : undefined
  if (isId(id) && abandon(session, id)) return // the server has not seen this call
  session.lane.push(escapeSeparators(line), isId(id) ? () => cancel(session, id, memberOf(notification.params, 'reason')) : undefined)
}

function passAnswer(session: Session, response: Response, line: Buffer): void {
  const { id } = response
  if (session.people?.ready?.client?.hearResponse(response)) return // it answers a question of ours
  if (id !== null && !session.asked.delete(id)) noteUnknown(session, id, 'request')
  session.toServer.write(escapeSeparators(line))
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
  if (call.tool === undefined) return
  session.stats.cancelled++
  const error = typeof reason === 'string' ? { error: reason } : {}
  const about = { ...membersOf(session, call), error_type: 'cancelled', duration_ms: durationOf(session, call) }
  session.audit.note({ event_type: 'tool_call_error', ...about, ...error })
}

function noteBlocked(session: Session, { method, ...rest }: Request | Notification, verdict: Verdict): void {
  session.stats.denied++
  const id = 'id' in rest ? { rpc_id: rest.id } : {}
  session.audit.note({ event_type: 'method_blocked', ...toDecision(verdict), method, ...id })
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
