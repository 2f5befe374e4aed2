/**
 * The door with its directories prepared: what the appender's thread opens, or a process without one.
 * @module
 */
import type { ThreadHooks } from '../port/thread-host.ts'
import { type LedgerPlace, prepareLedgerDirectory, prepareSocketDirectories } from './directories.ts'
import { type Door, openDoor } from './door.ts'
import { createPermits } from './permit.ts'
import { checkLocal, findPlaces, nodePlatform, type Platform } from './platform.ts'
import type { Setup } from './setup.ts'
import type { ThreadOptions } from './thread-options.ts'

export interface LedgerDriver {
  readonly place: LedgerPlace
  readonly open: Setup['openLedger']
  /** True in a thread that does more than append. */
  readonly syncsAside?: boolean
}

/** Prepares the directories and opens the door. @throws SwornError as `openDoor`, LEDGER_NOT_FOUND, LEDGER_DETACHED */
export function openThreadDoor(
  options: ThreadOptions,
  hooks: ThreadHooks,
  driver: LedgerDriver,
  platform: Platform = nodePlatform(),
): Promise<Door> {
  prepareLedgerDirectory(driver.place, options.ledger.requireExisting ?? false)
  const places = findPlaces(driver.place.root, platform)
  if (!options.sharedFileSystem) checkLocal(places, platform)
  prepareSocketDirectories(places, platform)
  const { producerId, swornVersion, syncDelayMs, patience, ephemeral } = options
  return openDoor({
    places,
    platform,
    openLedger: driver.open,
    permits: createPermits(options.ledger.home),
    producerId,
    swornVersion,
    syncDelayMs,
    patience,
    syncsAside: driver.syncsAside ?? false,
    ...(ephemeral && { spawnRecorder: hooks.spawnRecorder }),
  })
}
