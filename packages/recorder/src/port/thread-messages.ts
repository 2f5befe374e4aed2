/**
 * What the caller's thread and the appender's thread say to each other.
 *
 * Both ends are ours, so nothing is validated; errors cross as plain data because structured clone
 * drops their code. Order of messages is order of events.
 * @module
 */
import type { PackedAnswers } from './packed-acks.ts'
import type { PlainError } from './plain-error.ts'
import type { LedgerInfo, Reservation, Reserve } from './types.ts'

export type ToAppender =
  /** Batches in the ring, in order: call, offset and end of each. */
  | { readonly kind: 'regions'; readonly regions: readonly number[] }
  /** A batch that must cross although the ring is full. */
  | { readonly kind: 'submit'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'reserve'; readonly id: number; readonly step: Reserve }
  | { readonly kind: 'flush' | 'reopen' | 'close'; readonly id: number }
  /** Like flush and close, answered through the shared control words: the caller's thread is blocked. */
  | { readonly kind: 'blocking'; readonly close: boolean; readonly ticket: number }

export type FromAppender =
  | { readonly kind: 'ready'; readonly info: LedgerInfo }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'answers'; readonly answers: readonly ThreadAnswer[] }
  /** The appender asks its process to start a `sworn recorder`. */
  | { readonly kind: 'spawn' }

export interface ThreadAnswer {
  readonly id: number
  readonly answers?: PackedAnswers
  readonly reservation?: Reservation
  readonly error?: PlainError
}

/** Words of the shared memory: the last blocking ticket that was done, how it went, and how far the ring is read. */
export const CONTROL = { ticket: 0, outcome: 1, tail: 2, words: 3 } as const
export const OUTCOME = { onDisk: 1, failed: 2 } as const

export interface ThreadData<Options> {
  readonly control: Int32Array
  readonly options: Options
}
