/**
 * What the entries of a ledger come to: a pure function of the entries before a position, so that it can be stored
 * beside that position and gone on with.
 *
 * Labels come from recorded events and are bounded: a name that is none, and every name beyond the bound, is `other`;
 * which names are kept depends on the order of the ledger only.
 * Source: AIP audit guide (metrics), AIP v1alpha2 §6.4.2, checklist A22, A35, AW7.
 * @module
 */
import { asText } from '@sworn/verify'
import type { Times } from './family.ts'

export type RecordedEvent = Readonly<Record<string, unknown>>

/** Tells of entries which tool call they are about, however many saw it. */
export interface ActionObserver {
  /** `begins` and `first`: nobody saw it before; `refuses`: nobody refused it before. */
  observe(event: RecordedEvent): { readonly first: boolean; readonly begins: boolean; readonly refuses: boolean } | undefined
  /** Plain JSON. */
  stored(): unknown
}

/** @param stored of another; absent: of the beginning of a ledger. @throws TypeError where it is none */
export type OpenObserver = (stored?: unknown) => ActionObserver

/** Tool calls, each once. */
export interface ActionCounts {
  readonly seen: number
  /** By one who saw it at least. */
  readonly denied: number
  /** Of the observer. */
  readonly observed: unknown
}

export interface Counts {
  /** By `event_type`, the ledger's own records among them. */
  readonly events: ReadonlyMap<string, number>
  readonly decisions: ReadonlyMap<string, number>
  readonly violations: number
  readonly patterns: ReadonlyMap<string, number>
  /** By `true` and `false`. */
  readonly approvals: ReadonlyMap<string, number>
  /** From a question that was shown to its answer. */
  readonly responses: Times
  /** Events that a source says it lost. */
  readonly dropped: number
  /** By who cosigned: the widest checkpoint that the ledger says was cosigned. */
  readonly anchors: ReadonlyMap<string, Anchored>
  /** Absent where nobody tells which entries are about one call. */
  readonly actions?: ActionCounts | undefined
}

export interface Anchored {
  /** Entries that it covers. */
  readonly size: number
  /** When the ledger noted it, milliseconds since 1970; the writer's claim. */
  readonly notedMs: number
}

export interface Tally {
  /** Counts one entry. Never throws, whatever it is. */
  add(event: RecordedEvent): void
  counts(): Counts
}

const NO_CALL = { first: false, begins: false, refuses: false }
const MAX_TYPES = 100
const MAX_PATTERNS = 200
const MAX_ANCHORS = 20
const NAME = /^[\w .:()/-]{1,64}$/
const DECISIONS = ['allow', 'deny', 'ask'] as const
/** A person answers within seconds or minutes. */
export const RESPONSE_BOUNDS_MS = [500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000] as const

/** Types that are about a tool call: an observer needs to see them whole. */
export const OF_CALLS: ReadonlySet<string> = new Set([
  'authorization_decision',
  'approval_requested',
  'tool_call_start',
  'tool_call_end',
  'tool_call_error',
])

/** Types of which more than the type is counted. */
export const DETAILED: ReadonlySet<string> = new Set([
  'authorization_decision',
  'approval_requested',
  'dlp_match',
  'observation_gap',
  'log.anchor',
])

/** @param before what was counted up to here; absent: nothing. @param observer as it was then */
export function createTally(before?: Counts, observer?: ActionObserver): Tally {
  const events = new Map(before?.events)
  const decisions = new Map<string, number>([...DECISIONS.map((name) => [name, 0] as const), ...(before?.decisions ?? [])])
  const patterns = new Map(before?.patterns)
  const anchors = new Map(before?.anchors)
  const approvals = new Map<string, number>([['true', 0], ['false', 0], ...(before?.approvals ?? [])]) // a rate needs a zero to rise from
  const times = {
    counts: [...(before?.responses.counts ?? new Array(RESPONSE_BOUNDS_MS.length + 1).fill(0))] as number[],
    sumMs: before?.responses.sumMs ?? 0,
  }
  let { violations, dropped } = before ?? { violations: 0, dropped: 0 }
  const actions = { seen: before?.actions?.seen ?? 0, denied: before?.actions?.denied ?? 0 }

  function addCall(event: RecordedEvent): void {
    const { first, begins, refuses } = observer?.observe(event) ?? NO_CALL
    if (first && begins) actions.seen++
    if (refuses) actions.denied++
  }

  function addDecision({ decision, violation, human_decision: human }: RecordedEvent): void {
    if (DECISIONS.some((name) => name === decision)) raise(decisions, asText(decision))
    if (violation === true) violations++
    const { approved, response_time_ms: ms } = toMembers(human)
    if (typeof approved !== 'boolean') return
    raise(approvals, asText(approved))
    if (isAmount(ms)) addTime(times, ms)
  }

  function addAnchor({ target, size, timestamp }: RecordedEvent): void {
    const name = nameIn(anchors, MAX_ANCHORS, target)
    const notedMs = Date.parse(asText(timestamp))
    if (isAmount(size) && isAmount(notedMs) && size >= (anchors.get(name)?.size ?? 0)) anchors.set(name, { size, notedMs })
  }

  return {
    add(event) {
      const { event_type: type, pattern, match_count: amount, metadata } = event
      raise(events, nameIn(events, MAX_TYPES, type))
      if (OF_CALLS.has(asText(type))) addCall(event)
      if (type === 'authorization_decision') addDecision(event)
      else if (type === 'approval_requested') raise(decisions, 'ask')
      else if (type === 'dlp_match') raise(patterns, nameIn(patterns, MAX_PATTERNS, pattern), isAmount(amount) ? amount : 1)
      else if (type === 'observation_gap') dropped += toAmount(toMembers(metadata).dropped)
      else if (type === 'log.anchor') addAnchor(event)
    },
    counts: () => ({
      events,
      decisions,
      violations,
      patterns,
      approvals,
      dropped,
      anchors,
      ...(observer && { actions: { ...actions, observed: observer.stored() } }),
      responses: { boundsMs: RESPONSE_BOUNDS_MS, ...times },
    }),
  }
}

function raise(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

function addTime(times: { readonly counts: number[]; sumMs: number }, ms: number): void {
  const bucket = RESPONSE_BOUNDS_MS.findIndex((bound) => ms <= bound)
  times.counts[bucket < 0 ? RESPONSE_BOUNDS_MS.length : bucket]! += 1
  times.sumMs += ms
}

/** The name as a label, or `other`. */
function nameIn(known: ReadonlyMap<string, unknown>, max: number, name: unknown): string {
  if (typeof name !== 'string' || !NAME.test(name)) return 'other'
  return known.has(name) || known.size < max ? name : 'other'
}

const toMembers = (value: unknown) => (typeof value === 'object' && value !== null ? value : {}) as RecordedEvent // any object: members are unknown
const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
const toAmount = (value: unknown): number => (isAmount(value) ? value : 0)
