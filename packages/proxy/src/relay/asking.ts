/**
 * An `ask` of the gate put to people while its call waits, and the retry of a call that was answered with the question.
 *
 * Promise: one approval lets one call out. A call of the stateless era may be answered with the question; whoever
 * brings it back, unchanged and once, gets what people said, and it leaves as the client first sent it. Whatever goes
 * wrong denies. Source: events.md §2 rule 5, MCP 2026-07-28 (multi round-trip requests).
 * @module
 */
import { canElicit, parseRetry, settleApproval } from '@sworn/govern'
import type { Approvals, Asking, Seat, Settlement } from '@sworn/govern/approvals'
import type { Action, Verdict } from '@sworn/recorder'
import { type Members, memberOf, type Request } from '../frames/read.ts'
import { formatChanged, formatMessage } from '../frames/write.ts'
import type { AuditRecord } from './audit.ts'
import type { ProxyApprovals } from './options.ts'
import { metaOf, type Pending, remember, retryKeyOf, type Session } from './session.ts'

/** A call without what it says to us. */
export interface Arrived {
  readonly request: Request
  readonly line: Buffer
  /** The params as they came, when they answer a question of ours. */
  readonly retry: Members | undefined
}

export interface Asked {
  readonly verdict: Verdict
  readonly members: Settlement['members']
}

/** The call as the server may see it: our state and the answer to our question are taken out. */
export function withoutAnswer(session: Session, request: Request, line: Buffer): Arrived {
  const { params } = request
  const retry = session.people && parseRetry(params)
  if (!retry || params === undefined) return { request, line, retry: undefined }
  const { requestState: _state, inputResponses: _responses, ...rest } = params
  const clean = { ...rest, ...session.parked.get(retry.id)?.params }
  return { request: { ...request, params: clean }, line: formatChanged(line, ['params'], clean), retry: params }
}

/** Asks about one call and waits. Never rejects. @param action with the arguments that would go out */
export async function askPeople(
  session: Session,
  call: Pending,
  { arrived, action, verdict }: { readonly arrived: Arrived; readonly action: Action; readonly verdict: Verdict },
): Promise<Asked> {
  try {
    const open = await session.people?.open()
    if (open === undefined) throw new TypeError('people were expected')
    const request = { action, verdict, correlationId: call.correlation }
    const { answer, reason, members } =
      (await takeParked(session, call, arrived.retry, open, open.approvals.keyOf(request))) ??
      (await ask(session, call, arrived.request, open, await open.approvals.begin(request)))
    return { verdict: settleApproval(verdict, answer, reason), members }
  } catch {
    return { verdict: settleApproval(verdict, 'unavailable'), members: {} }
  }
}

/** Nobody waits for the answers of this session any more. */
export function abandonAsks({ people, calls, parked }: Session): void {
  if (people !== undefined) people.over = true
  for (const { abandon } of calls.values()) abandon?.()
  for (const { cancel } of parked.values()) cancel()
}

/** What people said to the same call when it came first; undefined when this is no retry of such a call. */
async function takeParked(
  session: Session,
  call: Pending,
  retry: Members | undefined,
  { client }: ProxyApprovals,
  callKey: string | undefined,
): Promise<Settlement | undefined> {
  const id = parseRetry(retry)?.id
  if (id === undefined) return undefined
  client?.hearRetry(retry, callKey)
  const parked = session.parked.get(id)
  if (parked === undefined || parked.taken || parked.callKey !== callKey) return undefined
  parked.taken = true
  call.abandon = parked.cancel
  return parked.settlement
}

async function ask(
  session: Session,
  call: Pending,
  request: Request,
  { client }: ProxyApprovals,
  begun: Awaited<ReturnType<Approvals['begin']>>,
): Promise<Settlement> {
  if (!('ask' in begun)) return begun
  const { question } = begun
  session.stats.approvals++
  call.abandon = begun.cancel
  client?.seat(question.id, seatOf(session, call, request, begun))
  if (!(await session.audit.intent(begun.requested as AuditRecord))) begun.cancel()
  if (session.people?.over || session.gone !== undefined || call.state === 'cancelled') begun.cancel()
  const settlement = await begun.ask()
  client?.leave(question.id)
  return settlement
}

/** How the client of this call can be asked. */
function seatOf(session: Session, call: Pending, request: Request, asking: Asking): Seat {
  const { params } = request
  if (!call.modern) {
    const { aside } = session.toClient
    return aside && session.people?.elicits ? { send: (message) => aside(formatMessage(message)) } : {}
  }
  if (!canElicit(memberOf(metaOf(params), 'io.modelcontextprotocol/clientCapabilities'))) return {}
  return {
    answer(result) {
      park(session, call, params, asking)
      session.toClient.write(formatMessage({ jsonrpc: '2.0', id: call.id, result }))
    },
  }
}

/** From here on the call has its answer; the client may use its id again. */
function park(session: Session, call: Pending, params: Members | undefined, { question, ask, cancel }: Asking): void {
  const kept = Object.fromEntries(
    ['requestState', 'inputResponses'].flatMap((name) => {
      const value = memberOf(params, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  remember(session.parked, question.id, { callKey: question.callKey, settlement: ask(), cancel, params: kept, taken: false })
  remember(session.retries, retryKeyOf(question.id, undefined), call.correlation)
  if (session.calls.get(call.id) === call) session.calls.delete(call.id)
  call.answered = true
}
