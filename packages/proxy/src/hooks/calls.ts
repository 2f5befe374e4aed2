/**
 * A tool call over its hooks: decided before, ended after, or ended as unknown.
 *
 * Order: remembered as open while its decision is on its way to the disk → both are there → the client is answered. A call
 * that is refused is open no more when the client hears of it.
 * @module
 */
import { type AskFn, type Begun, createGuard, type DlpMatch, dlpEvent, type GuardOptions, membersOf, type Outcome } from '@sworn/recorder'
import { contextOf, keyOf, sourceOf, toAction, type Visit } from './context.ts'
import { keepsNames, screened, wordsOf } from './gate.ts'
import type { OpenCall } from './open-calls.ts'
import type { Answer, HookClient } from './types.ts'

const ASKS = 'a rule of the policy asks for approval'

export async function beginCall(visit: Visit): Promise<Answer> {
  const { client, gate, calls, session, recorder } = visit
  const matched: DlpMatch[] = []
  const asking = askOf(visit)
  const found = (matches: readonly DlpMatch[]) => void matched.push(...matches)
  const rewrites = (masked: unknown, input: unknown) => client.rewrite !== undefined && (!client.merges || keepsNames(masked, input))
  const judged = screened(gate, { user: recorder.context().user, rewrites, found })
  const action = toAction(visit)
  const guard = guardOf(visit, { gate: judged, ...(asking && { ask: asking.ask }) })
  let opening: Opening = {}
  const { verdict, ref } = await guard.begin(action, (begun) => {
    opening = openCall(visit, begun)
  })
  const { call, evicted, failure } = opening
  const withdraw = () => call && calls.drop(call)
  const members = membersOf(action, ref, sourceOf(visit))
  await Promise.all(matched.map((match) => recorder.record(dlpEvent(members, match)))).catch((e: unknown) => {
    withdraw()
    throw e
  })
  await endUnknown(visit, evicted ? [evicted] : [])
  if (verdict.decision !== 'allow') {
    withdraw()
    calls.count(session, verdict.reasonCode === 'dlp_blocked' ? 'dlp_blocked' : 'denied')
    return { decision: 'deny', reason: wordsOf(verdict) }
  }
  if (failure !== undefined) throw failure
  calls.count(session, asking?.wasAsked() ? 'approvals' : 'allowed')
  if (client.asks && asking?.wasAsked()) return { decision: 'ask', reason: ASKS }
  return 'input' in verdict ? { decision: 'rewrite', input: verdict.input } : { decision: 'none' }
}

interface Opening {
  readonly call?: OpenCall
  /** Made room for it. */
  readonly evicted?: OpenCall | undefined
  /** Why it could not be remembered. */
  readonly failure?: unknown
}

function openCall({ client, hook, calls, session, now }: Visit, { ref, verdict }: Begun): Opening {
  const { tool = '', agent } = hook
  const call = { ref, session, tool, startedAt: now(), ...(agent !== undefined && { agent }) }
  const asked = 'input' in verdict ? { ...hook, input: verdict.input } : hook // it comes back as it leaves
  try {
    return { call, evicted: calls.add(keyOf(asked), call, client.spawns.includes(tool)) }
  } catch (failure) {
    return { failure }
  }
}

/** The client asks its own user; where it cannot, the room's people are asked. */
function askOf({ client, ask: people }: Visit): { readonly ask: AskFn; wasAsked(): boolean } | undefined {
  const put: AskFn | undefined = client.asks ? (request, record) => leaveToClient(client, request, record) : people
  let asked = false
  const ask: AskFn | undefined =
    put &&
    ((request, record) => {
      asked = true
      return put(request, record)
    })
  return ask && { ask, wasAsked: () => asked }
}

/** The outcome of a call; one that was not seen to begin is recorded as such. */
export async function endCall(visit: Visit): Promise<void> {
  const { hook, gate, calls, session, now } = visit
  const call = calls.take(session, keyOf(hook))
  if (call && hook.spawned !== undefined) calls.link(session, hook.spawned, call)
  const action = toAction(visit)
  const matches = hook.output === undefined ? [] : gate.inspect(hook.output, 'response').matches.map(seen)
  const durationMs = hook.durationMs ?? (call && now() - call.startedAt)
  const outcome = { ...outcomeOf(visit), ...(durationMs !== undefined && { durationMs }) }
  const guard = guardOf(visit)
  if (!call) return guard.end({ match: { ...action.ids, name: action.name } }, outcome, matches)
  guard.resume(call.ref, { ...action, name: call.tool })
  return guard.end(call.ref, outcome, matches)
}

/** What is on its way back to the agent cannot be held up any more. */
function seen(match: DlpMatch): DlpMatch {
  return { ...match, dlpAction: 'warn', redacted: false }
}

function outcomeOf({ hook: { status, output, error, reason } }: Visit): Outcome {
  if (status === 'ok') return { status, output }
  return { status, output, error: error ?? reason }
}

/** Ends calls that nothing will end any more. */
export async function endUnknown(visit: Visit, open: readonly OpenCall[]): Promise<void> {
  const { recorder, now } = visit
  const guard = guardOf(visit, { source: { ...sourceOf(visit), vantage: 'inline' } })
  for (const { ref, tool, session, agent, startedAt } of open) {
    guard.resume(ref, { kind: 'tool', name: tool, ids: session === '' ? {} : { session } })
    const outcome: Outcome = { status: 'unknown', errorType: 'outcome_unknown', durationMs: now() - startedAt }
    await recorder.withContext(contextOf({ ...visit, session }, agent), () => guard.end(ref, outcome))
  }
}

function guardOf(visit: Visit, options: Partial<Pick<GuardOptions, 'gate' | 'ask' | 'source'>> = {}) {
  const { recorder, onAuditFailure, ackTimeoutMs } = visit
  const source = sourceOf(visit)
  return createGuard({ recorder, source, onAuditFailure, ...(ackTimeoutMs !== undefined && { ackTimeoutMs }), ...options })
}

/**
 * The client asks its own user. What that person says is not told to hooks: the decision is an allowance that the
 * client may still withhold, and the outcome shows what became of it.
 */
async function leaveToClient({ name }: HookClient, { action, verdict, correlationId }: Parameters<AskFn>[0], record: Parameters<AskFn>[1]) {
  const { reason, matchedRule, policyHash } = verdict
  const onDisk = await record({
    event_type: 'approval_requested',
    decision: 'ask',
    tool: action.name,
    ...(action.ids.session !== undefined && { session_id: action.ids.session }),
    correlation_id: correlationId,
    arguments: action.input,
    reason,
    ...(matchedRule !== undefined && { matched_rule: matchedRule }),
    ...(policyHash !== undefined && { policy_hash: policyHash }),
    human_decision: { channel: name },
  })
  const members = { metadata: { left_to: name } }
  if (onDisk) return { verdict: { ...verdict, decision: 'allow' as const, reason: `${reason}; ${name} asks its user` }, members }
  return {
    verdict: { ...verdict, decision: 'deny' as const, reasonCode: 'audit_unavailable', reason: 'the question is not on disk' },
    members: {},
  }
}
