/**
 * Events over time, in at most 60 steps that fit the time covered.
 * @module
 */
import type { Entry } from '../reading/entry.ts'
import type { Part } from './part.ts'
import { formatMoment, isLogRecord } from './totals.ts'

const HOUR_MS = 3_600_000
/** Hours that are told apart: eleven years. */
const MAX_HOURS = 100_000
const MAX_STEPS = 60
/** 1, 2, 3, 6, 12 hours, 1, 2, 7, 14, 30, 90, 365 days; wider ones are multiples of a year. */
const STEP_HOURS = [1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160, 8760]
const YEAR_HOURS = 8760

export interface Step {
  readonly from: string
  readonly events: number
  readonly denied: number
  readonly failed: number
}

export interface Timeline {
  readonly step_hours: number
  /** Each of `step_hours`, without a hole between first and last. */
  readonly steps: readonly Step[]
  /** Events without a time, or in more hours than are told apart. */
  readonly unplaced: number
  /** Events of a time after the latest that can be. */
  readonly ahead: number
}

type Counts = [events: number, denied: number, failed: number]

/** @param latest no event can have a later time: one clock that is ahead would leave the others a single column */
export function createTimeline(latest: number): Part<Timeline> {
  const hours = new Map<number, Counts>()
  let [unplaced, ahead] = [0, 0]
  const countsOf = (hour: number): Counts | undefined => {
    const known = hours.get(hour)
    if (known || hours.size >= MAX_HOURS) return known
    const made: Counts = [0, 0, 0]
    hours.set(hour, made)
    return made
  }
  return {
    add(entry, columns) {
      if (isLogRecord(entry.event_type)) return
      if (columns.time !== undefined && columns.time > latest) return void ahead++
      const counts = columns.time === undefined ? undefined : countsOf(Math.floor(columns.time / HOUR_MS))
      if (!counts) unplaced++
      else addTo(counts, entry)
    },
    done: () => ({ ...toSteps(hours), unplaced, ahead }),
  }
}

function addTo(counts: Counts, { event_type: type, decision, is_error: isError }: Entry): void {
  counts[0]++
  if (decision === 'deny' || type === 'method_blocked') counts[1]++
  if (type === 'tool_call_error' || type === 'model_error' || isError === true) counts[2]++
}

function toSteps(hours: ReadonlyMap<number, Counts>): Omit<Timeline, 'unplaced' | 'ahead'> {
  if (hours.size === 0) return { step_hours: 1, steps: [] }
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const hour of hours.keys()) [first, last] = [Math.min(first, hour), Math.max(last, hour)]
  const fits = (step: number): boolean => Math.floor(last / step) - Math.floor(first / step) < MAX_STEPS
  const step = STEP_HOURS.find(fits) ?? YEAR_HOURS * Math.ceil((last - first) / (YEAR_HOURS * (MAX_STEPS - 1)))
  const start = Math.floor(first / step)
  const steps: Counts[] = Array.from({ length: Math.floor(last / step) - start + 1 }, () => [0, 0, 0])
  for (const [hour, counts] of hours) for (const i of [0, 1, 2] as const) steps[Math.floor(hour / step) - start]![i] += counts[i]
  return {
    step_hours: step,
    steps: steps.map(([events, denied, failed], i) => ({ from: formatMoment((start + i) * step * HOUR_MS) ?? '', events, denied, failed })),
  }
}
