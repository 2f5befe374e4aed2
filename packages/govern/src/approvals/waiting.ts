/**
 * One question while it waits: the state machine, its timer and its channels.
 *
 * Promise: `settlement` resolves exactly once, `withdrawn` when every opened channel has cleaned up. A channel
 * that throws counts as broken. Late and rejected answers are noted, at most ten for one question, so that a
 * flood of them does not fill the record.
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import { lateEvent, rejectedEvent, settledMembers } from './events.ts'
import { type Happening, openQuestion, type Settled, type State, step } from './settling.ts'
import type { Answer, ApprovalRequest, Channel, Question, Reception, Remembered, Report, Settlement, Withdraw } from './types.ts'

const MAX_NOTES = 10

export interface WaitOptions {
  readonly request: ApprovalRequest
  readonly question: Question
  readonly channels: readonly Channel[]
  readonly remember: (approval: Remembered) => void
  readonly note: (event: AuditEvent) => void
  readonly now: () => number
  readonly clock: () => number
  readonly schedule: (ms: number, fire: () => void) => () => void
}

export interface Waiting {
  readonly settlement: Promise<Settlement>
  readonly withdrawn: Promise<void>
  /** Opens the channels, once. */
  show(): void
  cancel(): void
}

/** The time limit runs from here, whether the question is shown or not. */
export function waitForAnswer(options: WaitOptions): Waiting {
  const { question, channels } = options
  const elapsed = createStopwatch(options)
  const opened: Withdraw[] = []
  const cleaned: Promise<void>[] = []
  const settlement = Promise.withResolvers<Settlement>()
  const withdrawn = Promise.withResolvers<void>()
  let state = openQuestion(
    question,
    channels.map(({ name }) => name),
  )
  let notes = 0
  let isShown = false
  const stop = options.schedule(question.timeoutMs, () => happen({ kind: 'time', elapsedMs: Math.max(elapsed(), question.timeoutMs) }))

  function happen(happening: Happening): Reception {
    const before = state
    const { state: after, reception, said } = step(before, happening)
    state = after
    if (!before.settled && after.settled) end(after.settled)
    const event = happening.kind === 'told' && eventOf(options, state, happening.channel, reception, said)
    if (event && ++notes <= MAX_NOTES) quietly(() => options.note(event))
    return reception
  }

  function end(settled: Settled): void {
    stop()
    const approval = toRemembered(options, settled)
    if (approval) options.remember(approval)
    cleaned.push(...opened.map((withdraw) => withdrawQuietly(withdraw, settled)))
    settlement.resolve(toSettlement(options, state, settled))
    queueMicrotask(() => void Promise.all(cleaned).then(() => withdrawn.resolve())) // after `show`, which may still be opening
  }

  function open(channel: Channel): void {
    const tell = (report: Report) => happen({ kind: 'told', channel: channel.name, report, elapsedMs: elapsed() })
    try {
      const withdraw = channel.open(question, tell)
      if (state.settled) cleaned.push(withdrawQuietly(withdraw, state.settled))
      else opened.push(withdraw)
    } catch {
      tell({ kind: 'failed', why: 'broken' })
    }
  }

  return {
    settlement: settlement.promise,
    withdrawn: withdrawn.promise,
    show() {
      if (isShown) return
      isShown = true
      for (const channel of channels) if (!state.settled) open(channel)
    },
    cancel: () => void happen({ kind: 'cancelled', elapsedMs: elapsed() }),
  }
}

/** The longer of both clocks: one stands still while a machine sleeps, the other can be set. */
function createStopwatch({ now, clock }: WaitOptions): () => number {
  const [wall, steady] = [now(), clock()]
  return () => Math.max(now() - wall, clock() - steady)
}

function eventOf(
  { request, question }: WaitOptions,
  state: State,
  channel: string,
  reception: Reception,
  said: Answer | undefined,
): AuditEvent | undefined {
  if (reception === 'late' && said) return lateEvent(request, question, { channel, said, state })
  if (reception === 'mismatch' || reception === 'malformed') return rejectedEvent(request, question, channel, reception)
  return undefined
}

function toRemembered({ question, now }: WaitOptions, { answer, by }: Settled): Remembered | undefined {
  const { id, tool, session, shownHash } = question
  if (answer !== 'approved' || !by || by.said.scope === 'once' || session === undefined) return undefined
  const { channel, said } = by
  const grantedAt = new Date(now()).toISOString()
  const base = { id, scope: by.said.scope, tool, session, shownHash, channel, grantedAt }
  return said.approver === undefined ? base : { ...base, approver: said.approver }
}

const WORDS = {
  approved: 'A person approved',
  denied: 'A person refused',
  timeout: 'Nobody answered in time',
  unavailable: 'Nobody can be asked',
  cooldown: 'Too many questions were asked; none is asked for a while',
} as const

function toSettlement({ question, now }: WaitOptions, state: State, settled: Settled): Settlement {
  const asked = Date.parse(question.askedAt)
  const showAt = (elapsedMs: number) => new Date(Math.min(asked + elapsedMs, Math.max(asked, now()))).toISOString()
  const reason = settled.cancelled ? 'The call was cancelled while it waited' : WORDS[settled.answer]
  return { answer: settled.answer, reason, members: settledMembers(question, state, settled, showAt) }
}

async function withdrawQuietly(withdraw: Withdraw, { answer }: Settled): Promise<void> {
  try {
    await withdraw(answer)
  } catch {
    // the question is settled: there is nobody left to tell
  }
}

function quietly(run: () => void): void {
  try {
    run()
  } catch {
    // whoever notes has its own way to say that it failed
  }
}
