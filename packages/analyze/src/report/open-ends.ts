/**
 * What began and has not ended, by its id: bounded, and it says when the bound was met.
 *
 * Most ends soon. Those ids are held apart in a set that is soon thrown away whole: a set that is added to and deleted
 * from for long makes a new table every few times, and each old one keeps the next from being collected while it is young.
 * @module
 */

/** Ids that are followed at once. */
export const MAX_OPEN = 100_000
const MAX_ID = 200
/** Beginnings after which those that are still open move over. */
const RECENT = 512

export interface OpenEnds {
  begin(id: unknown): void
  end(id: unknown): void
  /** `unfollowed`: began when too many were open, or without an id that can be followed. */
  done(): { readonly open: number; readonly unfollowed: number }
}

export function createOpenEnds(): OpenEnds {
  const long = new Set<string>()
  let recent = new Set<string>()
  let begun = 0
  let unfollowed = 0
  const follow = (id: string): void => {
    recent.add(id)
    if (++begun % RECENT > 0) return
    for (const open of recent) long.add(open)
    recent = new Set()
  }
  return {
    begin(id) {
      if (typeof id !== 'string' || id.length > MAX_ID) unfollowed++
      else if (long.has(id) || recent.has(id)) return
      else if (long.size + recent.size >= MAX_OPEN) unfollowed++
      else follow(id)
    },
    end(id) {
      if (typeof id === 'string' && !recent.delete(id)) long.delete(id)
    },
    done: () => ({ open: long.size + recent.size, unfollowed }),
  }
}
