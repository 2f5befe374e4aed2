/**
 * What an opener may conclude from a damaged end, and how a torn tail is put aside.
 *
 * `decide` is pure and knows five verdicts; three of them leave the ledger read-only. A torn tail is
 * copied and synced before anything is cut. Source: docs/format.md, "Opening and recovery".
 * @module
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type HashName, SwornError } from '@sworn/verify'
import type { Env } from './core.ts'
import { readFile, readSlice, replaceFile, truncateFile } from './files.ts'
import type { SegmentRef } from './layout.ts'
import { recordAt } from './replay.ts'
import { parseReserved } from './reserved.ts'
import { ownHashHolds, tryLine } from './scan.ts'

const QUARANTINED = /^\d{4}-\d\d-\d\dT[\d.-]+Z-(\d{1,16})\.bin$/
/** log.recovered stands among the first records that an opening leaves. */
const SAID_WITHIN = 8

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

/**
 * Copies [end, eof) to quarantine, syncs it, then cuts the segment. Crash before the cut: the next opening does
 * it again; after the cut: the next opening finds the copy that no record names, see `findUnsaid`.
 */
export function putTailAside(env: Env, path: string, evidence: Pick<Evidence, 'good' | 'end' | 'eof'>, hash: HashName): Recovered {
  const tail = readSlice(env.ops, path, evidence.end, evidence.eof)
  const time = new Date(env.now()).toISOString().replaceAll(':', '-')
  const quarantine = `${time}-${evidence.good}.bin`
  replaceFile(env.ops, join(env.layout.quarantine, quarantine), tail, { durable: true })
  truncateFile(env.ops, path, evidence.end)
  return { ...describeTail(tail, evidence.good, hash), quarantine }
}

/** The newest copy in quarantine, when the power went before log.recovered was on disk. */
export function findUnsaid(env: Env, run: readonly SegmentRef[], { good, hash }: { good: number; hash: HashName }): Recovered | undefined {
  const names = env.ops.readdir(env.layout.quarantine).filter((name) => QUARANTINED.test(name))
  const newest = names.toSorted().at(-1)
  const from = Number(QUARANTINED.exec(newest ?? '')?.[1] ?? good)
  if (newest === undefined || from > good || from < (run[0]?.firstSeq ?? 0)) return undefined
  for (let seq = from; seq < Math.min(good, from + SAID_WITHIN); seq++) {
    const line = recordAt(env, run, seq)
    if (line && parseReserved(line)?.quarantine === newest) return undefined
  }
  const tail = readFile(env.ops, join(env.layout.quarantine, newest)) ?? Buffer.alloc(0)
  return { ...describeTail(tail, from, hash), quarantine: newest }
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

/**
 * Puts aside what a crash left of a first segment whose log.open never reached the disk.
 * @throws SwornError LEDGER_CORRUPT when it is more than a crash explains
 */
export function clearLeftover(env: Env, leftover: readonly SegmentRef[]): Recovered | undefined {
  const [first, second] = leftover
  const eof = first ? (env.ops.stat(first.path)?.size ?? 0) : 0
  if (second || (first && first.firstSeq !== 0) || eof > MAX_UNSYNCED_TAIL) {
    throw new SwornError('LEDGER_CORRUPT', 'segments without log.open', env.layout.segments)
  }
  return first && eof > 0 ? putTailAside(env, first.path, { good: 0, end: 0, eof }, env.creation.hash) : undefined
}
