/**
 * The guard: intent → verdict → decision on disk → effect → outcome, one correlation_id.
 *
 * Promise: unless `onAuditFailure` is `continue`, no effect happens before its decision (without a gate: its
 * start) is acknowledged as written to disk. Source: design law 3, spec ledger §2.10, spec capture §7.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { EventContext, SourceInfo } from '../event/types.ts'
import type { RecordAnswer } from '../recorder/answer.ts'
import type { RecordOptions } from '../recorder/types.ts'
import { chargeOutcome } from './charge.ts'
import {
  decisionEvent,
  dlpEvent,
  isCall,
  membersOf,
  notExecutedEvent,
  outcomeEvent,
  presentOf,
  startEvent,
  tamperedEvent,
} from './events.ts'
import { pricedOutcome } from './prices.ts'
import type { Action, ActionIds, Asked, AskFn, DlpMatch, Gate, Outcome, Prices, Verdict } from './types.ts'

/** The part of a recorder that a guard needs. */
export interface GuardRecorder {
  record(event: Readonly<Record<string, unknown>>, options?: RecordOptions): Promise<RecordAnswer>
  withContext<T>(context: EventContext, fn: () => T): T
  context(): Readonly<EventContext>
  newId(): string
}

export interface GuardOptions {
  readonly recorder: GuardRecorder
  /** Without one everything is allowed and recorded. */
  readonly gate?: Gate
  /** Puts an `ask` of the gate to people; without it that is a denial. */
  readonly ask?: AskFn
  readonly source: SourceInfo
  /** Longest wait for a decision's acknowledgement; 2,000 by default. */
  readonly ackTimeoutMs?: number
  /** Of models; without it only a cost that somebody reports is recorded. */
  readonly prices?: Prices
  /** `block` by default: what cannot be recorded does not happen. Read at each action: it may be a getter. */
  readonly onAuditFailure?: 'block' | 'continue'
}

export interface Begun {
  /** Never `ask`: people were asked, or could not be. */
  readonly verdict: Verdict
  /** The correlation_id; names the action until `end`. */
  readonly ref: string
}

/** An action by what its source knows of it, when the ref is lost between two processes' hooks. */
export interface ActionMatch {
  readonly match: Partial<ActionIds> & { readonly name?: string }
}

export interface Guard {
  /**
   * Runs `run` when the verdict allows it, with the verdict's input. What `run` returns or throws passes unchanged.
   * @throws SwornError ACTION_DENIED with the reason, when it was refused; `run` was not called
   */
  guard<T>(action: Action, run: (input: unknown) => T | PromiseLike<T>, describe?: (result: T) => Partial<Outcome>): Promise<T>
  /**
   * Judges and records the intent. An allowed action must be ended. Never rejects.
   * @param meanwhile runs once where the verdict allows, while the intent is on its way to the disk: that it arrives is not
   * known yet. It does not throw
   */
  begin(action: Action, meanwhile?: (begun: Begun) => void): Promise<Begun>
  /** Takes up an allowed action that another process began, so that `end` knows it. */
  resume(ref: string, action: Action): void
  /** Records the outcome, after what was found in the data. Never rejects; an unknown action is recorded as such. */
  end(ref: string | ActionMatch, outcome: Outcome, matches?: readonly DlpMatch[]): Promise<void>
  /** Records something else about a session: prompts, approvals, compaction. Never rejects. */
  note(type: string, ids: ActionIds, data?: unknown): Promise<void>
  context(): Readonly<ActionIds>
}

type Members = Record<string, unknown>

interface Open {
  readonly action: Action
  readonly members: Members
}

const MAX_OPEN = 10_000
const ACK_TIMEOUT_MS = 2000
const NO_GATE: Verdict = { decision: 'allow', reason: 'no policy is set', reasonCode: 'default_allow' }

export function createGuard(options: GuardOptions): Guard {
  const { recorder, gate, prices, source, ackTimeoutMs = ACK_TIMEOUT_MS } = options
  const open = new Map<string, Open>()
  const quietly = (event: Members) => recorder.record(event).then(nothing, nothing)

  async function begin(action: Action, meanwhile?: (begun: Begun) => void): Promise<Begun> {
    const ref = recorder.newId()
    const members = membersOf(action, ref, source)
    const judgement = gate ? await judge(gate, action) : NO_GATE
    const { verdict, members: approved } = judgement.decision === 'ask' ? await settle(action, members, judgement) : { verdict: judgement }
    const input = verdict.decision === 'allow' && 'input' in verdict ? verdict.input : action.input
    const judged = gate !== undefined && isDecided(action, verdict)
    const intent = judged ? mergeMembers(decisionEvent(action, members, verdict), approved) : startEvent(action, members, input)
    const acknowledged = acknowledge(intent, members, verdict)
    if (meanwhile && verdict.decision === 'allow') {
      await nextTurn() // it is sent by then
      meanwhile({ verdict, ref })
    }
    const onDisk = await acknowledged
    if (!onDisk && options.onAuditFailure !== 'continue') return { verdict: unrecorded(verdict), ref }
    for (const match of verdict.matches ?? []) void quietly(dlpEvent(members, match))
    if (verdict.tamperedWith !== undefined) void quietly(tamperedEvent(members, verdict))
    if (verdict.decision !== 'allow') return { verdict, ref }
    if (judged) void quietly(startEvent(action, members, input))
    remember(ref, { action, members })
    return { verdict, ref }
  }

  /** An `ask` settled: by people, or denied. A question is recorded before it is shown. */
  async function settle(action: Action, members: Members, verdict: Verdict): Promise<Asked> {
    if (!options.ask) return { verdict: nobody(verdict), members: {} }
    const record = (event: object) =>
      withinMs(ackTimeoutMs, recorder.record({ ...event, source: members.source }, { level: 'sync' }), false).then(
        (onDisk) => onDisk || options.onAuditFailure === 'continue',
      )
    const request = { action, verdict, correlationId: String(members.correlation_id) }
    return options.ask(request, record).catch(() => ({ verdict: nobody(verdict), members: {} }))
  }

  /** true when the intent is on disk in time. Otherwise, once it turns out to be there after all, says that nothing followed. */
  async function acknowledge(intent: Members, members: Members, verdict: Verdict): Promise<boolean> {
    const recorded = recorder.record(intent, { level: 'sync' })
    const inTime = await withinMs(ackTimeoutMs, recorded, mayBeLeftOut(intent))
    const silent = inTime || options.onAuditFailure === 'continue' || verdict.decision !== 'allow'
    if (!silent)
      void recorded
        .catch((error) => (SwornError.is(error, 'APPEND_UNKNOWN') ? undefined : Promise.reject(error)))
        .then(() => quietly(notExecutedEvent(members)), nothing)
    return inTime
  }

  function remember(ref: string, entry: Open): void {
    open.set(ref, entry)
    if (open.size <= MAX_OPEN) return
    const [oldest, { members }] = open.entries().next().value! // size > 0
    open.delete(oldest)
    void quietly(outcomeEvent(members, { status: 'unknown', errorType: 'outcome_unknown' }))
  }

  async function end(ref: string | ActionMatch, ended: Outcome, matches: readonly DlpMatch[] = []): Promise<void> {
    const at = typeof ref === 'string' ? ref : findOpen(open, ref)
    const entry = at === undefined ? undefined : open.get(at)
    if (at !== undefined) open.delete(at)
    const outcome = entry ? pricedOutcome(prices, entry.action, ended) : ended
    const members = entry?.members ?? unmatched(ref, recorder.newId(), source)
    for (const match of matches) void quietly(dlpEvent(members, match))
    const isCharged = entry !== undefined && (outcome.usage !== undefined || entry.action.kind === 'model') // only models use tokens of their own
    const charged = isCharged ? chargeOutcome(gate, entry.action.ids, outcome.usage) : {}
    await quietly(outcomeEvent(members, outcome, charged))
  }

  return {
    begin,
    resume: (ref, action) => remember(ref, { action, members: membersOf(action, ref, source) }),
    end,
    guard: (action, run, describe) => runGuarded({ begin, end, recorder }, action, run, describe),
    note: (type, ids, data) =>
      quietly({
        ...membersOf({ kind: 'custom', name: type, ids }, recorder.newId(), source),
        tool: undefined,
        event_type: type,
        metadata: data,
      }),
    context: () => idsOf(recorder.context()),
  }
}

/** Nobody decided where no policy is set and nothing was refused: then the start is the intent. */
function isDecided({ kind }: Action, { decision, reasonCode, policyName, policyHash }: Verdict): boolean {
  if (decision !== 'allow') return true
  return isCall(kind) && (reasonCode !== 'default_allow' || policyName !== undefined || policyHash !== undefined)
}

async function runGuarded<T>(
  guard: Pick<Guard, 'begin' | 'end'> & { readonly recorder: GuardRecorder },
  action: Action,
  run: (input: unknown) => T | PromiseLike<T>,
  describe?: (result: T) => Partial<Outcome>,
): Promise<T> {
  const { verdict, ref } = await guard.begin(action)
  if (verdict.decision !== 'allow') throw new SwornError('ACTION_DENIED', verdict.reasonCode, 'action')
  const input = 'input' in verdict ? verdict.input : action.input
  const startMs = performance.now()
  const took = () => performance.now() - startMs
  let result: T
  try {
    result = await guard.recorder.withContext({ correlation_id: ref }, () => run(input))
  } catch (error) {
    await guard.end(ref, { status: 'error', error, errorType: error instanceof Error ? error.name : typeof error, durationMs: took() })
    throw error
  }
  await guard.end(ref, { status: 'ok', output: result, durationMs: took(), ...described(describe, result) })
  return result
}

function described<T>(describe: ((result: T) => Partial<Outcome>) | undefined, result: T): Partial<Outcome> {
  try {
    return describe?.(result) ?? {}
  } catch {
    return { complete: false } // the adapter's description failed; the result itself is recorded
  }
}

/** A gate that throws blocks. */
async function judge(gate: Gate, action: Action): Promise<Verdict> {
  try {
    return await verdictOf(gate, action)
  } catch {
    return { decision: 'deny', reason: 'the policy could not be applied', reasonCode: 'policy_invalid', riskLevel: 'high' }
  }
}

function nobody(verdict: Verdict): Verdict {
  return { ...verdict, decision: 'deny', reasonCode: 'approval_unavailable', reason: 'an approval is needed and nobody can be asked' }
}

/** The record of a decision with what is known of the approval behind it. */
function mergeMembers(event: Members, { metadata, ...members }: Asked['members'] = {}): Members {
  return { ...event, ...members, ...(metadata && { metadata: { ...(event.metadata as Members | undefined), ...metadata } }) } // made by events.ts
}

function verdictOf(gate: Gate, action: Action): Verdict | Promise<Verdict> {
  if (isCall(action.kind)) return gate.judge(action)
  return action.rpc ? gate.judgeMethod(action.rpc.method) : NO_GATE
}

function unrecorded(verdict: Verdict): Verdict {
  const reason = 'the audit log cannot be written, so the action was refused'
  return {
    decision: 'deny',
    reason,
    reasonCode: 'audit_unavailable',
    ...(verdict.rpcError ? { rpcError: verdict.rpcError } : {}),
  }
}

/** The configuration may leave out what happens to models and resources, never that a tool is about to run. */
function mayBeLeftOut({ event_type }: Members): boolean {
  return event_type !== 'authorization_decision' && event_type !== 'tool_call_start'
}

/** true when `recorded` is durable within `ms`, or left out where that is allowed. A queued event proves nothing: false. */
function withinMs(ms: number, recorded: Promise<RecordAnswer>, optional: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, false)
    const settle = (onDisk: boolean) => {
      clearTimeout(timer)
      resolve(onDisk)
    }
    recorded.then(
      (answer) => settle('filtered' in answer ? optional : 'durable' in answer && answer.durable),
      () => settle(false),
    )
  })
}

function findOpen(open: ReadonlyMap<string, Open>, { match }: ActionMatch): string | undefined {
  const { name, ...ids } = match
  const wanted = Object.entries(ids) as [keyof ActionIds, unknown][] // the keys of Partial<ActionIds>
  for (const [ref, { action }] of open) {
    const fits = (name === undefined || action.name === name) && wanted.every(([key, id]) => id === undefined || action.ids[key] === id)
    if (fits) return ref
  }
  return undefined
}

function unmatched(ref: string | ActionMatch, correlationId: string, source: SourceInfo): Members {
  const { name = 'unknown', ...ids } = typeof ref === 'string' ? {} : ref.match
  const members = membersOf({ kind: 'tool', name, ids }, typeof ref === 'string' ? ref : correlationId, source)
  return { ...members, metadata: { ...(members.metadata as Members | undefined), unmatched: true } }
}

function idsOf({ session_id, correlation_id, trace_id, span_id, agent_id, user, user_source }: EventContext): ActionIds {
  const ids = { session: session_id, parentCall: correlation_id, trace: trace_id, span: span_id, agent: agent_id, user }
  return presentOf({ ...ids, userSource: user_source }) // each is of the type of its member
}

const nothing = () => undefined
const nextTurn = () => new Promise((resolve) => void setImmediate(resolve))
