/**
 * Judges that learn what is usual: a value that was never seen, and a window unlike those before.
 * @module
 */
import { hash } from 'node:crypto'
import type { Entry } from '../reading/entry.ts'
import { type Hit, type Judge, numberAt, type Proof, round, valueAt } from './judge.ts'

interface Known {
  readonly since: number
  events: number
  /** Hash of each value; the one seen last stands last. */
  readonly values: Record<string, 1>
  /** Of `values`. */
  size: number
}

/** Values of one count that are remembered; beyond that the one not seen for the longest time is forgotten. */
const MAX_VALUES = 2000
const MAX_SHOWN = 100

export interface FirstSeen {
  readonly of: string
  readonly place: readonly string[]
  readonly afterMs: number
  readonly atLeast: number
}

export function createFirstSeen({ of, place, afterMs, atLeast }: FirstSeen, onForgotten: () => void): Judge<Known> {
  const read = of === 'hour' ? hourOf : of === 'target_place' ? targetPlace : (entry: Entry) => textOf(valueAt(entry, place))
  return {
    begin: ({ time }) => ({ since: time, events: 0, values: {}, size: 0 }),
    take(known, hit) {
      const value = read(hit.entry)
      if (value === undefined) return undefined
      const key = `_${hash('sha256', value, 'base64url').slice(0, 12)}` // not a number: those would not keep their order
      const isNew = known.values[key] === undefined
      remember(known, key, isNew, onForgotten)
      known.events++
      if (!isNew || known.events <= atLeast || hit.clock - known.since < afterMs) return undefined
      return oneProof(hit.seq, `first ${of} ${JSON.stringify(value.slice(0, MAX_SHOWN))} after ${known.events} events`)
    },
    cells: ({ size }) => size + 1,
  }
}

function remember(known: Known, key: string, isNew: boolean, onForgotten: () => void): void {
  delete known.values[key]
  known.values[key] = 1
  if (!isNew || ++known.size <= MAX_VALUES) return
  for (const oldest in known.values) {
    delete known.values[oldest]
    known.size--
    onForgotten()
    return
  }
}

function oneProof(seq: number, text: string): Proof {
  return { text, value: 1, expected: 0, evidence: [seq], first: seq, last: seq, count: 1 }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function hourOf({ timestamp }: Entry): string | undefined {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(time) ? undefined : `${String(new Date(time).getUTCHours()).padStart(2, '0')}:00 UTC`
}

/** Where a target lies: the host of an address, the first two directories of a path, else the text itself. */
export function targetPlace({ target }: Entry): string | undefined {
  if (typeof target !== 'string') return undefined
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(target)?.[1]
  if (host !== undefined) return host.toLowerCase()
  return /^(?:(?:[A-Za-z]:|~|\.{1,2})?[/\\][^/\\]*){1,2}(?=[/\\])/.exec(target)?.[0] ?? target
}

interface Baseline {
  /** Of the window at hand. */
  window: number
  count: number
  sum: number
  first: number
  /** Values of the windows before, oldest first; one without events counts 0, or is left out where a mean is asked for. */
  readonly past: number[]
}

export interface Deviation {
  readonly windowMs: number
  readonly window: string
  readonly place: readonly string[] | undefined
  readonly factor: number
  readonly windows: number
  readonly atLeast: number
}

/** A window whose count, or mean, lies `factor` deviations above those before. */
export function createDeviation({ windowMs, window, place, factor, windows, atLeast }: Deviation): Judge<Baseline> {
  const measure = ({ count, sum }: Baseline) => (place ? sum / count : count)
  function roll(own: Baseline, at: number, seq: number): void {
    if (own.count > 0) own.past.push(measure(own))
    const idle = place ? 0 : Math.min(at - own.window - 1, windows)
    for (let i = 0; i < idle; i++) own.past.push(0)
    own.past.splice(0, own.past.length - windows)
    Object.assign(own, { window: at, count: 0, sum: 0, first: seq })
  }
  return {
    begin: ({ clock, seq }) => ({ window: Math.floor(clock / windowMs), count: 0, sum: 0, first: seq, past: [] }),
    take(own, hit: Hit) {
      const weight = place ? numberAt(hit.entry, place) : 1
      if (weight === undefined) return undefined
      const at = Math.floor(hit.clock / windowMs) // what comes late counts now
      if (at !== own.window) roll(own, at, hit.seq)
      own.count++
      own.sum += weight
      if (own.past.length < windows || own.count < atLeast) return undefined
      const expected = boundOf(own.past, factor, place === undefined)
      const value = measure(own)
      if (value <= expected) return undefined
      const what = place ? `mean ${place.join('.')} ${round(value)}` : `${value} events`
      const text = `${what} in ${window}, at most ${round(expected)} by the ${windows} before`
      return { ...oneProof(hit.seq, text), value: round(value), expected: round(expected), first: own.first, count: own.count }
    },
    cells: ({ past }) => past.length + 1,
  }
}

/** Mean and deviations; a count varies by its root even where the past did not, a mean by a tenth. */
function boundOf(past: readonly number[], factor: number, isCount: boolean): number {
  const mean = past.reduce((sum, value) => sum + value, 0) / past.length
  const deviation = Math.sqrt(past.reduce((sum, value) => sum + (value - mean) ** 2, 0) / past.length)
  return mean + factor * Math.max(deviation, isCount ? Math.max(Math.sqrt(mean), 1) : Math.abs(mean) / 10)
}
