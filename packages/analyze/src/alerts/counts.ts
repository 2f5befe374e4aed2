/**
 * The counts of one rule: at most 5,000 and 50,000 cells; beyond that the one not met for the longest time is forgotten.
 * @module
 */
import { createLine, createLink, type Link } from './line.ts'
import type { Begun } from './order.ts'

/** Plain JSON. */
export interface StoredCount {
  readonly by: Readonly<Record<string, string>>
  /** Of the rule's judge; of a rule that waits for silence what was begun, or null. */
  readonly own: unknown
  /** Event time of the last alert. */
  readonly toldAt: number | null
  readonly cells: number
}

export interface Count {
  readonly by: StoredCount['by']
  own: unknown
  toldAt: number | null
  cells: number
  readonly key: string
  /** Event time since which it waits. */
  since: number
  readonly met: Link<Count>
  readonly waits: Link<Count>
}

const MAX_COUNTS = 5000
const MAX_CELLS = 50_000

export function createCounts(stored: readonly StoredCount[], onForgotten: () => void) {
  const counts = new Map<string, Count>()
  /** The one not met for the longest time first. */
  const met = createLine<Count>()
  /** Those that wait, the longest first. */
  const waiting = createLine<Count>()
  let cells = 0

  function keep(of: StoredCount, key = keyOf(of.by)): Count {
    const count = { ...of, key, since: 0 } as Count // its links name it: they come next
    counts.set(key, Object.assign(count, { met: createLink(count), waits: createLink(count) }))
    return count
  }

  function forgetOldest(): void {
    const oldest = met.first!
    counts.delete(oldest.key)
    met.leave(oldest.met)
    waiting.leave(oldest.waits)
    cells -= oldest.cells
    onForgotten()
  }

  for (const count of stored) {
    met.join(keep(count).met)
    cells += count.cells
  }
  const begun = [...counts.values()].flatMap((count) => (isBegun(count.own) ? [{ count, since: count.own.time }] : []))
  for (const { count, since } of begun.toSorted((a, b) => a.since - b.since)) {
    count.since = since
    waiting.join(count.waits)
  }

  return {
    get cells() {
      return cells
    },
    /** The count of a group, begun when it is new; it is now the one met last. */
    find(by: Readonly<Record<string, string>>, begin: () => unknown): Count {
      const key = keyOf(by)
      const count = counts.get(key) ?? keep({ by, own: begin(), toldAt: null, cells: 0 }, key)
      met.join(count.met)
      return count
    },
    resize(count: Count, size: number): void {
      cells += size - count.cells
      count.cells = size
      while (counts.size > 1 && (counts.size > MAX_COUNTS || cells > MAX_CELLS)) forgetOldest()
    },
    /** Something was begun, or nothing is waited for any more. */
    wait(count: Count, begun: Begun | undefined): void {
      count.own = begun ?? null
      waiting.leave(count.waits)
      if (begun) {
        count.since = begun.time
        waiting.join(count.waits)
      }
      this.resize(count, 1)
    },
    waitingSince(time: number): Count[] {
      const due: Count[] = []
      for (const count of waiting.all()) {
        if (count.since > time) break
        due.push(count)
      }
      return due
    },
    /** The one not met for the longest time first. */
    stored: (): StoredCount[] => Array.from(met.all(), ({ by, own, toldAt, cells: size }) => ({ by, own, toldAt, cells: size })),
  }
}

function keyOf(by: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.values(by))
}

function isBegun(own: unknown): own is Begun {
  return typeof own === 'object' && own !== null && 'hash' in own && 'time' in own
}
