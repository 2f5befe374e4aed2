/**
 * Requests of the client besides tools/call: judged by their method, and by the places and data that they name.
 *
 * A resource is read by its URI, a prompt gets arguments: the same paths are protected there, the same data is looked for,
 * and the decision is as durable before it goes out, as in a tool call. What names nothing does not wait.
 * Source: events.md §2 rule 1, policy.md §6.2 step 0 and §6.4, checklist AW11.
 * @module
 */
import type { Gate, Verdict } from '@sworn/recorder'
import { type Members, memberOf, type Notification, type Request } from '../frames/read.ts'
import { escapeSeparators, formatChanged } from '../frames/write.ts'
import type { AuditRecord } from './audit.ts'
import { dlpRefusal } from './inspect.ts'
import { mayLeave } from './leaving.ts'
import {
  answer,
  idsOf,
  isModern,
  membersOf,
  noteMatches,
  noteRefusal,
  type Pending,
  type Session,
  toDecision,
  toRpcError,
} from './session.ts'
import { findTask } from './tasks.ts'
import { bringsToken, prepareToken } from './tokens.ts'

/** Their parameters are not about what is to be reached. */
const NAMES_NOTHING = /^(?:initialize|ping|server\/discover|logging\/.*|tasks\/.*|.*\/list)$/

const BROKEN: Verdict = { decision: 'deny', reason: 'the gate failed', reasonCode: 'policy_invalid' }

/** Judges a request that is no tools/call, and forwards or answers it. */
export function passRequest(session: Session, request: Request, line: Buffer): void {
  const call = toPending(session, request)
  const verdict = session.gate?.judgeMethod(request.method)
  if (verdict !== undefined && verdict.decision !== 'allow') {
    refuse(session, call, request, verdict)
    return
  }
  session.calls.set(call.id, call)
  const onSent = () => {
    call.state = 'sent'
    call.startedAt = session.clock()
  }
  const { gate } = session
  const judges = gate !== undefined && !NAMES_NOTHING.test(request.method)
  if (judges || bringsToken(session, request.method)) {
    call.state = 'deciding'
    const slot = session.lane.hold()
    const ready = judges ? screen(session, gate, call, request, line) : prepareToken(session, call).then(() => line)
    keepFor(
      session,
      ready.then((out) => slot.release(out && escapeSeparators(out), onSent)),
    )
  } else if (request.method === 'ping') session.toServer.write(escapeSeparators(line))
  else session.lane.push(escapeSeparators(line), onSent)
}

/** The session does not end before `work` has. */
export function keepFor(session: Session, work: Promise<void>): void {
  session.deciding.add(work)
  void work.finally(() => session.deciding.delete(work))
}

/** Records a notification that is not forwarded. */
export function noteBlocked(session: Session, { method }: Notification, verdict: Verdict): void {
  session.audit.note({ event_type: 'method_blocked', ...toDecision(verdict), method })
}

/** Members of a record about a request, and what it is about. */
function describe(session: Session, call: Pending, { params }: Request): Record<string, unknown> {
  const { _meta, ...input }: Members = params ?? {}
  const target = call.uri === undefined ? {} : { target: call.uri }
  return { ...membersOf(session, call), ...target, ...(params === undefined ? {} : { arguments: input }) }
}

function refuse(session: Session, call: Pending, request: Request, verdict: Verdict): void {
  session.audit.note({ event_type: 'method_blocked', ...toDecision(verdict), ...describe(session, call, request) })
  noteRefusal(session, call, verdict)
  session.calls.delete(call.id)
  answer(session, call, toRpcError(verdict, { method: request.method }))
}

/** The line that may go out once its decision is on disk; undefined when the request was refused and answered. Never rejects. */
async function screen(session: Session, gate: Gate, call: Pending, request: Request, line: Buffer): Promise<Buffer | undefined> {
  const { verdict, input } = await judge(session, gate, call, request)
  if (verdict.decision !== 'allow') {
    refuse(session, call, request, verdict)
    return undefined
  }
  const rewritten = input !== request.params
  const recorded = await session.audit.intent(toIntent(session, call, request, { verdict, rewritten }))
  if (!mayLeave(session, call, recorded)) return undefined
  call.decided = true
  return rewritten ? formatChanged(line, ['params'], input) : line
}

/** The decision about a request that is no tool call. Nobody's policy has to speak of it: the gate did, and it goes on. */
function toIntent(
  session: Session,
  call: Pending,
  request: Request,
  { verdict, rewritten }: { readonly verdict: Verdict; readonly rewritten: boolean },
): AuditRecord {
  const metadata = rewritten ? { metadata: { arguments_rewritten: true } } : {}
  return { event_type: 'authorization_decision', ...toDecision(verdict), ...describe(session, call, request), ...metadata }
}

interface Judged {
  readonly verdict: Verdict
  /** The parameters that go out. */
  readonly input: unknown
}

async function judge(session: Session, gate: Gate, call: Pending, { id, method, params }: Request): Promise<Judged> {
  try {
    const { _meta, ...input }: Members = params ?? {}
    const ids = { call: call.correlation, ...idsOf(session, call) }
    const verdict = await gate.judge({ kind: 'resource', name: call.uri ?? method, input, ids, rpc: { id, method } })
    if (verdict.decision !== 'allow') return { verdict, input: params }
    const { value, matches, blocked } = gate.inspect(params, 'request')
    noteMatches(session, matches, membersOf(session, call))
    return blocked ? { verdict: dlpRefusal('parameters', verdict), input: params } : { verdict, input: value }
  } catch {
    return { verdict: BROKEN, input: params }
  }
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
