/**
 * What is shipped together: as many entries as the sink takes at once, gathered for a moment where fewer are there.
 *
 * Holds one batch and what one read of the ledger gave, and no more: whatever waits, waits in the ledger.
 * @module
 */
import type { Clock } from './clock.ts'
import { type Run, runsOf } from './receipts.ts'
import type { Shape } from './shape.ts'
import { type Item, type Sink, sizeOfItem } from './sink.ts'
import type { Line, Source } from './source.ts'

/** Entries read, and what of them the sink gets. */
export interface Window {
  readonly lines: readonly Line[]
  readonly items: readonly Item[]
  /** What its receipts will say: made ahead, while the sink works on the window before. */
  readonly runs: readonly Run[]
}

export interface GatherOptions {
  readonly source: Source
  readonly shape: Shape
  readonly limits: Sink['limits']
  readonly clock: Clock
  /** How long fewer entries than a batch wait for more. */
  readonly lingerMs: number
  /** Aborted: no more is waited for. */
  readonly signal: AbortSignal
}

/** Entries that the filter leaves out are passed in steps of this many, so that the cursor moves. */
const MAX_LINES = 10_000

/** While fewer than a batch wait for more, the ledger is read this often, however fast it grows. */
const LOOK_MS = 50

/** A function that gives the next window; empty when nothing is there. */
export function createGatherer({ source, shape, limits, clock, lingerMs, signal }: GatherOptions): () => Promise<Window> {
  let held: readonly Line[] = []

  return async () => {
    const lines: Line[] = []
    const items: Item[] = []
    let bytes = 0
    let begun: number | undefined
    while (lines.length < MAX_LINES) {
      if (held.length === 0) held = await source.read('later')
      const taken = await fill()
      held = held.slice(taken.count)
      if (taken.full) break
      if (held.length > 0) continue
      if (lines.length === 0) break
      begun ??= clock.elapsed()
      const left = lingerMs - (clock.elapsed() - begun)
      if (signal.aborted || (left <= 0 && !source.isBehind)) break
      if (!source.isBehind) await clock.wait(Math.min(left, LOOK_MS), signal)
      held = await source.read('later')
    }
    await source.sync() // once a window: it meets the recorder's own
    return { lines, items, runs: runsOf(lines) }

    async function fill(): Promise<{ count: number; full: boolean }> {
      for (const [count, line] of held.entries()) {
        const shaped = shape(line)
        const item = shaped instanceof Promise ? await shaped : shaped // a turn of the queue each would cost more than the shaping
        const size = item === undefined ? 0 : sizeOfItem(item)
        if (items.length >= limits.items || (items.length > 0 && bytes + size > limits.bytes)) return { count, full: true }
        lines.push(line)
        if (item) items.push(item)
        bytes += size
      }
      return { count: held.length, full: false }
    }
  }
}
