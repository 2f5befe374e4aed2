/**
 * What was promised before must still be there.
 *
 * Looked at before anything is changed: a ledger that lost an acknowledged record is read-only until an
 * operator decides. Source: docs/format.md, "Commit protocol".
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Env } from './core.ts'
import { readFile } from './files.ts'
import type { Followed } from './follow.ts'
import type { Found } from './identity.ts'
import { keyLayout, type SegmentRef } from './layout.ts'
import { entryHashAt } from './replay.ts'

/** Compares with the newest synced record that the signer's state names, and with what the caller was promised. @throws SwornError ACKNOWLEDGED_LOST */
export function checkAcknowledged(env: Env, found: Found, followed: Followed, run: readonly SegmentRef[]): void {
  const { logId } = found.identity
  const text = readFile(env.ops, keyLayout(env.home, logId).head)?.toString('latin1') ?? ''
  const head = /^([1-9]\d{0,15}) ([0-9a-f]{64})\n$/.exec(text) // written without sync: what is no head says nothing
  const promised = env.acknowledged
  if (promised && promised.logId !== logId) throw lost('this is another ledger than the one that acknowledged', promised.seq)
  const entries = [...(head ? [{ seq: Number(head[1]) - 1, entryHash: head[2] }] : []), ...(promised ? [promised] : [])]
  for (const { seq, entryHash } of entries) {
    if (seq < (run[0]?.firstSeq ?? 0)) continue // pruned since
    const held = seq < followed.good ? entryHashAt(env, run, seq) : undefined
    if (held !== entryHash) throw lost('a record that was on disk is gone', seq)
  }
}

/** For a place without any record. @throws SwornError ACKNOWLEDGED_LOST */
export function checkNothingPromised(env: Env): void {
  if (env.acknowledged) throw lost('the ledger that acknowledged is gone', env.acknowledged.seq)
}

function lost(message: string, seq: number): SwornError {
  return new SwornError('ACKNOWLEDGED_LOST', message, `seq=${seq}`)
}
