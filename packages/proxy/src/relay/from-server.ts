/**
 * What the server sends: answers are matched, looked through and recorded, the rest passes.
 *
 * Nothing here waits, so the server's order is kept by itself. Sensitive data is masked or held
 * back before the client sees it; a line in which nothing was changed leaves as it came.
 * Source: policy.md §6.5, events.md §2, checklist AW18, AW19.
 * @module
 */
import { type Charged, chargeOutcome, type Inspected } from '@sworn/recorder'
import { findImitation, RESULT } from '../frames/names.ts'
import { isBlank, isMembers, memberOf, type Notification, type Request, type Response, readFrame } from '../frames/read.ts'
import { escapeSeparators, formatChanged, formatError, formatWithout } from '../frames/write.ts'
import { BLOCKED, inspect } from './inspect.ts'
import { noteUnknown, refuseFromServer } from './refused.ts'
import {
  answer,
  durationOf,
  idsOf,
  isFollowed,
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
import { withToken } from './tokens.ts'
import { isAmbiguousList, learnTools } from './tool-list.ts'
import { readUsage, usageMembers } from './usage.ts'

const NONE: ReadonlySet<number> = new Set()

/** Takes one line of the server, LF included. Never throws. */
export function takeFromServer(session: Session, line: Buffer): void {
  if (isBlank(line)) return
  const read = readFrame(line)
  if (!read.ok) refuseFromServer(session, read.refusal)
  else if (read.message.kind === 'response') passAnswer(session, read.message, line)
  else if (read.message.kind === 'notification') passInspected(session, read.message, line)
  else passRequest(session, read.message, line)
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
  const { value, matches, blocked } = inspect(session, message.params, 'response')
  noteMatches(session, matches, { method: message.method })
  if (message.method === 'notifications/cancelled') forgetAsked(session, message)
  if (!blocked) {
    session.toClient.write(value === message.params ? escapeSeparators(line) : formatChanged(line, ['params'], value))
    return
  }
  if (message.kind !== 'request') return
  session.asked.delete(message.id)
  session.toServer.write(formatError(message.id, BLOCKED))
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
  if (call === undefined && mayBeTaken(session, response.id)) return
  if (call !== undefined && isAmbiguous(call, response.result)) {
    const message = 'a member of result that looks like a protocol member'
    refuseFromServer(session, { code: -32600, message, id: response.id, kind: 'response' })
    return
  }
  const part = response.error === undefined ? 'result' : 'error'
  const original = response[part]
  const inspected = inspect(session, original, 'response')
  noteMatches(session, inspected.matches, call === undefined ? {} : membersOf(session, call))
  const withheld = call === undefined ? NONE : settle(session, call, response, inspected)
  if (!inspected.blocked) {
    const value = part === 'result' ? withToken(session, call, inspected.value) : inspected.value
    const shown = value === original ? escapeSeparators(line) : formatChanged(line, [part], value)
    session.toClient.write(withheld.size === 0 ? shown : formatWithout(shown, ['result', 'tools'], withheld))
  } else if (call !== undefined && call.state !== 'cancelled') {
    answer(session, call, { ...BLOCKED, data: { tool: call.tool, ...BLOCKED.data } })
  }
}

/** Some clients take "1" for the answer to 1; nothing would have been judged about it. */
function mayBeTaken({ calls }: Session, id: Response['id']): boolean {
  if (id === null) return false
  for (const asked of calls.keys()) if (typeof asked !== typeof id) return true
  return false
}

/** True when clients could read the result in two ways. */
function isAmbiguous({ tool, method }: Pending, result: unknown): boolean {
  if (!isMembers(result)) return false
  if (tool !== undefined) return findImitation(result, RESULT) !== undefined
  return method === 'tools/list' && isAmbiguousList(result)
}

/** Takes the call off the table and records how it ended. @returns places of listed tools that the client must not see */
function settle(session: Session, call: Pending, response: Response, inspected: Inspected): ReadonlySet<number> {
  session.calls.delete(call.id)
  const late = call.state === 'cancelled'
  learnServer(session, call, response.result)
  session.cancelled.delete(call.id)
  if (call.method === 'tools/list') return learnTools(session, call, response.result)
  if (call.uri !== undefined && response.error === undefined) noteRead(session, call, call.uri)
  if (isFollowed(call)) noteOutcome(session, call, response, inspected, late)
  return NONE
}

function noteRead(session: Session, call: Pending, target: string): void {
  session.audit.note({ event_type: 'data_access', ...membersOf(session, call), target, duration_ms: durationOf(session, call) })
}

function noteOutcome(session: Session, call: Pending, response: Response, inspected: Inspected, late: boolean): void {
  const usage = readUsage(response.result)
  const about = { ...membersOf(session, call), duration_ms: durationOf(session, call), ...usageMembers(usage) }
  const blocked = inspected.blocked ? { reason_code: 'dlp_blocked' } : {}
  const { version } = session.server
  const served = { ...(version === undefined ? {} : { server_version: version }), ...(late ? { after_cancel: true } : {}) }
  if (response.error !== undefined) {
    noteError(session, about, response.error, inspected, { ...blocked, metadata: { ...served, ...charge(session, call, usage, false) } })
    return
  }
  const type = memberOf(response.result, 'resultType')
  const task = call.task?.id ?? rememberTask(session, call, response.result)
  const metadata = {
    ...served,
    ...(typeof type === 'string' && type !== 'complete' ? { result_type: type } : {}),
    ...(task === undefined ? {} : { task_id: task, task: call.task === undefined ? 'created' : 'result' }),
    ...charge(session, call, usage, type === 'input_required' || (task !== undefined && call.task === undefined)),
  }
  if (type === 'input_required') rememberRetry(session, call, response.result)
  const shown = inspected.blocked ? '[BLOCKED:dlp]' : inspected.value
  const is_error = memberOf(response.result, 'isError') === true
  session.audit.note({ event_type: 'tool_call_end', ...about, ...blocked, result: shown, is_error, metadata })
}

/** Budgets are about tool calls. What is not the end of a call may report later; the result of a task is charged once, however often it is asked for. */
function charge(session: Session, call: Pending, usage: ReturnType<typeof readUsage>, goesOn: boolean): Charged {
  const { task } = call
  if (call.tool === undefined || task?.charged || (goesOn && usage === undefined)) return {}
  if (task) task.charged = true
  return chargeOutcome(session.gate, idsOf(session, call), usage)
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
