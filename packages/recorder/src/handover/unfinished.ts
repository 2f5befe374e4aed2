/**
 * What all clients together may have begun and not finished sending.
 *
 * Each connection may hold a frame of 4 MiB; 256 of them would be 1 GiB in the process that records. Beyond one
 * bound the connection whose frame has been unfinished longest is closed: an honest client connects and sends again.
 * @module
 */

export interface Unfinished {
  /** `owner` now holds this many bytes; 0: its frames are whole, or it is gone. */
  hold(owner: Closable, bytes: number): void
}

export interface Closable {
  destroy(): unknown
}

export const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024

export function createUnfinished(maxBytes = MAX_UNFINISHED_BYTES): Unfinished {
  const held = new Map<Closable, number>() // oldest first: a frame that grows keeps its place
  let sum = 0

  function release(owner: Closable): void {
    sum -= held.get(owner) ?? 0
    held.delete(owner)
  }

  return {
    hold(owner, bytes) {
      if (bytes === 0) return release(owner)
      sum += bytes - (held.get(owner) ?? 0)
      held.set(owner, bytes)
      while (sum > maxBytes) {
        const [oldest] = held.keys()
        if (oldest === undefined) return
        release(oldest)
        oldest.destroy()
      }
    },
  }
}
