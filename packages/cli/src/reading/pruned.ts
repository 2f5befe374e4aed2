/**
 * What stands for the entries of a pruned ledger: the leaves in `tree/L0`, the kept lines in reserved.jsonl.
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readEnd, readRange } from '@sworn/analyze/reading'
import type { LogCheck } from '@sworn/verify'

const HASH_BYTES = 32
/** Kept records are few; a larger file was not written by a recorder. */
const MAX_RESERVED_BYTES = 64 << 20

/** The lines of reserved.jsonl, without LF; an incomplete last one is left out. */
export function readReserved(directory: string): Uint8Array[] {
  const bytes = readEnd(join(directory, 'reserved.jsonl'), MAX_RESERVED_BYTES + 1)
  if (!bytes || bytes.length > MAX_RESERVED_BYTES) return []
  const lines: Uint8Array[] = []
  for (let at = 0, lf = bytes.indexOf(10); lf >= 0; at = lf + 1, lf = bytes.indexOf(10, at)) lines.push(bytes.subarray(at, lf))
  return lines
}

/** Feeds the leaves of the entries before `seq`, or says that they are gone. */
export function feedPruned(check: LogCheck, directory: string | undefined, seq: number): void {
  if (!directory || seq === 0) return
  const leaves = join(directory, 'tree', 'L0')
  const bytes = seq * HASH_BYTES
  if ((statSync(leaves, { throwIfNoEntry: false })?.size ?? 0) < bytes) {
    check.add('segment_missing', 'tree/L0', `the leaves of the entries before seq ${seq} were expected`)
    return
  }
  for (const chunk of readRange(leaves, 0, bytes)) check.feedLeaves(chunk)
}
