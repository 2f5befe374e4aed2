/**
 * Things that wait to be met, each under several keys; the oldest under a key comes first.
 *
 * Bounded: beyond `max` the oldest is let go, and counted. Every step costs as much as what it takes out, on average: what
 * went is only marked, and the whole is made anew when most of it is marked. A map or set that is added to and deleted from
 * for long keeps its old tables, and all that they hold, from being collected.
 * @module
 */

export interface Pool<T> {
  add(thing: T, keys: readonly string[]): void
  has(key: string): boolean
  /** The oldest under `key` that `fits`; it waits no more. */
  take(key: string, fits?: (thing: T) => boolean): T | undefined
  /** All under `key`, oldest first. */
  takeAll(key: string): readonly T[]
  /** The oldest ones for which it holds, up to the first for which it does not; they wait no more. */
  takeWhile(holds: (thing: T) => boolean): readonly T[]
  /** All that wait, oldest first. */
  values(): readonly T[]
  size(): number
  /** Let go because there were too many. */
  dropped(): number
  /** Oldest first; plain JSON where the things are. */
  stored(): StoredPool<T>
}

export type StoredPool<T> = readonly { readonly thing: T; readonly keys: readonly string[] }[]

interface Held<T> {
  readonly thing: T
  readonly keys: readonly string[]
  gone: boolean
}

/** What waits under a key, oldest first; everything before `from` is gone. */
interface Line<T> {
  from: number
  readonly held: Held<T>[]
}

/** Marked ones that may stay whatever waits. */
const MAX_MARKED = 64

export function createPool<T>(max: number, stored: StoredPool<T> = []): Pool<T> {
  let all: Line<T> = { from: 0, held: [] }
  let byKey = new Map<string, Line<T>>()
  let size = 0
  let lost = 0

  function enter(one: Held<T>): void {
    all.held.push(one)
    for (const key of one.keys) {
      const line = byKey.get(key)
      if (line) line.held.push(one)
      else byKey.set(key, { from: 0, held: [one] })
    }
  }

  function remove(one: Held<T>): T {
    one.gone = true
    size--
    return one.thing
  }

  function sweep(): void {
    if (all.held.length <= 2 * size + MAX_MARKED) return
    const left = living(all)
    all = { from: 0, held: [] }
    byKey = new Map()
    for (const one of left) enter(one)
  }

  for (const { thing, keys } of stored) {
    enter({ thing, keys, gone: false })
    size++
  }

  return {
    add(thing, keys) {
      enter({ thing, keys, gone: false })
      size++
      if (size > max) {
        remove(oldest(all)!)
        lost++
      }
      sweep()
    },
    has: (key) => oldest(byKey.get(key)) !== undefined,
    take(key, fits = () => true) {
      const line = byKey.get(key)
      const first = oldest(line)
      const found = first && (fits(first.thing) ? first : line!.held.find(({ thing, gone }, i) => i > line!.from && !gone && fits(thing)))
      return found && remove(found)
    },
    takeAll: (key) => living(byKey.get(key)).map(remove),
    takeWhile(holds) {
      const taken: T[] = []
      for (let first = oldest(all); first && holds(first.thing); first = oldest(all)) taken.push(remove(first))
      return taken
    },
    values: () => living(all).map(({ thing }) => thing),
    size: () => size,
    dropped: () => lost,
    stored: () => all.held.filter(({ gone }) => !gone).map(({ thing, keys }) => ({ thing, keys })),
  }
}

function oldest<T>(line: Line<T> | undefined): Held<T> | undefined {
  if (!line) return undefined
  while (line.held[line.from]?.gone) line.from++
  return line.held[line.from]
}

function living<T>(line: Line<T> | undefined): Held<T>[] {
  return line?.held.filter(({ gone }) => !gone) ?? []
}
