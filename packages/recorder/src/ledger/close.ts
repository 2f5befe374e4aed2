/**
 * Ending: log.stop → sync → checkpoint over it → in-band checkpoint → sync.
 *
 * After a clean end nothing but the in-band copy lies beyond the newest checkpoint.
 * @module
 */
import { checkpoint } from './checkpoints.ts'
import { linkReserved, sync, writeDerived, writeHead } from './commit.ts'
import type { Core } from './core.ts'
import { rememberPlace } from './ledgers-index.ts'

/** @throws as every write; what was synced before stays */
export function stop(core: Core): void {
  const { pid, host, version } = core.env
  linkReserved(core, 'log.stop', { pid, host, version })
  sync(core)
  checkpoint(core)
  sync(core)
  writeDerived(core)
  writeHead(core)
  rememberPlace(core.env, { path: core.env.layout.path }, core.identity, core.signed.size)
  core.writer.close()
}
