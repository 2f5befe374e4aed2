/**
 * A report of a ledger's period: one pass over its entries, whatever is asked for; rules are shown what was before it.
 * @module
 */

import { lookBackMs, type Rule } from '../alerts/index.ts'
import { columnsOf } from '../columns.ts'
import type { Filter } from '../query/filter.ts'
import type { Source } from '../query/source.ts'
import type { Entry } from '../reading/entry.ts'
import { createEvidence, type Sampling } from './evidence.ts'
import { createFindings, type FindingsBuilder } from './findings.ts'
import type { Framework } from './framework.ts'
import type { Integrity } from './integrity.ts'
import { createProcessing } from './processing.ts'
import { createSummary, type Summary } from './summary.ts'
import { formatMoment } from './totals.ts'
import type { Report, Subject } from './types.ts'

/** Which entries: the times and the people of a filter. */
export type Scope = Pick<Filter, 'since' | 'until' | 'user'>

export interface ReportOptions {
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only entries whose `user` this is. */
  readonly subject?: string | undefined
  readonly framework?: Framework | undefined
  /** Alert rules to look with. */
  readonly rules?: readonly Rule[] | undefined
  /** How samples of evidence are drawn; without it none are. */
  readonly sampling?: Sampling | undefined
  readonly integrity: Integrity | null
  readonly now: number
  readonly signal?: AbortSignal | undefined
  /** Lines that are no entries, asked for at the end. */
  readonly unreadable?: () => number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Clocks differ: an event is not ahead of the report by less. */
const AHEAD_MS = HOUR_MS
const GDPR = 'gdpr'
/** Before the period, for what is usual: a day's report reads at most sixteen days. */
const MAX_BEFORE_MS = 15 * DAY_MS

/**
 * @throws SwornError PROOF_INVALID when a sampled line is not the one that was signed; what the source throws; the reason
 *   that `signal` was aborted with
 */
export async function createReport(source: Source, options: ReportOptions): Promise<Report> {
  const { since, until, subject, framework, integrity, now } = options
  const scope = toScope(options)
  const evidence = framework && createEvidence(framework, options.sampling)
  const processing = framework?.id === GDPR || subject !== undefined ? createProcessing() : undefined
  const before = beforePeriod(options)
  const findings = options.rules && createFindings(options.rules, now, before?.since)
  if (findings && before) await learn(source, { ...scope, ...before }, findings, options.signal)
  const onEntry = (entry: Entry, line: Buffer): void => {
    options.signal?.throwIfAborted()
    evidence?.add(entry, line)
    findings?.add(entry)
    processing?.add(entry, columnsOf(entry))
  }
  const summary = await summarize(source, scope, { onEntry, latest: now + AHEAD_MS })
  return {
    report: 'sworn report 1',
    generated: new Date(now).toISOString(),
    since: formatMoment(since),
    until: formatMoment(until),
    period_hours: periodHours(summary, options),
    unreadable: options.unreadable?.() ?? 0,
    ...summary,
    integrity,
    ...(findings && { found_anomalies: findings.done() }),
    ...(subject !== undefined && { subject: await findSubject(source, scope, subject) }),
    ...(evidence && { framework: evidence.done({ integrity, keptDays: await daysKept(source, now) }) }),
    ...(processing && { processing: processing.done() }),
  }
}

function beforePeriod({ rules, since }: ReportOptions): { readonly since: number; readonly until: number } | undefined {
  if (rules === undefined || since === undefined) return undefined
  return { since: since - Math.min(lookBackMs(rules), MAX_BEFORE_MS), until: since }
}

async function learn(source: Source, before: Scope, findings: FindingsBuilder, signal: AbortSignal | undefined): Promise<void> {
  for await (const found of source.find({ filter: before, order: { sort: 'seq', descending: false }, passing: true })) {
    signal?.throwIfAborted()
    findings.learn(found.entry())
  }
}

/** The entries that a report is about. */
export function toScope({ since, until, subject }: Pick<ReportOptions, 'since' | 'until' | 'subject'>): Scope {
  return {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(subject !== undefined && { user: [subject] }),
  }
}

export interface Summarizing {
  /** Sees each entry with the line as stored, which holds as long as the call. */
  readonly onEntry?: (entry: Entry, line: Buffer) => void
  /** No event can have a later time. */
  readonly latest?: number
}

/** Reads every entry of the scope once, in the order of the ledger. */
export async function summarize(source: Source, scope: Scope, { onEntry, latest }: Summarizing = {}): Promise<Summary> {
  const summary = createSummary(latest)
  for await (const found of source.find({ filter: scope, order: { sort: 'seq', descending: false }, passing: true })) {
    const entry = found.entry()
    summary.add(entry)
    onEntry?.(entry, found.line)
  }
  return summary.done()
}

/** Days since the oldest entry that is here. */
async function daysKept(source: Source, now: number): Promise<number> {
  for await (const first of source.find({ filter: {}, order: { sort: 'seq', descending: false }, limit: 1 })) {
    const time = columnsOf(first.entry()).time ?? now
    return Math.max(0, Math.floor((now - time) / DAY_MS))
  }
  return 0
}

/** Every entry of the subject has the text in `user`; what else has it mentions the subject. */
async function findSubject(source: Source, { since, until }: Scope, user: string): Promise<Subject> {
  const times = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
  const total = async (filter: Filter): Promise<number> => (await source.count(filter, []))[0]?.entries ?? 0
  return { user, mentions: (await total({ ...times, text: user })) - (await total({ ...times, user: [user] })) }
}

function periodHours({ first, last }: Summary, { since, until }: ReportOptions): number | null {
  const [from, to] = [since ?? (first === null ? undefined : Date.parse(first)), until ?? (last === null ? undefined : Date.parse(last))]
  return from === undefined || to === undefined ? null : Math.max(0, to - from) / HOUR_MS
}
