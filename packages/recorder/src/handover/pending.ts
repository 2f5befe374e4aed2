/**
 * The events of a door that have no answer yet, in the order they were submitted.
 *
 * Each leaves exactly once: answered by a role, by the clock, or by the end of the door. What the clock
 * answers was either never sent (RECORDER_UNAVAILABLE: not written) or sent (APPEND_UNKNOWN).
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Answer } from '../port/group-commit.ts'
import type { Submission } from '../port/types.ts'

export interface Pending {
  readonly batch: readonly Submission[]
  /** An action waits for the answer. */
  readonly awaited: boolean
  /** True once a role took it. */
  sent: boolean
}

export interface PendingList {
  readonly size: () => number
  /** In order of submission. */
  readonly all: () => Iterable<Pending>
  add(batch: readonly Submission[], limit: Limit, settle: (answers: readonly Answer[]) => void): Pending
  /** False when it was answered before. */
  settle(item: Pending, answers: readonly Answer[]): boolean
  /** Answers what an action waits for: nothing it waits for will come soon. */
  endAwaited(): void
  /** Answers everything. */
  end(errorOf: (item: Pending) => SwornError): void
}

export interface Limit {
  readonly awaited: boolean
  readonly limitMs: number
}

/** Who records or did last, and why there is nobody now. */
export interface Why {
  readonly pid: number
  readonly trouble: SwornError | undefined
}

interface Held extends Pending {
  readonly dueMs: number
  readonly resolve: (answers: readonly Answer[]) => void
}

const SWEEP_MS = 50

/** @param why who records or did last, and what stands in the way; told in the answers of the clock */
export function createPendingList(why: () => Why): PendingList {
  const held = new Map<Pending, Held>()
  let sweeper: NodeJS.Timeout | undefined

  function settle(item: Pending, answers: readonly Answer[]): boolean {
    const found = held.get(item)
    if (!found) return false
    held.delete(item)
    if (held.size === 0) sweeper?.unref()
    found.resolve(answers)
    return true
  }

  function giveUp(item: Pending): void {
    settle(item, answerAll(item, item.sent ? unknownError(why()) : absentError(why())))
  }

  /** Not at each answer: most lists are filled again at once, and a timer costs more than an item. */
  function stop(): void {
    clearInterval(sweeper)
    sweeper = undefined
  }

  function sweep(): void {
    const nowMs = performance.now()
    if (held.size === 0) stop()
    for (const item of held.values()) if (item.dueMs <= nowMs) giveUp(item)
  }

  return {
    size: () => held.size,
    all: () => held.keys(),
    settle,
    endAwaited() {
      for (const item of held.keys()) if (item.awaited) giveUp(item)
    },
    add(batch, { awaited, limitMs }, resolve) {
      const item: Held = { batch, awaited, sent: false, dueMs: performance.now() + limitMs, resolve }
      if (sweeper && held.size === 0) sweeper.ref()
      held.set(item, item)
      sweeper ??= setInterval(sweep, SWEEP_MS)
      return item
    },
    end(errorOf) {
      for (const item of held.keys()) settle(item, answerAll(item, errorOf(item)))
    },
  }
}

/** It may be written or not. */
export function unknownError({ pid, trouble }: Why): SwornError {
  const message = trouble
    ? `process ${pid} took the event, and nobody records now: ${trouble.code}`
    : `process ${pid} took the event and did not answer in time`
  return new SwornError('APPEND_UNKNOWN', message, trouble?.at ?? '', { cause: trouble })
}

/** Nobody took it. */
export function absentError({ pid, trouble }: Why): SwornError {
  const message = trouble ? `nobody can record: ${trouble.code}; the last was` : 'no recorder answered in time, the last was'
  return new SwornError('RECORDER_UNAVAILABLE', `${message} process ${pid}`, trouble?.at ?? '', { cause: trouble })
}

function answerAll(item: Pending, error: SwornError): readonly Answer[] {
  return item.batch.map(() => error)
}
