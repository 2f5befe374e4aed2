/**
 * Budgets: counters that are never regained, counted from the records themselves.
 *
 * A record says what it spent in `metadata.spent`; the sum over the ledger is what is used. A reservation is held
 * until its record comes, so that no number of parallel callers takes more than there is; the record of a call that was
 * refused after all says in `metadata.returned` what nobody holds any more. Promise: a record whose
 * `limit` would be passed is refused, also when whoever granted it is gone, so its action does not happen.
 * Read from the segments at the first question after an opening. Source: docs/format.md, "Budgets".
 * BUG: what was pruned is not counted, and beyond 200,000 counters those used longest ago are forgotten. A budget
 * per session or day is not concerned while its records are kept.
 * @module
 */
import { asText, SwornError } from '@sworn/verify'
import type { Submission } from '../port/types.ts'
import { unspliceCounters } from './body.ts'
import { write } from './commit.ts'
import type { Core } from './core.ts'
import { add, release } from './counters.ts'
import { eachRecord } from './replay.ts'
import { isReported, memberOf } from './reported.ts'
import { parsePayload } from './reserved.ts'
import { listSegments } from './segments.ts'

const MAX_SPENT = 16
const MARK = '"spent":['
const MARK_RETURNED = '"returned":['
const SPENDING: ReadonlySet<string> = new Set([
  'authorization_decision',
  'approval_requested',
  'tool_call_end',
  'tool_call_error',
  'model_response',
  'model_error',
])

/** What one record takes from one budget. Without `limit` it is counted after the fact, and never refused. */
interface Spent {
  readonly counter: string
  readonly amount: number
  readonly limit?: number
}

/** Recorded and held together. @throws as reading does, when the segments have to be read first */
export function usedOf(core: Core, counter: string): number {
  return (recordedOf(core).get(counter) ?? 0) + (core.counters.held.get(counter) ?? 0)
}

export function hold(core: Core, counter: string, amount: number): void {
  if (amount > 0) add(core.counters.held, counter, amount)
}

/** Counts what a record spends and gives back, or says why it is refused. Called once for each record, before it is linked. */
export function countSpent(core: Core, item: Submission, text: string): SwornError | undefined {
  if (!SPENDING.has(item.eventType) || !(text.includes(MARK) || text.includes(MARK_RETURNED))) return undefined
  const payload: unknown = JSON.parse(item.json)
  const all = readSpent(payload, 'spent')
  if (all.some((spent) => passesLimit(core, spent))) return new SwornError('APPEND_REFUSED', 'the budget is spent', '/metadata/spent')
  for (const { counter, amount } of all) {
    release(core.counters.held, counter, amount)
    if (core.counters.recorded) add(core.counters.recorded, counter, amount)
  }
  for (const { counter, amount } of readSpent(payload, 'returned')) release(core.counters.held, counter, amount)
  return undefined
}

/** What was granted here is within the limit already; anything else has to fit beside it. */
function passesLimit(core: Core, { counter, amount, limit }: Spent): boolean {
  if (limit === undefined || (core.counters.held.get(counter) ?? 0) >= amount) return false
  return usedOf(core, counter) + amount > limit
}

function recordedOf(core: Core): Map<string, number> {
  const known = core.counters.recorded
  if (known) return known
  write(core) // what is linked is read back with the rest
  const recorded = new Map<string, number>()
  eachRecord(core.env, listSegments(core.env), 0, (line) => {
    if (!Buffer.from(line.body.buffer, line.body.byteOffset, line.body.length).includes(MARK)) return
    const payload = unspliceCounters(Buffer.from(line.body).toString('utf8')) && parsePayload(line)
    if (!payload || !SPENDING.has(asText(payload.event_type))) return
    for (const { counter, amount } of readSpent(payload, 'spent')) add(recorded, counter, amount)
  })
  core.counters.recorded = recorded
  return recorded
}

/** Hostile input: what does not have the shape does not count, nor what was only told. */
function readSpent(payload: unknown, member: 'spent' | 'returned'): readonly Spent[] {
  if (isReported(payload)) return []
  const spent = memberOf(memberOf(payload, 'metadata'), member)
  return Array.isArray(spent) ? spent.slice(0, MAX_SPENT).filter(isSpent) : []
}

function isSpent(value: unknown): value is Spent {
  const limit = memberOf(value, 'limit')
  const counter = memberOf(value, 'counter')
  return (
    typeof counter === 'string' && counter.length <= 256 && isAmount(memberOf(value, 'amount')) && (limit === undefined || isAmount(limit))
  )
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
