/**
 * One tools/call from arrival to forwarding: judged, recorded, and only then sent.
 *
 * The record that must be there first is `authorization_decision`; where no policy judged the call and it is let
 * through it is `tool_call_start`. A call that is not forwarded is answered, always.
 * Source: events.md rule 1, policy.md §6.2, capture.md §4.1.
 * @module
 */
import { type Action, budgetMembers, type Gate, type Verdict } from '@sworn/recorder'
import { type Members, memberOf, type Request } from '../frames/read.ts'
import { escapeSeparators, formatChanged } from '../frames/write.ts'
import { type Arrived, type Asked, askPeople, withoutAnswer } from './asking.ts'
import type { AuditRecord } from './audit.ts'
import { dlpRefusal } from './inspect.ts'
import type { Slot } from './lane.ts'
import { mayLeave } from './leaving.ts'
import {
  answer,
  idsOf,
  isModern,
  membersOf,
  metaOf,
  noteMatches,
  noteRefusal,
  type Pending,
  retryKeyOf,
  type Session,
  toDecision,
  toRpcError,
} from './session.ts'
import { judgeToken, prepareToken, takesTokens } from './tokens.ts'

/** What was decided about a call, and the line that may go out. */
interface Judged {
  readonly verdict: Verdict
  readonly line: Buffer
  readonly rewritten: boolean
  /** The arguments that go out, when they are not those that came. */
  readonly input?: unknown
  /** What is known of the people who were asked. */
  readonly members?: Asked['members']
}

const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/

function traceOf(params: Members | undefined): Record<string, string> {
  const value = memberOf(metaOf(params), 'traceparent')
  const found = typeof value === 'string' ? TRACE.exec(value) : null
  return found?.[1] !== undefined && found[2] !== undefined ? { trace_id: found[1], span_id: found[2] } : {}
}

/** The table entry of a new tools/call. */
export function createCall(session: Session, request: Request): Pending {
  const { id, method, params } = request
  const state = memberOf(params, 'requestState')
  const retried = state !== undefined || memberOf(params, 'inputResponses') !== undefined
  const parent = retried ? session.retries.get(retryKeyOf(state, params)) : undefined
  const modern = isModern(params)
  return {
    id,
    method,
    tool: memberOf(params, 'name') as string, // readFrame refused anything else
    correlation: session.randomId(),
    ...(parent === undefined ? {} : { parent }),
    ...(modern ? { retryKey: retryKeyOf(undefined, params) } : {}),
    modern,
    state: 'deciding',
    startedAt: session.clock(),
  }
}

function toAction(session: Session, call: Pending, params: Members | undefined): Action {
  const input = memberOf(params, 'arguments')
  const described = session.tools.get(call.tool ?? '')
  const pinned = described && session.pins.find(call.tool ?? '')
  return {
    kind: 'tool',
    name: call.tool ?? '',
    ...(described && { described, redescribed: pinned !== undefined && pinned !== described[0] }),
    ...(input === undefined ? {} : { input }),
    ids: { call: call.correlation, ...idsOf(session, call) },
    server: { ...session.server, transport: session.transport },
    rpc: { id: call.id, method: call.method },
  }
}

const BROKEN: Verdict = { decision: 'deny', reason: 'the gate failed', reasonCode: 'policy_invalid' }

/** The gate's verdict on one call; a gate that throws against its contract denies. */
async function judge(session: Session, gate: Gate, call: Pending, request: Request, line: Buffer): Promise<Judged> {
  try {
    const method = gate.judgeMethod(request.method)
    if (method.decision !== 'allow') return { verdict: method, line, rewritten: false }
    const refusal = await judgeToken(session, call)
    if (refusal) return { verdict: refusal, line, rewritten: false }
    const verdict = await gate.judge(toAction(session, call, request.params))
    const goesOn = verdict.decision === 'allow' || (verdict.decision === 'ask' && session.people !== undefined)
    return goesOn ? screen(session, gate, call, request, line, verdict) : { verdict, line, rewritten: false }
  } catch {
    return { verdict: BROKEN, line, rewritten: false }
  }
}

/**
 * The params in two: what is said to the tool, answers to its questions included, and the members that are not looked
 * through: the name is judged, the others are between the two protocol ends.
 */
function partParams(params: Members = {}): { readonly said: Members; readonly rest: Members } {
  const { name, _meta, requestState, ...said } = params
  const ours = Object.entries({ name, _meta, requestState })
  return { said, rest: Object.fromEntries(ours.filter(([, value]) => value !== undefined)) }
}

/** Looks for sensitive data in what a call that is allowed or asked about says; it may be replaced, or the call denied. */
function screen(session: Session, gate: Gate, call: Pending, request: Request, line: Buffer, verdict: Verdict): Judged {
  const { said, rest } = partParams(request.params)
  const given = verdict.decision === 'allow' && verdict.input !== undefined ? { ...said, arguments: verdict.input } : said
  const { value, matches, blocked } = gate.inspect(given, 'request')
  noteMatches(session, matches, membersOf(session, call))
  if (blocked) return { verdict: dlpRefusal('arguments', verdict), line, rewritten: false }
  if (value === said) return { verdict, line, rewritten: false }
  const shown = value as Members // the shape is kept
  return { verdict, line: formatChanged(line, ['params'], { ...rest, ...shown }), rewritten: true, input: shown.arguments }
}

function toIntent(session: Session, call: Pending, request: Request, judged: Judged | undefined): AuditRecord {
  const about = { ...membersOf(session, call), ...traceOf(request.params) }
  const input = memberOf(request.params, 'arguments')
  const shown = input === undefined ? {} : { arguments: input }
  const rewritten = judged?.rewritten ? { arguments_rewritten: true } : {}
  if (judged === undefined || !isDecided(judged.verdict))
    return { event_type: 'tool_call_start', ...about, ...shown, metadata: { ...versionOf(session, call), ...rewritten } }
  const { metadata: approval, ...approved } = judged.members ?? {}
  const metadata = { ...rewritten, ...budgetMembers(judged.verdict), ...approval }
  const known = Object.keys(metadata).length > 0 ? { metadata } : {}
  const shownToken = call.shown && { agent_id: call.shown.agentId, token_id: call.shown.id }
  return { event_type: 'authorization_decision', ...toDecision(judged.verdict), ...about, ...shownToken, ...shown, ...approved, ...known }
}

/** False when there is no policy and nothing was refused or violated: nobody decided, the call is only recorded. */
function isDecided({ decision, reasonCode, policyName, policyHash, violation }: Verdict): boolean {
  return (
    decision !== 'allow' || reasonCode !== 'default_allow' || policyName !== undefined || policyHash !== undefined || violation === true
  )
}

function versionOf({ server, client }: Session, call: Pending): Record<string, unknown> {
  return {
    ...(server.version === undefined ? {} : { server_version: server.version }),
    ...(client.name === undefined ? {} : { client }),
    era: call.modern ? '2026-07-28' : '2025-11-25',
  }
}

function refuse(session: Session, call: Pending, verdict: Verdict): void {
  noteRefusal(session, call, verdict)
  session.calls.delete(call.id)
  answer(session, call, toRpcError(verdict, call))
}

/** @param started the start is recorded already, as the intent */
function forward(session: Session, call: Pending, line: Buffer, slot: Slot, started: boolean): void {
  session.stats.allowed++
  slot.release(escapeSeparators(line), () => {
    call.state = 'sent'
    call.startedAt = session.clock()
    if (started) return
    session.audit.note({ event_type: 'tool_call_start', ...membersOf(session, call), metadata: versionOf(session, call) })
  })
}

/**
 * Judges, records and forwards one call; `slot` is released in every case. Never rejects.
 *
 * While people are asked the call gives up its place: what came behind it goes on, and it leaves when they have said yes.
 */
export async function passCall(session: Session, call: Pending, request: Request, line: Buffer, slot: Slot): Promise<void> {
  const { gate } = session
  const arrived = withoutAnswer(session, request, line)
  const judged = gate === undefined ? undefined : await judge(session, gate, call, arrived.request, arrived.line)
  if (judged?.verdict.decision !== 'ask' || session.people === undefined) return conclude(session, call, arrived, judged, slot)
  slot.release(undefined)
  const action = { ...toAction(session, call, arrived.request.params), ...(judged.rewritten && { input: judged.input }) }
  const asked = await askPeople(session, call, { arrived, action, verdict: judged.verdict })
  delete call.abandon
  await conclude(session, call, arrived, { ...judged, ...asked }, session.lane.hold())
}

async function conclude(session: Session, call: Pending, arrived: Arrived, judged: Judged | undefined, slot: Slot): Promise<void> {
  const intent = toIntent(session, call, arrived.request, judged)
  const refused = judged !== undefined && judged.verdict.decision !== 'allow' ? judged.verdict : undefined
  const recording = session.audit.intent(intent)
  if (refused === undefined && takesTokens(session)) await prepareToken(session, call)
  const recorded = await recording
  if (call.answered || call.state === 'cancelled') refused && noteRefusal(session, call, refused)
  else if (refused) refuse(session, call, refused)
  else if (mayLeave(session, call, recorded))
    return forward(session, call, judged?.line ?? arrived.line, slot, intent.event_type === 'tool_call_start')
  slot.release(undefined)
}
