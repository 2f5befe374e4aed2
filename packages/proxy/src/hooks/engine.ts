/**
 * One hook: recorded, judged where it is about a call, and answered.
 *
 * Calls that began and will not be ended (their user said no, the turn was interrupted, a process died) are ended as
 * `outcome_unknown` when the turn of their agent or the session ends. Source: capture.md §4.6; events.md §2.
 * @module
 */
import type { SwornError } from '@sworn/recorder'
import { beginCall, endCall, endUnknown } from './calls.ts'
import { contextOf, type HookRoom, sourceOf, type Visit } from './context.ts'
import type { Answer, Hook, HookClient, HookKind } from './types.ts'

const NONE: Answer = { decision: 'none' }

/**
 * Records one hook and says what the client is to be told.
 *
 * A call whose decision cannot be put on disk is refused with `audit_unavailable`, unless `onAuditFailure` is `continue`.
 * @throws SwornError when something else cannot be recorded; Error of node:fs when the open calls cannot be kept
 */
export function answerHook(client: HookClient, hook: Hook, room: HookRoom): Promise<Answer> {
  const visit: Visit = { ...room, client, hook, session: hook.session ?? '' }
  if (hook.unread !== undefined) return answerUnread(visit, hook.unread)
  if (hook.kind === 'subagent_start' && hook.agent !== undefined) room.calls.link(visit.session, hook.agent)
  return room.recorder.withContext(contextOf(visit), async () => {
    if (hook.kind === 'before') return beginCall(visit)
    await visitors[hook.kind](visit)
    return NONE
  })
}

/** Nobody knows what it was about: a call is refused, whatever the policy says, and what was not seen is a gap. */
async function answerUnread(visit: Visit, { message: reason }: SwornError): Promise<Answer> {
  const { recorder, hook } = visit
  const source = sourceOf(visit)
  if (hook.kind !== 'before') {
    await recorder.record({
      event_type: 'observation_gap',
      source,
      metadata: { hook: hook.event, reason: 'payload_unreadable', detail: reason },
    })
    return NONE
  }
  const refused = { decision: 'deny', reason, reason_code: 'malformed_request', enforced: true }
  await recorder.record({ event_type: 'method_blocked', ...refused, source, metadata: { hook: hook.event } })
  return { decision: 'deny', reason: `sworn refused this call (malformed_request): ${reason}` }
}

const visitors: Readonly<Record<Exclude<HookKind, 'before'>, (visit: Visit) => Promise<void>>> = {
  session_start: beginSession,
  session_end: endSession,
  prompt: endTurn('user_prompt'),
  after: endCall,
  failed: endCall,
  permission: note('permission_request'),
  permission_denied: endCall,
  subagent_start: note('subagent_start'),
  subagent_end: (visit) => (visit.hook.agent === undefined ? note('subagent_end')(visit) : endTurn('subagent_end')(visit)),
  compaction: note('compaction'),
  stop: endTurn('turn_end'),
  trouble: note('agent_error'),
}

async function beginSession(visit: Visit): Promise<void> {
  const { client, calls } = visit
  const { events, asks, facts } = client
  await record(visit, 'session_start', factsOf(visit))
  await record(visit, 'instrumentation_report', {
    client: client.name,
    ...(visit.hook.version !== undefined && { version: visit.hook.version }),
    format: 'hook',
    tested: facts.source === 'measured',
    can_block: true,
    can_ask: asks,
    shows: [...new Set(Object.values(events))],
    not_shown: 'models, and what tools do inside',
  })
  await endUnknown(visit, calls.takeLost())
}

async function endSession(visit: Visit): Promise<void> {
  const { calls, session } = visit
  const open = calls.takeAll(session, () => true)
  await endUnknown(visit, open)
  await record(visit, 'session_end', { ...factsOf(visit), stats: { ...calls.endSession(session), outcome_unknown: open.length } })
}

/** Nothing that this agent began goes on behind the end of its turn. Of a subagent without an id nothing is known to be its own. */
function endTurn(type: string): (visit: Visit) => Promise<void> {
  return async (visit) => {
    const { calls, session, hook } = visit
    await endUnknown(
      visit,
      calls.takeAll(session, (call) => call.agent === hook.agent),
    )
    await record(visit, type, factsOf(visit))
  }
}

function note(type: string): (visit: Visit) => Promise<void> {
  return (visit) => record(visit, type, factsOf(visit))
}

function factsOf({ hook }: Visit): Readonly<Record<string, unknown>> {
  const { event, turn, reason, prompt, error, cwd, transcript, mode, agentType } = hook
  const facts = { hook: event, turn_id: turn, reason, prompt, error, cwd, transcript, mode, agent_type: agentType }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

async function record(visit: Visit, type: string, metadata: Readonly<Record<string, unknown>>): Promise<void> {
  const { recorder, hook } = visit
  const { session: session_id, tool, input } = hook
  const named = { ...(session_id !== undefined && { session_id }), ...(tool !== undefined && { tool, arguments: input }) }
  await recorder.record({ event_type: type, ...named, source: sourceOf(visit), metadata })
}
