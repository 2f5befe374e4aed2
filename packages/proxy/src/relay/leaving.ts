/**
 * The last step before a request of the client goes out: its record is there and somebody is left to take it, or the
 * client is told why not.
 *
 * The same for tool calls and for every other method that is judged. Source: events.md §2 rule 1.
 * @module
 */
import { answer, CODES, membersOf, type Pending, type Session } from './session.ts'

/** @param recorded the record that must be there first is. @returns false when the client was answered instead */
export function mayLeave(session: Session, call: Pending, recorded: boolean): boolean {
  if (!recorded) refuseUnrecorded(session, call)
  else if (session.gone !== undefined) refuseUnsent(session, call, session.gone)
  else return true
  return false
}

/** What the client called, for the data of an answer. */
const calledOf = ({ tool, method }: Pending) => (tool === undefined ? { method } : { tool })

function refuseUnrecorded(session: Session, call: Pending): void {
  session.calls.delete(call.id)
  const message = 'Audit log unavailable: the call was not executed'
  answer(session, call, { code: CODES.internal, message, data: { ...calledOf(call), reason: 'audit_unavailable' } })
}

/** The record was made, and a peer went away before the call could be forwarded. */
function refuseUnsent(session: Session, call: Pending, why: NonNullable<Session['gone']>): void {
  session.calls.delete(call.id)
  session.audit.note({
    event_type: 'tool_call_error',
    ...membersOf(session, call),
    error_type: why,
    metadata: { not_executed: true },
  })
  answer(session, call, {
    code: CODES.gone,
    message: why === 'client_gone' ? 'The client went away' : 'The server exited',
    data: { ...calledOf(call), reason: why },
  })
}
