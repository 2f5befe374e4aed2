/**
 * Judges that count in a window: threshold, rate and ratio.
 * @module
 */
import { type Hit, type Judge, keepEvidence, numberAt, type Proof, round } from './judge.ts'
import { addEvent, dropAhead, type Step, type Sum } from './window.ts'

interface Counted {
  readonly steps: Step[]
  readonly recent: number[]
}

interface Counting {
  readonly windowMs: number
  /** What one event adds to the sum; undefined: it does not count. */
  weigh(hit: Hit): number | undefined
  /** True when the event is evidence, not only part of the whole. */
  proves(weight: number): boolean
  find(sum: Sum): Pick<Proof, 'text' | 'value' | 'expected'> | undefined
}

function createCounter({ windowMs, weigh, proves, find }: Counting): Judge<Counted> {
  return {
    begin: () => ({ steps: [], recent: [] }),
    take({ steps, recent }, hit) {
      const sum = weigh(hit)
      if (sum === undefined) return undefined
      dropAhead(steps, hit.clock, windowMs)
      if (proves(sum)) keepEvidence(recent, hit.seq)
      for (const window of addEvent(steps, { time: hit.time, windowMs, sum, seq: hit.seq })) {
        const found = find(window)
        if (found === undefined) continue
        const { first, last, count } = window
        return { ...found, evidence: recent.filter((seq) => seq >= first).toSorted((a, b) => a - b), first, last, count }
      }
      return undefined
    },
    cells: ({ steps }) => steps.length + 1,
  }
}

/** More than `more` events, or more than that as the sum of the member at `place`. */
export function createThreshold(windowMs: number, window: string, more: number, place: readonly string[] | undefined): Judge<Counted> {
  return createCounter({
    windowMs,
    weigh: ({ entry }) => (place ? numberAt(entry, place) : 1),
    proves: () => true,
    find({ count, sum }) {
      const value = place ? round(sum) : count
      if (value <= more) return undefined
      if (more === 0 && !place) return { text: 'an event that the rule looks for', value, expected: more }
      const what = place ? `${place.join('.')} ${value}` : `${count} events`
      return { text: `${what} in ${window}, more than ${more}`, value, expected: more }
    },
  })
}

/** More events for each `perMs` than `more`, as the mean over the window. */
export function createRate(windowMs: number, more: number, per: { readonly ms: number; readonly text: string }): Judge<Counted> {
  return createCounter({
    windowMs,
    weigh: () => 1,
    proves: () => true,
    find({ count }) {
      const value = (count * per.ms) / windowMs
      if (value <= more) return undefined
      return { text: `${round(value)} events per ${per.text}, more than ${more}`, value: round(value), expected: more }
    },
  })
}

/** Of at least `atLeast` events more than the part `more` for which `holds`. */
export function createRatio(
  windowMs: number,
  window: string,
  { holds, more, atLeast }: { holds: (hit: Hit) => boolean; more: number; atLeast: number },
): Judge<Counted> {
  return createCounter({
    windowMs,
    weigh: (hit) => (holds(hit) ? 1 : 0),
    proves: (weight) => weight > 0,
    find({ count, sum }) {
      if (count < atLeast || sum / count <= more) return undefined
      const value = round(sum / count)
      return { text: `${round(100 * value)} % of ${count} events in ${window}, more than ${round(100 * more)} %`, value, expected: more }
    },
  })
}
