/**
 * One ledger over its openings: the present core, and what happens when it fails.
 *
 * Promise: after an error of writing or syncing the core is dropped whole, its descriptor never used
 * again, and the next caller first opens the ledger from the disk, in a new segment. A fatal verdict
 * is final. Source: docs/format.md, "Commit protocol", POISON.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Core, Env } from './core.ts'
import { errorCode } from './file-ops.ts'
import { openCore } from './open.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

const REOPEN_EVERY_MS = 250

/** The present core, and what happens when it fails. */
export interface State {
  readonly core: Core
  readonly upkeep: Upkeep
  readonly poisoned: boolean
  unsynced(): number
  /** Why nothing can be appended now, after trying to open again; `undefined` when all is well. */
  refusal(): SwornError | undefined
  /** Runs a step that writes. A failure of the file system poisons and becomes APPEND_UNKNOWN. */
  attempt<T>(step: (core: Core) => T): T
  /** Lets the descriptor go; everything is refused from here on. */
  end(): void
}

/** Opens the ledger. @throws SwornError as `openLedger` */
export function createState(env: Env): State {
  let core = openOrThrow(env, false)
  let upkeep = createUpkeep(core)
  let poisoned = false
  let retryAt = 0
  let notOpenedFor: unknown
  let final: SwornError | undefined

  function poison(): void {
    poisoned = true
    retryAt = 0
    letGo()
  }

  function letGo(): void {
    try {
      core.writer.close()
    } catch {
      // the descriptor is spent either way
    }
  }

  function openAgain(): SwornError | undefined {
    const leftMs = retryAt - env.now()
    if (leftMs > 0 && leftMs <= REOPEN_EVERY_MS) return notOpened(notOpenedFor)
    try {
      core = openOrThrow(env, true)
      upkeep = createUpkeep(core)
      poisoned = false
      return undefined
    } catch (e) {
      retryAt = env.now() + REOPEN_EVERY_MS
      notOpenedFor = e
      if (SwornError.is(e) && e.code !== 'IO_FAILED') final = e
      return final ?? notOpened(e)
    }
  }

  function notOpened(cause: unknown): SwornError {
    return new SwornError('APPEND_REFUSED', `the ledger could not be opened again: ${describe(cause)}`, env.layout.path, { cause })
  }

  function refusal(): SwornError | undefined {
    return final ?? (poisoned ? openAgain() : undefined)
  }

  return {
    get core() {
      return core
    },
    get upkeep() {
      return upkeep
    },
    get poisoned() {
      return poisoned
    },
    unsynced: () => (poisoned || final ? 0 : core.batch.bytes + core.writer.end - core.writer.durableEnd),
    refusal,
    attempt(step) {
      const refused = refusal()
      if (refused) throw refused
      try {
        return step(core)
      } catch (e) {
        if (SwornError.is(e, 'APPEND_REFUSED')) throw e
        poison()
        if (SwornError.is(e, 'LEDGER_CORRUPT')) throw (final = e)
        throw new SwornError('APPEND_UNKNOWN', `the ledger was poisoned: ${describe(e)}`, env.layout.path, { cause: e })
      }
    },
    end() {
      letGo()
      final = new SwornError('LEDGER_CLOSED', 'the ledger was closed', env.layout.path)
    },
  }
}

function openOrThrow(env: Env, fresh: boolean): Core {
  try {
    return openCore(env, fresh)
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('IO_FAILED', `the ledger could not be opened: ${describe(e)}`, env.layout.path, { cause: e })
  }
}

/** Our own message, or the code of the file system; never anything else. */
function describe(e: unknown): string {
  return SwornError.is(e) ? e.message : errorCode(e) || 'an unexpected error'
}
