/**
 * The last of what was met, and how many there were.
 * @module
 */

export const MAX_SHOWN = 20

export interface Newest<T> {
  add(one: T): void
  /** Oldest first. */
  done(): { readonly count: number; readonly newest: readonly T[] }
}

export function createNewest<T>(): Newest<T> {
  let count = 0
  const newest: T[] = []
  return {
    add(one) {
      count++
      newest.push(one)
      if (newest.length > MAX_SHOWN) newest.shift()
    },
    done: () => ({ count, newest }),
  }
}
