/**
 * Looking at a ledger before anything is written: whose it is, what was signed for it, where it ends.
 *
 * Every verdict that leaves a ledger read-only is given here. Source: docs/format.md, "Opening and recovery".
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { SignedCheckpoint } from '../signers/notes.ts'
import { checkAcknowledged } from './acknowledged.ts'
import type { Env } from './core.ts'
import { type Followed, follow } from './follow.ts'
import { type Found, findIdentity, newestSigned } from './identity.ts'
import type { SegmentRef } from './layout.ts'
import { checkPlace, type Place } from './ledgers-index.ts'
import type { Verdict } from './recovery.ts'
import { type Missing, splitAtGaps } from './segments.ts'

export interface Survey {
  readonly found: Found
  readonly place: Place
  readonly followed: Followed
  /** The contiguous segments behind the last gap; not empty. */
  readonly run: readonly SegmentRef[]
  readonly last: SegmentRef
  readonly missing: readonly Missing[]
  /** Notes that did not hold, by place. */
  readonly invalid: readonly string[]
}

const FATAL: Record<Extract<Verdict, `fatal-${string}`>, ['LEDGER_ROLLBACK' | 'LEDGER_FORK' | 'LEDGER_CORRUPT', string]> = {
  'fatal-rollback': ['LEDGER_ROLLBACK', 'fewer records hold than were signed'],
  'fatal-fork': ['LEDGER_FORK', 'the records do not have the root that was signed'],
  'fatal-corrupt': ['LEDGER_CORRUPT', 'the records are damaged beyond what a crash explains'],
}

/** What is there; `undefined` when no record of a ledger is left. @throws SwornError LEDGER_*, ACKNOWLEDGED_LOST */
export function survey(env: Env, listed: readonly SegmentRef[]): Survey | undefined {
  const found = findIdentity(env, listed)
  if (!found) return undefined
  const place = checkPlace(env, env.layout.path, found.identity)
  const { newest, invalid } = newestSigned(env, found)
  const { run, missing } = splitAtGaps(env, listed, found.prunedBelow)
  const last = run.at(-1)
  if (!last) throw new SwornError('LEDGER_ROLLBACK', 'no segment is left', env.layout.segments)
  const followed = look(env, found, newest, run)
  checkAcknowledged(env, found, followed, run)
  return { found, place, followed, run, last, missing, invalid }
}

function look(env: Env, found: Found, newest: SignedCheckpoint, run: readonly SegmentRef[]): Followed {
  const followed = follow(env, found, newest, run)
  const { verdict } = followed
  if (verdict === 'clean' || verdict === 'recover-torn') {
    if (followed.good > 0) return followed
    throw new SwornError('LEDGER_ROLLBACK', 'no record is left', env.layout.path)
  }
  const [code, message] = FATAL[verdict]
  throw new SwornError(code, `${message}: ${followed.good} hold, ${newest.size} were signed`, `seq=${followed.good}`)
}
