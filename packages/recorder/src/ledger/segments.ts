/**
 * Which segments a ledger has, and where one is missing.
 *
 * @module
 */
import type { Env } from './core.ts'
import { namedSegments, type SegmentRef } from './layout.ts'
import { countRecords } from './offsets.ts'
import { firstLine, tryLine } from './scan.ts'

/** A run of records whose segment is gone: [first, last]. */
export interface Missing {
  readonly first: number
  readonly last: number
}

/** All segments, oldest first; in file mode the active file is the last one, whatever it holds. */
export function listSegments(env: Env): SegmentRef[] {
  const named = namedSegments(env.ops, env.layout)
  const { activeFile } = env.layout
  if (activeFile === undefined || env.ops.stat(activeFile) === undefined) return named
  return [...named, { firstSeq: activeFirstSeq(env, activeFile, named), path: activeFile }]
}

function activeFirstSeq(env: Env, path: string, named: readonly SegmentRef[]): number {
  const bytes = firstLine(env.ops, path)
  const line = bytes && tryLine(bytes)
  return line ? line.seq : expectedSeq(env, named)
}

/** The seq that follows the last named segment. */
export function expectedSeq(env: Env, named: readonly SegmentRef[]): number {
  const last = named.at(-1)
  return last ? last.firstSeq + countRecords(env.ops, env.layout.index, last) : 0
}

/** The segments behind the last gap, and all gaps from `from` on (below it records were pruned). */
export function splitAtGaps(env: Env, segments: readonly SegmentRef[], from: number): { run: SegmentRef[]; missing: Missing[] } {
  const missing: Missing[] = []
  let run: SegmentRef[] = []
  let expected = from
  for (const [i, ref] of segments.entries()) {
    if (ref.firstSeq > expected) {
      const first = Math.max(from, expected) // a crash may leave some of what was pruned
      if (first < ref.firstSeq) missing.push({ first, last: ref.firstSeq - 1 })
      run = []
    }
    run.push(ref)
    if (i < segments.length - 1) expected = ref.firstSeq + countRecords(env.ops, env.layout.index, ref)
  }
  return { run, missing }
}
