/**
 * What the server sends: answers are matched, looked through and recorded, the rest passes.
 *
 * Nothing here waits, so the server's order is kept by itself. Sensitive data is masked or held
 * back before the client sees it; a line in which nothing was changed leaves as it came.
 * Source: policy.md §6.5, events.md §2, checklist AW18, AW19.
 * @module
 */
import type { Inspected } from '@sworn/recorder'
import { findImitation, RESULT } from '../frames/names.ts'
import { isBlank, isMembers, memberOf, type Notification, type Request, type Response, readFrame } from '../frames/read.ts'
import { escapeSeparators, formatChanged, formatError } from '../frames/write.ts'
import { noteUnknown, refuseFromServer } from './refused.ts'
import {
  answer,
  CODES,
  durationOf,
  MAX_IN_FLIGHT,
  membersOf,
  noteMatches,
  type Pending,
  remember,
  retryKeyOf,
  type Session,
  toPeer,
} from './session.ts'
import { rememberTask } from './tasks.ts'
import { learnTools } from './tool-list.ts'

const CLEAN = { matches: [], blocked: false } as const

/** Takes one line of the server, LF included. Never throws. */
export function takeFromServer(session: Session, line: Buffer): void {
  if (isBlank(line)) return
  const read = readFrame(line)
  if (!read.ok) refuseFromServer(session, read.refusal)
  else if (read.message.kind === 'response') passAnswer(session, read.message, line)
  else if (read.message.kind === 'notification') passInspected(session, read.message, line)
  else passRequest(session, read.message, line)
}

function inspect(session: Session, value: unknown): Inspected {
  if (session.gate === undefined || value === undefined) return { value, ...CLEAN }
  try {
    return session.gate.inspect(value, 'response')
  } catch {
    return { value, matches: [], blocked: true } // a gate that fails shows nothing
  }
}

/** Requests of the server: sampling, roots, elicitation, ping. */
function passRequest(session: Session, request: Request, line: Buffer): void {
  if (session.asked.has(request.id)) {
    const message = 'the id of a request in flight'
    refuseFromServer(session, { code: -32600, message, id: request.id, kind: 'request', method: request.method })
    return
  }
  remember(session.asked, request.id, request.method, MAX_IN_FLIGHT)
  passInspected(session, request, line)
}

function passInspected(session: Session, message: Request | Notification, line: Buffer): void {
  const { value, matches, blocked } = inspect(session, message.params)
  noteMatches(session, matches, { method: message.method })
  if (message.method === 'notifications/cancelled') forgetAsked(session, message)
  if (!blocked) {
    session.toClient.write(value === message.params ? escapeSeparators(line) : formatChanged(line, ['params'], value))
    return
  }
  if (message.kind !== 'request') return
  session.asked.delete(message.id)
  session.toServer.write(
    formatError(message.id, { code: CODES.denied, message: 'Blocked: sensitive data', data: { reason: 'dlp_blocked' } }),
  )
}

function forgetAsked(session: Session, { params }: Request | Notification): void {
  const id = memberOf(params, 'requestId')
  if (typeof id === 'string' || typeof id === 'number') session.asked.delete(id)
}

function findCall(session: Session, { id }: Response): Pending | undefined {
  return id === null ? undefined : (session.calls.get(id) ?? session.cancelled.get(id))
}

function passAnswer(session: Session, response: Response, line: Buffer): void {
  const call = findCall(session, response)
  if (response.id !== null && (call === undefined || call.state === 'deciding')) noteUnknown(session, response.id, 'response')
  if (call?.state === 'deciding') return // the server was not asked yet: the client must not take this for the answer
  if (call?.tool !== undefined && isMembers(response.result) && findImitation(response.result, RESULT) !== undefined) {
    const message = 'a member of result that looks like a protocol member'
    refuseFromServer(session, { code: -32600, message, id: response.id, kind: 'response' })
    return
  }
  const part = response.error === undefined ? 'result' : 'error'
  const original = response[part]
  const inspected = inspect(session, original)
  noteMatches(session, inspected.matches, call === undefined ? {} : membersOf(session, call))
  if (call !== undefined) settle(session, call, response, inspected)
  if (!inspected.blocked) {
    session.toClient.write(inspected.value === original ? escapeSeparators(line) : formatChanged(line, [part], inspected.value))
  } else if (call !== undefined && call.state !== 'cancelled') {
    answer(session, call, { code: CODES.denied, message: 'Blocked: sensitive data', data: { tool: call.tool, reason: 'dlp_blocked' } })
  }
}

/** Takes the call off the table and records how it ended. */
function settle(session: Session, call: Pending, response: Response, inspected: Inspected): void {
  session.calls.delete(call.id)
  const late = call.state === 'cancelled'
  learnServer(session, call, response.result)
  session.cancelled.delete(call.id)
  if (call.method === 'tools/list') learnTools(session, call, response.result)
  if (call.tool !== undefined) {
    noteOutcome(session, call, response, inspected, late)
    return
  }
  if (call.uri === undefined || response.error !== undefined) return
  session.audit.note({ event_type: 'data_access', ...membersOf(session, call), target: call.uri, duration_ms: durationOf(session, call) })
}

function noteOutcome(session: Session, call: Pending, response: Response, inspected: Inspected, late: boolean): void {
  const about = { ...membersOf(session, call), duration_ms: durationOf(session, call) }
  const blocked = inspected.blocked ? { reason_code: 'dlp_blocked' } : {}
  const { version } = session.server
  const served = { ...(version === undefined ? {} : { server_version: version }), ...(late ? { after_cancel: true } : {}) }
  if (response.error !== undefined) {
    noteError(session, about, response.error, inspected, { ...blocked, metadata: served })
    return
  }
  const type = memberOf(response.result, 'resultType')
  const task = call.task?.id ?? rememberTask(session, call, response.result)
  const metadata = {
    ...served,
    ...(typeof type === 'string' && type !== 'complete' ? { result_type: type } : {}),
    ...(task === undefined ? {} : { task_id: task, task: call.task === undefined ? 'created' : 'result' }),
  }
  if (type === 'input_required') rememberRetry(session, call, response.result)
  const shown = inspected.blocked ? '[BLOCKED:dlp]' : inspected.value
  const is_error = memberOf(response.result, 'isError') === true
  session.audit.note({ event_type: 'tool_call_end', ...about, ...blocked, result: shown, is_error, metadata })
}

function noteError(session: Session, about: object, original: object, { value, blocked }: Inspected, rest: object): void {
  const code = memberOf(original, 'code')
  const message = blocked ? '[BLOCKED:dlp]' : memberOf(value, 'message')
  session.audit.note({
    event_type: 'tool_call_error',
    ...about,
    error: typeof message === 'string' ? message : '',
    error_type: 'rpc_error',
    ...(typeof code === 'number' ? { error_code: code } : {}),
    ...rest,
  })
}

/** The retry of this call with the input it asked for will be its child. */
function rememberRetry(session: Session, call: Pending, result: unknown): void {
  const state = memberOf(result, 'requestState')
  const key = typeof state === 'string' ? retryKeyOf(state, undefined) : call.retryKey
  if (key !== undefined) remember(session.retries, key, call.correlation)
}

/** The 2025 era says it once, in the answer to initialize; the stateless era in every result. */
function learnServer(session: Session, { method }: Pending, result: unknown): void {
  if (session.server.name !== undefined) return
  const said = method === 'initialize' || method === 'server/discover' ? memberOf(result, 'serverInfo') : undefined
  const info = said ?? memberOf(memberOf(result, '_meta'), 'io.modelcontextprotocol/serverInfo')
  if (info !== undefined) session.server = toPeer(info)
}
