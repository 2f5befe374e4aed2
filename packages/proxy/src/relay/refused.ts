/**
 * Lines that are not forwarded because they can be read in two ways, or not at all.
 *
 * Each is recorded as `method_blocked` with `malformed_request`; its sender is told when it asked,
 * and whoever waits for it is told that no answer will come.
 * Source: events.md §2, JSON-RPC 2.0 §5.1.
 * @module
 */
import type { Id, Refusal } from '../frames/read.ts'
import { formatError } from '../frames/write.ts'
import { answer, CODES, durationOf, isFollowed, membersOf, type Session } from './session.ts'

export type Direction = 'request' | 'response'

/** Records one refused line. `direction` is `request` when it came from the client. */
function noteRefusal(session: Session, refusal: Omit<Refusal, 'kind'>, direction: Direction): void {
  session.stats.malformed++
  session.audit.note({
    event_type: 'method_blocked',
    decision: 'deny',
    ...(refusal.tool === undefined ? {} : { tool: refusal.tool }),
    ...(refusal.method === undefined ? {} : { method: refusal.method }),
    ...(refusal.id === null ? {} : { rpc_id: refusal.id }),
    reason: refusal.message,
    reason_code: 'malformed_request',
    error_code: refusal.code,
    direction,
  })
}

function toError({ code, message }: Pick<Refusal, 'code' | 'message'>) {
  return { code, message: code === -32700 ? 'Parse error' : 'Invalid request', data: { reason: 'malformed_request', detail: message } }
}

/** A line of the client that the server must not see. */
export function refuseFromClient(session: Session, refusal: Refusal): void {
  noteRefusal(session, refusal, 'request')
  if (refusal.kind === 'request' || refusal.kind === 'unknown') session.toClient.write(formatError(refusal.id, toError(refusal)))
  if (refusal.kind !== 'response' || refusal.id === null || !session.asked.delete(refusal.id)) return
  session.toServer.write(formatError(refusal.id, { code: CODES.internal, message: 'The answer of the client was malformed' }))
}

/** A line of the server that the client must not see. */
export function refuseFromServer(session: Session, refusal: Refusal): void {
  noteRefusal(session, refusal, 'response')
  if (refusal.kind === 'request' && refusal.id !== null) session.toServer.write(formatError(refusal.id, toError(refusal)))
  if (refusal.kind !== 'request' && refusal.id !== null) failCall(session, refusal.id, 'malformed_response')
}

/** A line that was too long or unfinished; nobody can be told whose it was. */
export function refuseLost(session: Session, why: 'too_long' | 'unterminated', direction: Direction): void {
  const message = why === 'too_long' ? 'a message longer than 10 MiB' : 'the stream ended inside a message'
  noteRefusal(session, { code: -32600, message, id: null }, direction)
  if (why === 'too_long' && direction === 'request') session.toClient.write(formatError(null, toError({ code: -32600, message })))
}

/** Records an answer that nobody asked for. */
export function noteUnknown(session: Session, id: Id, direction: Direction): void {
  const metadata = { rule: 'unknown_response_id' }
  session.audit.note({ event_type: 'security_alert', rpc_id: id, direction, reason: 'an answer to no request', metadata })
}

/** Ends a call whose answer cannot be passed on. */
function failCall(session: Session, id: Id, type: 'malformed_response'): void {
  const call = session.calls.get(id)
  if (call === undefined || call.state === 'deciding') return
  session.calls.delete(id)
  if (isFollowed(call)) {
    const about = { ...membersOf(session, call), error_type: type, duration_ms: durationOf(session, call) }
    session.audit.note({ event_type: 'tool_call_error', ...about })
  }
  answer(session, call, { code: CODES.internal, message: 'The answer of the server was malformed', data: { reason: type } })
}
