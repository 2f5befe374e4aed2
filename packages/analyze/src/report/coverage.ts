/**
 * What was seen, from where, and what was not: sources by layer, gaps, and times without a recorder.
 * @module
 */
import { asText } from '@sworn/verify'
import { createSilentHooks, createUnseen, type SilentHooks, type Unseen } from '../actions/index.ts'
import { createNewest } from './newest.ts'
import { amountOf, cutText, membersOf, type Part, textOf } from './part.ts'
import { createTally, type Tallied } from './tally.ts'
import { formatMoment, isLogRecord } from './totals.ts'

/** A time in which we know to have been blind. */
export interface Gap {
  readonly seq: number
  readonly event_type: string
  readonly from: string | null
  readonly to: string | null
  readonly reason: string | null
  /** Events that were not recorded, where it is known. */
  readonly dropped: number | null
}

/** A source of events that said what it covers. */
export interface Instrumentation {
  readonly seq: number
  readonly timestamp: string | null
  readonly name: string | null
  readonly version: string | null
  readonly tested: boolean | null
  readonly can_block: boolean | null
}

/** The recorder was not running, or wrote nothing. */
export interface Pause {
  /** Of the `log.start` that ended it. */
  readonly seq: number
  readonly from: string
  readonly to: string
  readonly clean: boolean
}

export interface Coverage {
  /** inline: could have been stopped; observed: seen; reported: told by somebody. */
  readonly by_vantage: Tallied
  readonly by_source: Tallied
  /** Events that name no user. */
  readonly without_user: number
  readonly gaps: { readonly count: number; readonly dropped: number; readonly newest: readonly Gap[] }
  readonly instrumentation: { readonly count: number; readonly newest: readonly Instrumentation[] }
  /** Calls that began, or that a model asked for, and of which nothing more was seen. */
  readonly unseen: Unseen
  /** Clients with sessions that their telemetry tells of and no hook: nobody could stop them. */
  readonly silent_hooks: readonly SilentHooks[]
  readonly recorder_starts: number
  /** The recorder before did not end as it should. */
  readonly unclean_starts: number
  readonly recoveries: number
  /** The longest first, at most 10; `paused_ms` is of all. */
  readonly pauses: readonly Pause[]
  readonly paused_ms: number
}

const GAPS: ReadonlySet<unknown> = new Set(['observation_gap', 'log.gap'])
const MAX_PAUSES = 10
/** Shorter ones are the time that a start takes. */
const LEAST_PAUSE_MS = 1000

export function createCoverage(): Part<Coverage> {
  const [vantages, sources] = [createTally(), createTally()]
  const gaps = createGaps()
  const instrumentation = createNewest<Instrumentation>()
  const starts = createStarts()
  const unseen = createUnseen()
  const silent = createSilentHooks()
  const counts = { without_user: 0, recoveries: 0 }
  return {
    add(entry, columns, observed) {
      const { event_type: type } = entry
      unseen.add(entry, observed)
      silent.add(entry)
      starts.add(entry, columns)
      if (GAPS.has(type)) gaps.add(entry)
      if (type === 'log.recovered') counts.recoveries++
      if (isLogRecord(type)) return
      const { kind, name, vantage } = membersOf(entry.source)
      vantages.add(textOf(vantage))
      sources.add(textOf(kind) && [kind, textOf(name)].filter(Boolean).join(' '))
      if (entry.user === undefined) counts.without_user++
      if (type === 'instrumentation_report')
        instrumentation.add({ seq: entry.seq, timestamp: formatMoment(columns.time), ...instrumentOf(entry) })
    },
    done: () => ({
      by_vantage: vantages.done(),
      by_source: sources.done(),
      ...counts,
      gaps: gaps.done(),
      instrumentation: instrumentation.done(),
      unseen: unseen.done(),
      silent_hooks: silent.done(),
      ...starts.done(),
    }),
  }
}

type Given = Parameters<Part<Coverage>['add']>

function instrumentOf({ metadata, source }: Given[0]): Omit<Instrumentation, 'seq' | 'timestamp'> {
  const { package: name, client, version, tested, can_block: canBlock } = membersOf(metadata)
  const { name: sourceName, version: sourceVersion } = membersOf(source)
  return {
    name: cutText(name ?? client ?? sourceName) ?? null,
    version: cutText(version ?? sourceVersion) ?? null,
    tested: typeof tested === 'boolean' ? tested : null,
    can_block: typeof canBlock === 'boolean' ? canBlock : null,
  }
}

function createGaps() {
  const newest = createNewest<Gap>()
  let lost = 0
  return {
    add(entry: Given[0]): void {
      const { from, to, reason, dropped } = { ...entry, ...membersOf(entry.metadata) } as Readonly<Record<string, unknown>> // any object
      lost += amountOf(dropped) ?? 0
      newest.add({
        seq: entry.seq,
        event_type: asText(entry.event_type),
        from: cutText(from ?? entry.first_at) ?? null,
        to: cutText(to ?? entry.last_at) ?? null,
        reason: cutText(reason) ?? null,
        dropped: amountOf(dropped) ?? null,
      })
    },
    done: () => ({ dropped: lost, ...newest.done() }),
  }
}

/** Between the entry before a `log.start` and that start, nothing was recorded. */
function createStarts() {
  const counts = { recorder_starts: 0, unclean_starts: 0, paused_ms: 0 }
  let pauses: (Pause & { readonly ms: number })[] = []
  let before: number | undefined
  return {
    add({ seq, event_type: type, previous_stop: stop }: Given[0], { time }: Given[1]): void {
      if (type === 'log.start') {
        counts.recorder_starts++
        if (stop !== 'clean') counts.unclean_starts++
        if (before !== undefined && time !== undefined && time - before >= LEAST_PAUSE_MS) {
          const [from, to] = [new Date(before).toISOString(), new Date(time).toISOString()]
          counts.paused_ms += time - before
          pauses.push({ seq, from, to, clean: stop === 'clean', ms: time - before })
          pauses = pauses.sort((a, b) => b.ms - a.ms || a.seq - b.seq).slice(0, MAX_PAUSES)
        }
      }
      before = time ?? before
    },
    done: () => ({ ...counts, pauses: pauses.map(({ ms: _, ...pause }) => pause) }),
  }
}
