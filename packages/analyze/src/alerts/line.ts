/**
 * What waits in a line: it joins at the end and leaves from anywhere, at a constant price and without a table.
 *
 * A Map whose keys leave and join again makes a new table every few times, and each old table keeps the next one from
 * being collected while it is young: over a million entries that was more memory than everything else.
 * @module
 */

/** The place of one thing in one line. */
export interface Link<T> {
  readonly of: T
  before: Link<T> | undefined
  after: Link<T> | undefined
}

export interface Line<T> {
  readonly first: T | undefined
  /** At the end, wherever it was before. */
  join(link: Link<T>): void
  /** Nothing, when it is not in the line. */
  leave(link: Link<T>): void
  /** From the first on; the line is not to change meanwhile. */
  all(): Generator<T>
}

export function createLink<T>(of: T): Link<T> {
  return { of, before: undefined, after: undefined }
}

export function createLine<T>(): Line<T> {
  let first: Link<T> | undefined
  let last: Link<T> | undefined
  function leave(link: Link<T>): void {
    if (link.before) link.before.after = link.after
    else if (first === link) first = link.after
    if (link.after) link.after.before = link.before
    else if (last === link) last = link.before
    link.before = undefined
    link.after = undefined
  }
  return {
    get first() {
      return first?.of
    },
    join(link) {
      if (last === link) return
      leave(link)
      link.before = last
      if (last) last.after = link
      else first = link
      last = link
    },
    leave,
    *all() {
      for (let link = first; link; link = link.after) yield link.of
    },
  }
}
