/**
 * Memory that does not grow with the ledger that is read.
 * @module
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Smaller ones promote what is short-lived, larger ones gain nothing: a report of 10^6 entries takes the same time at 16 and 64 MB. */
const YOUNG_BYTES = 16 * 2 ** 20
const MAX_ROUNDS = 100
const HELD = 16_000

/**
 * Brings the young generation of this thread to 16 MB and keeps it there; what outlives it is collected at half again as much.
 *
 * V8 doubles it, up to 64 MB and more, whenever what survived since the last doubling exceeds it, so that a long read gets
 * there however little it holds. Its size can only be grown by use, and only a running V8 takes the factor 1; the start of
 * a thread takes it back, so call it behind that.
 */
export function keepYoungSmall(): void {
  let survivors: object[] = []
  for (let round = 0; round < MAX_ROUNDS && youngBytes() < YOUNG_BYTES; round++)
    survivors = Array.from({ length: HELD }, (_, n) => ({ n, before: survivors.length }))
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? YOUNG_BYTES
}
