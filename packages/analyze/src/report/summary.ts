/**
 * The sum of a period, in one pass over its entries and in memory that does not grow with them.
 *
 * Pure. Every count is of what the entries say; nothing here is verified.
 * @module
 */
import { createObservations } from '../actions/index.ts'
import { columnsOf } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import { type Approvals, createApprovals } from './approvals.ts'
import { type Calls, createCalls } from './calls.ts'
import { type Coverage, createCoverage } from './coverage.ts'
import { type Anomalies, createAnomalies, createDlp, type Dlp } from './protection.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { type Budgets, createBudgets } from './spending.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import { createTotals, type Totals } from './totals.ts'

export interface Summary extends Totals {
  readonly timeline: Timeline
  readonly calls: Calls
  readonly approvals: Approvals
  readonly dlp: Dlp
  readonly budgets: Budgets
  readonly sessions: Sessions
  readonly coverage: Coverage
  readonly anomalies: Anomalies
}

export interface SummaryBuilder {
  add(entry: Entry): void
  done(): Summary
}

/** @param latest an event of a later time is counted, but widens neither the time covered nor the timeline */
export function createSummary(latest = Number.POSITIVE_INFINITY): SummaryBuilder {
  const totals = createTotals(latest)
  const parts = {
    timeline: createTimeline(latest),
    calls: createCalls(),
    approvals: createApprovals(),
    dlp: createDlp(),
    budgets: createBudgets(),
    sessions: createSessions(),
    coverage: createCoverage(),
    anomalies: createAnomalies(),
  }
  const all = [totals, ...Object.values(parts)]
  const observations = createObservations()
  return {
    add(entry) {
      const columns = columnsOf(entry)
      const observed = observations.observe(entry)
      for (const part of all) part.add(entry, columns, observed)
    },
    done: () => ({
      ...totals.done(),
      timeline: parts.timeline.done(),
      calls: parts.calls.done(),
      approvals: parts.approvals.done(),
      dlp: parts.dlp.done(),
      budgets: parts.budgets.done(),
      sessions: parts.sessions.done(),
      coverage: parts.coverage.done(),
      anomalies: parts.anomalies.done(),
    }),
  }
}
