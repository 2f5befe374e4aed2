/**
 * What an operator asks of a ledger besides appending, as data: it reaches whichever process records.
 *
 * Each step may be asked for twice: what was done before is found done.
 * @module
 */
import { type Erasure, type ErasureRequest, type ErasureTarget, erase } from '../vault/erase.ts'
import { type PackForm, pack } from './pack.ts'
import { type PrunePolicy, prune } from './prune.ts'
import type { State } from './state.ts'
import { nextTickAt, tick } from './tick.ts'

export type Operation =
  | ({ readonly kind: 'erase' } & ErasureRequest)
  | ({ readonly kind: 'prune'; readonly upTo: number } & PrunePolicy)
  /** One closed segment at most, so that who records waits for one. */
  | { readonly kind: 'pack'; readonly form: PackForm }

/** `targets` are the first that a message can carry, `targetCount` says how many there are. */
export type ErasureDone = Erasure & { readonly targetCount: number }

export interface Done {
  readonly erasure?: ErasureDone
  /** seq of log.prune; absent when only what an earlier pruning left went. */
  readonly prunedAt?: number
  /** Segments: none when nothing is left to pack. */
  readonly packed?: number
}

/** JSON of the targets that are told, in characters. */
const MAX_TARGETS_CHARS = 1024 * 1024

/** @throws SwornError as `Ledger` says of the step */
export function operate(state: State, operation: Operation): Done {
  switch (operation.kind) {
    case 'erase':
      return { erasure: cut(state.attempt((core) => erase(core, operation))) }
    case 'prune': {
      const prunedAt = state.attempt((core) => prune(core, operation.upTo, operation))
      return prunedAt === undefined ? {} : { prunedAt }
    }
    case 'pack':
      while (nextTickAt(state) <= state.core.env.now()) tick(state) // a closed segment gets its sum first
      return { packed: state.attempt((core) => pack(core, operation.form, 1)) }
  }
}

function cut(erasure: Erasure): ErasureDone {
  let chars = 0
  const fits = (target: ErasureTarget): boolean => (chars += JSON.stringify(target).length) <= MAX_TARGETS_CHARS
  const end = erasure.targets.findIndex((target) => !fits(target))
  return { ...erasure, targets: end < 0 ? erasure.targets : erasure.targets.slice(0, end), targetCount: erasure.targets.length }
}
