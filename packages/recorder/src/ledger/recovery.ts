/**
 * What an opener may conclude from a damaged end, and how a torn tail is put aside.
 *
 * `decide` is pure and knows five verdicts; three of them leave the ledger read-only. A torn tail is
 * copied and synced before anything is cut. Source: docs/format.md, "Opening and recovery".
 * @module
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { HashName } from '@sworn/verify'
import type { Env } from './core.ts'
import { readSlice, replaceFile, truncateFile } from './files.ts'
import { ownHashHolds, tryLine } from './scan.ts'

/** One batch (≤ 4 MiB and a line) is ever written and unsynced; this leaves room. */
export const MAX_UNSYNCED_TAIL = 8 << 20

export type Verdict = 'clean' | 'recover-torn' | 'fatal-rollback' | 'fatal-fork' | 'fatal-corrupt'

export interface Evidence {
  /** Records that hold, and the byte behind the last of them in the last segment. */
  readonly good: number
  readonly end: number
  /** Bytes of the last segment. */
  readonly eof: number
  readonly signedSize: number
  /** Whether the root at `signedSize` is the signed one; not asked when `good` is smaller. */
  readonly rootHolds: boolean
  /** False when an earlier segment ends badly: nothing but the last may be torn. */
  readonly earlierHold: boolean
}

/** The decision table, in the order of the specification. */
export function decide(evidence: Evidence): Verdict {
  if (evidence.good < evidence.signedSize) return 'fatal-rollback'
  if (!evidence.rootHolds) return 'fatal-fork'
  if (!evidence.earlierHold) return 'fatal-corrupt'
  if (evidence.eof === evidence.end) return 'clean'
  return evidence.eof - evidence.end <= MAX_UNSYNCED_TAIL ? 'recover-torn' : 'fatal-corrupt'
}

/** Members of log.recovered. */
export interface Recovered {
  readonly severity: 'critical' | 'error'
  readonly good_records: number
  readonly discarded_bytes: number
  readonly discarded_lines: number
  readonly discarded_valid_lines: number
  readonly discarded_sha256: string
  /** File name in quarantine/. */
  readonly quarantine: string
}

/** Copies [end, eof) to quarantine, syncs it, then cuts the segment. Crash before the cut: the next opening does it again. */
export function putTailAside(env: Env, path: string, evidence: Pick<Evidence, 'good' | 'end' | 'eof'>, hash: HashName): Recovered {
  const tail = readSlice(env.ops, path, evidence.end, evidence.eof)
  const time = new Date(env.now()).toISOString().replaceAll(':', '-')
  const quarantine = `${time}-${evidence.good}.bin`
  replaceFile(env.ops, join(env.layout.quarantine, quarantine), tail, { durable: true })
  truncateFile(env.ops, path, evidence.end)
  return { ...describeTail(tail, evidence.good, hash), quarantine }
}

/** What was in the tail: lines, and lines whose own hash holds although they do not continue the chain. */
export function describeTail(tail: Buffer, good: number, hash: HashName): Omit<Recovered, 'quarantine'> {
  const lines = tail.toString('latin1').split('\n').slice(0, -1)
  const valid = lines.filter((text) => {
    const line = tryLine(Buffer.from(text, 'latin1'))
    return line !== undefined && ownHashHolds(line, hash)
  }).length
  return {
    severity: valid > 0 ? 'critical' : 'error',
    good_records: good,
    discarded_bytes: tail.length,
    discarded_lines: lines.length,
    discarded_valid_lines: valid,
    discarded_sha256: createHash('sha256').update(tail).digest('hex'),
  }
}
