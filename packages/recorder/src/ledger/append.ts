/**
 * Appending to a ledger that may fail underneath: every item gets an answer.
 *
 * Two kinds of failure only: *refused* (nothing was written) and *unknown* (it may be on disk).
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Ack } from '../port/types.ts'
import { type Admitted, admit, type Item } from './admit.ts'
import { linkReserved, sync, syncAside, write, writeWhenFull } from './commit.ts'
import type { Core } from './core.ts'
import { isQuiet, type Members, type ReservedType } from './reserved.ts'
import { followRename, movedAway, rotate, rotationDue } from './rotation.ts'
import type { State } from './state.ts'

/** What was appended, and whether its answers wait for the disk. */
export interface Promised {
  readonly waits: boolean
  /** In the order of the items. Where they wait: as they are once that is over, whatever ended it. */
  answers(): readonly (Ack | SwornError)[]
}

/** Answers in the order of the items; see `Ledger.append`. */
export function appendItems(state: State, items: readonly Item[]): readonly (Ack | SwornError)[] {
  return admitAll(state, items, sync).answers()
}

/** The same, but what must be on disk first is synced beside the caller; see `Ledger.appendAside`. */
export function appendAside(state: State, items: readonly Item[], done: () => void): Promised {
  let waits = false
  let isOver = false
  let failure: SwornError | undefined
  const { isLinked, answers } = admitAll(state, items, (core) => {
    waits = syncAside(core, (settle) => {
      isOver = true
      failure = settleSync(state, core, settle)
      done()
    })
    if (!waits) sync(core)
  })
  if (!waits || !isLinked) return { waits: false, answers }
  const unknown = () => failure ?? new SwornError('APPEND_UNKNOWN', 'the ledger was poisoned before this was on disk')
  return { waits: !isOver, answers: () => answers().map((answer) => (SwornError.is(answer) || answer.durable ? answer : unknown())) }
}

/** Takes note of a sync that ran beside; the error when it failed, and the ledger is poisoned then. */
export function settleSync(state: State, core: Core, settle: () => void): SwornError | undefined {
  if (state.poisoned || state.core !== core) return undefined
  try {
    state.attempt(settle)
    return undefined
  } catch (e) {
    return SwornError.is(e) ? e : undefined
  }
}

/** @param secure puts on disk what is written, or begins to */
function admitAll(state: State, items: readonly Item[], secure: (core: Core) => void) {
  const answers: (Admitted | SwornError)[] = []
  try {
    state.attempt((core) => {
      if (movedAway(core)) followRename(core) // looks at the size too, also where nothing will be written: what was known may be another's by now
      for (const item of items) {
        answers.push(admit(core, item))
        writeWhenFull(core)
      }
      write(core, true)
      if (needsSync(core, items, answers)) secure(core)
      if (rotationDue(core)) rotate(core)
    })
  } catch (e) {
    const failed = items.map((_, i) => failedAnswer(state, answers[i], e))
    return { isLinked: false, answers: () => failed }
  }
  const { core } = state
  return { isLinked: true, answers: () => answers.map((answer) => toAck(core, answer)) }
}

/** A duplicate is answered only once the record it repeats is on disk. */
function needsSync(core: Core, items: readonly Item[], answers: readonly (Admitted | SwornError)[]): boolean {
  return items.some((item, i) => {
    const answer = answers[i]
    if (answer === undefined || SwornError.is(answer)) return SwornError.is(answer, 'EVENT_ID_CONFLICT')
    return answer.seq >= core.durableSize && (answer.known || item.level === 'sync')
  })
}

function toAck(core: Core, answer: Admitted | SwornError): Ack | SwornError {
  if (SwornError.is(answer)) return answer
  return { logId: core.identity.logId, seq: answer.seq, entryHash: answer.entryHash, durable: answer.seq < core.durableSize }
}

/** What was linked is unknown, unless it was synced; what was not is refused. */
function failedAnswer(state: State, answer: Admitted | SwornError | undefined, failure: unknown): Ack | SwornError {
  const error = SwornError.is(failure) ? failure : new SwornError('APPEND_UNKNOWN', 'an unexpected error', '', { cause: failure })
  if (answer === undefined) {
    return error.code === 'APPEND_UNKNOWN'
      ? new SwornError('APPEND_REFUSED', `nothing was written: ${messageOf(error)}`, '', { cause: error })
      : error
  }
  if (SwornError.is(answer)) return answer
  return answer.seq < state.core.durableSize ? toAck(state.core, answer) : error
}

/** The message names its place already. */
function messageOf({ message }: SwornError): string {
  return message.replace(/^the ledger was poisoned: /, '')
}

/** Appends a record of the ledger's own; see `Ledger.appendReserved`. */
export function appendReserved(state: State, type: ReservedType, members: Members): Ack {
  return state.attempt((core) => {
    const linked = linkReserved(core, type, members)
    if (isQuiet(type)) write(core)
    else sync(core)
    return { logId: core.identity.logId, ...linked, durable: linked.seq < core.durableSize }
  })
}
