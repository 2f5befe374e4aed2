/**
 * The first opening of a ledger: keys, the size-0 note, log.open.
 *
 * Order: keys and signer state are on disk outside the ledger before log.open is written; the path is
 * remembered after it is synced. A crash before that leaves an unused key and nothing else.
 * @module
 */
import { checkNothingPromised } from './acknowledged.ts'
import { assembleNew } from './assemble-new.ts'
import { publish } from './checkpoints.ts'
import { linkReserved, sync, writeHead } from './commit.ts'
import type { Core, Env } from './core.ts'
import { makeDirectories } from './files.ts'
import { layoutDirectories, type SegmentRef } from './layout.ts'
import { checkNew, rememberPlace } from './ledgers-index.ts'
import { createIdentity, openingMembers } from './new-identity.ts'
import { clearLeftover, type Recovered } from './recovery.ts'
import { linkStart, releasing } from './start.ts'

/**
 * Makes the ledger. `leftover`: a first segment whose log.open never reached the disk.
 *
 * @throws SwornError LEDGER_ROLLBACK when this path held a ledger before, LEDGER_NOT_FOUND when none may
 *   be made, LEDGER_CORRUPT when the leftover is more than a crash explains
 */
export function openNew(env: Env, leftover: readonly SegmentRef[]): Core {
  checkNothingPromised(env)
  checkNew(env, env.layout.path)
  makeDirectories(env.ops, layoutDirectories(env.layout))
  const recovered = clearLeftover(env, leftover)
  const core = assembleNew(env, createIdentity(env))
  return releasing(core, () => beginNew(core, recovered))
}

function beginNew(core: Core, recovered: Recovered | undefined): void {
  const { env } = core
  linkReserved(core, 'log.open', openingMembers(core))
  if (recovered) linkReserved(core, 'log.recovered', { ...recovered })
  linkStart(core, { previous_stop: 'clean', unsigned_from: 0, found: 0 })
  sync(core)
  writeHead(core)
  rememberPlace(env, { path: env.layout.path }, core.identity, 0)
  publish(core)
}
