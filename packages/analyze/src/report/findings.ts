/**
 * What alert rules find in a period, whether or not it was recorded when it happened.
 *
 * The engine is that of `sworn alerts`. It is begun with entries from before the period, so that it knows what is usual.
 * @module
 */
import { createEngine, describeAlert, type Rule } from '../alerts/index.ts'
import type { Entry } from '../reading/entry.ts'
import { createNewest } from './newest.ts'
import { createTally, type Tallied } from './tally.ts'
import { formatMoment } from './totals.ts'

export interface FoundAnomaly {
  readonly rule: string
  readonly severity: string
  readonly timestamp: string | null
  readonly text: string
  /** Entries that prove it, and the range they are from. */
  readonly evidence: readonly number[]
  readonly first: number
  readonly last: number
}

/** The entries from before the period that the rules have seen. */
export interface Before {
  /** RFC 3339, UTC. */
  readonly from: string | null
  readonly entries: number
}

export interface FoundAnomalies {
  /** Null for a period without a beginning: there is nothing before it. */
  readonly before: Before | null
  readonly count: number
  readonly by_rule: Tallied
  readonly newest: readonly FoundAnomaly[]
}

export interface FindingsBuilder {
  /** Takes an entry from before the period: what is found at it is not of the period. */
  learn(entry: Entry): void
  add(entry: Entry): void
  done(): FoundAnomalies
}

/**
 * @param from of the entries that are learnt, in milliseconds; undefined when none are
 * @throws SwornError FILTER_INVALID for a rule that is no filter
 */
export function createFindings(rules: readonly Rule[], now: number, from: number | undefined): FindingsBuilder {
  const engine = createEngine(rules)
  const byRule = createTally()
  const newest = createNewest<FoundAnomaly>()
  let learnt = 0
  return {
    learn(entry) {
      learnt++
      engine.take(entry, now)
    },
    add(entry) {
      for (const alert of engine.take(entry, now)) {
        const { rule, severity, time, evidence, first, last } = alert
        byRule.add(rule)
        newest.add({ rule, severity, timestamp: formatMoment(time), text: describeAlert(alert), evidence, first, last })
      }
    },
    done: () => ({
      before: from === undefined ? null : { from: formatMoment(from), entries: learnt },
      by_rule: byRule.done(),
      ...newest.done(),
    }),
  }
}
