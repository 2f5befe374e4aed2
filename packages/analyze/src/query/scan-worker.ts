/**
 * The thread that looks through ranges of a file which the asking one holds open.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { groupTexts, type Tally, tally } from './groups.ts'
import { createMatcher } from './matcher.ts'
import { readPieces } from './pieces.ts'
import type { RangeAnswer, RangeTask } from './scan-threads.ts'

let last = Promise.resolve()
parentPort?.on('message', (task: RangeTask) => {
  last = last.then(() => answer(task)) // one after the other: they are answered in the order in which they were asked
})

async function answer(task: RangeTask): Promise<void> {
  const found = await lookThrough(task)
  parentPort?.postMessage(found, [found.seqs.buffer, found.lengths.buffer, found.bytes.buffer])
}

async function lookThrough({ fd, range, filter, groups }: RangeTask): Promise<RangeAnswer> {
  const match = createMatcher(filter)
  const counts = new Map<string, Tally>()
  const unreadable: number[] = []
  const kept: Buffer[] = []
  const seqs: number[] = []
  let lines = 0
  for await (const piece of readPieces(fd, range)) {
    const matches = match(piece)
    for (const { start, end, entry } of matches.found) {
      if (groups) {
        tally(counts, groupTexts(entry, groups))
        continue
      }
      seqs.push(entry.seq)
      kept.push(Buffer.from(piece.bytes.subarray(start, end)))
    }
    for (const line of matches.unreadable) unreadable.push(lines + line)
    lines += matches.lines
  }
  return {
    lines,
    unreadable,
    counts: [...counts.values()],
    seqs: Float64Array.from(seqs),
    lengths: Uint32Array.from(kept, ({ length }) => length),
    bytes: joined(kept),
  }
}

/** In a buffer of its own: it goes to another thread. */
function joined(parts: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
