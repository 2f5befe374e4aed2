/**
 * What may be asked of an open ledger besides appending.
 * @module
 */
import { type ErasureRequest, erase } from '../vault/erase.ts'
import { settleSync } from './append.ts'
import { stop } from './close.ts'
import { sync, syncAside, writeDerived } from './commit.ts'
import type { Core } from './core.ts'
import { rotateKey } from './key-rotation.ts'
import { type Operation, operate } from './operate.ts'
import { type PackForm, pack } from './pack.ts'
import { type PrunePolicy, prune } from './prune.ts'
import { entryHashAt } from './replay.ts'
import { followRename, movedAway } from './rotation.ts'
import { listSegments } from './segments.ts'
import type { State } from './state.ts'
import { nextTickAt, tick } from './tick.ts'

/** The part of a Ledger that is one step each; promises and errors are told there. */
export function createOperations(state: State) {
  return {
    sync: () => state.attempt((core) => sync(core)),
    syncAside: (done: () => void) => beginSync(state, done),
    tick: () => tick(state),
    nextTickAt: () => nextTickAt(state),
    reopen: () => state.attempt((core) => (movedAway(core) ? followRename(core) : sync(core))),
    rotateKey: () => state.attempt(rotateKey),
    pack: (form: PackForm) => state.attempt((core) => pack(core, form)),
    erase: (request: ErasureRequest) => state.attempt((core) => erase(core, request)),
    prune: (upTo: number, policy: PrunePolicy) => state.attempt((core) => prune(core, upTo, policy)),
    operate: (operation: Operation) => operate(state, operation),
    holds: (seq: number, entryHash: string) => state.attempt((core) => seq < core.size && holds(core, seq, entryHash)),
    close: () => close(state),
    abandon: () => state.end(),
  }
}

/** `done` runs when what was written by now is on disk, or when that failed: the ledger is poisoned then. */
function beginSync(state: State, done: () => void): boolean {
  return state.attempt((core) =>
    syncAside(core, (settle) => {
      settleSync(state, core, settle) // poisoned: the next append says so
      done()
    }),
  )
}

function holds(core: Core, seq: number, entryHash: string): boolean {
  sync(core)
  writeDerived(core)
  return entryHashAt(core.env, listSegments(core.env), seq) === entryHash
}

function close(state: State): void {
  if (state.refusal()?.code === 'LEDGER_CLOSED') return
  try {
    state.attempt(stop)
  } finally {
    state.end()
  }
}
