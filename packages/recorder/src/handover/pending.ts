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
  /** True once a role took it. */
  sent: boolean
}

export interface PendingList {
  readonly size: () => number
  /** In order of submission. */
  readonly all: () => Iterable<Pending>
  add(batch: readonly Submission[], limitMs: number, settle: (answers: readonly Answer[]) => void): Pending
  /** False when it was answered before. */
  settle(item: Pending, answers: readonly Answer[]): boolean
  /** Answers everything. */
  end(errorOf: (item: Pending) => SwornError): void
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
    if (held.size === 0) {
      clearInterval(sweeper)
      sweeper = undefined
    }
    found.resolve(answers)
    return true
  }

  function sweep(): void {
    const nowMs = performance.now()
    for (const item of held.values()) {
      if (item.dueMs > nowMs) continue
      const error = item.sent ? unknownError(why()) : absentError(why())
      settle(item, answerAll(item, error))
    }
  }

  return {
    size: () => held.size,
    all: () => held.keys(),
    settle,
    add(batch, limitMs, resolve) {
      const item: Held = { batch, sent: false, dueMs: performance.now() + limitMs, resolve }
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
export function unknownError({ pid }: Why): SwornError {
  return new SwornError('APPEND_UNKNOWN', `process ${pid} took the event and did not answer in time`)
}

/** Nobody took it. */
export function absentError({ pid, trouble }: Why): SwornError {
  const found = trouble ? `: ${trouble.code}` : ''
  return new SwornError('RECORDER_UNAVAILABLE', `no recorder answered in time, the last was process ${pid}${found}`, trouble?.at ?? '', {
    cause: trouble,
  })
}

function answerAll(item: Pending, error: SwornError): readonly Answer[] {
  return item.batch.map(() => error)
}
