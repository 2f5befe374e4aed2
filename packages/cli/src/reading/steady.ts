/**
 * Memory that does not grow with the ledger that is read.
 * @module
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import type { Worker } from 'node:worker_threads'

/** Larger ones gain nothing: a report and an export of 10^5 entries, and a query, take the same processor time at 8 MB within a few percent; 2 MB slow an export. */
const YOUNG_BYTES = 4 * 2 ** 20
const MAX_ROUNDS = 100
const HELD = 16_000

/**
 * Brings the young generation of this thread to 4 MB and keeps it there; what outlives it is collected at half again as much.
 *
 * V8 doubles it, up to 64 MB and more, whenever what survived since the last doubling exceeds it, so that a long read gets
 * there however little it holds, and to load a command is enough for 16 MB: call it before that. Its size can only be
 * grown by use. Only a running V8 takes the factor 1, and the start of a thread takes it back, so it is given again behind each.
 */
export function keepYoungSmall(): void {
  let survivors: object[] = []
  for (let round = 0; round < MAX_ROUNDS && youngBytes() < YOUNG_BYTES; round++)
    survivors = Array.from({ length: HELD }, (_, n) => ({ n, before: survivors.length }))
  setFlagsFromString('--heap-growing-percent=50')
  stopGrowth()
  process.off('worker', stopBehindStart).on('worker', stopBehindStart) // once, however often this is called
}

function stopGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

function stopBehindStart(worker: Worker): void {
  worker.once('online', stopGrowth)
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? YOUNG_BYTES
}
