/**
 * Opening: from what is on the disk to a core that may append.
 *
 * Nothing is appended before the end of the log is verified against the newest size that was signed
 * for it. Three of the five verdicts throw and leave every file as it is. Source: docs/format.md,
 * "Opening and recovery".
 * @module
 */
import { assemble } from './assemble.ts'
import { begin } from './begin.ts'
import type { Core, Env } from './core.ts'
import { openNew } from './create.ts'
import { makeDirectories, rewriteInPlace } from './files.ts'
import { layoutDirectories } from './layout.ts'
import { findUnsaid, MAX_UNSYNCED_TAIL, putTailAside } from './recovery.ts'
import { listSegments } from './segments.ts'
import { settleFile } from './stable-file.ts'
import { releasing } from './start.ts'
import { type Survey, survey } from './survey.ts'

/**
 * Opens the ledger, or makes it when there is none.
 *
 * @param fresh true after a failure in this process: goes on in a new segment
 * @throws SwornError LEDGER_* for a verdict that leaves it read-only; Error of the file system otherwise
 */
export function openCore(env: Env, fresh: boolean): Core {
  settleFile(env)
  const listed = listSegments(env)
  const seen = survey(env, listed)
  if (!seen) return openNew(env, listed)
  makeDirectories(env.ops, layoutDirectories(env.layout))
  const { found, followed, last } = seen
  const { hash } = found.identity
  const isTorn = followed.verdict === 'recover-torn'
  const recovered = isTorn ? putTailAside(env, last.path, followed, hash) : findUnsaid(env, seen.run, { good: followed.good, hash })
  secureEnd(env, seen)
  const core = assemble(env, seen)
  return releasing(core, () => begin(core, { ...seen, recovered, fresh }))
}

/**
 * Whoever wrote before may have died of a failed fsync. What was signed was synced; the rest is written
 * again in place, so that the disk has what the next record is linked to.
 */
function secureEnd(env: Env, { followed, last }: Survey): void {
  rewriteInPlace(env.ops, last.path, Math.max(followed.startOffset, followed.end - MAX_UNSYNCED_TAIL), followed.end)
  const kept = env.ops.stat(env.layout.reserved)
  if (kept) rewriteInPlace(env.ops, env.layout.reserved, 0, kept.size)
}
