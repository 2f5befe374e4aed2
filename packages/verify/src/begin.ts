/**
 * How a verification begins at its first line: at seq 0, at a log.segment, where the caller says, or behind entries that
 * are gone.
 * @module
 */
import type { Pruned } from './pruned.ts'
import { checkRecord } from './records.ts'
import { createRun, type Preparation, type Run, type VerifyOptions } from './run.ts'
import { findStart } from './segment.ts'

/** @throws SwornError PROOF_INVALID when `options.start` carries no frontier of its size */
export async function beginRun(options: VerifyOptions, prepared: Preparation, pruned: Pruned | undefined, line: Uint8Array): Promise<Run> {
  if (!pruned) return createRun(options, prepared, options.start ?? findStart(options.primitives, line))
  const { start, hash } = pruned.start(line)
  const run = createRun({ ...options, ...(hash && { hash }) }, prepared, start, pruned.roots)
  for (const { seq, type, payload } of pruned.records(prepared.findings)) await checkRecord(run, type, payload, seq)
  return run
}
