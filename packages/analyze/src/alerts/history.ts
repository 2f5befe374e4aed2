/**
 * Alerts over what a ledger holds, and on as it grows; nothing is recorded, nothing is remembered.
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { LedgerFiles } from '@sworn/recorder/segments'
import type { Alert } from './alert.ts'
import { createEngine } from './engine.ts'
import { CAUGHT_UP, readOn } from './read-on.ts'
import type { Rule } from './rule.ts'

export interface HistoryOptions {
  readonly rules: readonly Rule[]
  /** The seq to begin with; default 0. */
  readonly from?: number
  /** See `EngineOptions`; for a `from` behind the beginning. */
  readonly adoptBefore?: number
  /** Go on as entries are written, until the signal aborts. */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly now: () => number
}

const TICK_MS = 500

/** Every alert that the entries from `from` on give, in the order in which they are found. @throws SwornError FILTER_INVALID */
export async function* findAlerts(
  files: LedgerFiles,
  { rules, from = 0, adoptBefore, follow, signal, now }: HistoryOptions,
): AsyncGenerator<Alert> {
  const engine = createEngine(rules, undefined, adoptBefore === undefined ? {} : { adoptBefore })
  const entries = readOn(files, from, signal)
  let next: ReturnType<typeof entries.next> | undefined
  let pause: Promise<undefined> | undefined
  for (let isAtEnd = false; ; ) {
    next ??= entries.next()
    if (isAtEnd) pause ??= wait(TICK_MS, undefined, { ref: false })
    const step = await (pause ? Promise.race([next, pause]) : next)
    if (step === undefined) {
      pause = undefined
      yield* engine.tick(now())
      continue
    }
    next = undefined
    if (step.done) return
    if (step.value !== CAUGHT_UP) yield* engine.take(step.value, now())
    else {
      isAtEnd = true
      yield* engine.tick(now())
      if (!follow) return
    }
  }
}
