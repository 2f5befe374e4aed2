/**
 * Where a mirror is kept. A store keeps lines and what is known of them; what they mean it does not know.
 *
 * Promises, in the order in which they matter:
 *  1. When `append` resolves, lines and state survive power loss; when it rejects, nothing of it counts.
 *  2. `append` follows on what was read last: of two that append to one state one wins.
 *  3. `lines` gives what is kept now, as bytes, whether or not it still holds.
 * @module
 */
import type { Range } from '../holdings.ts'
import type { MirrorState } from './state.ts'

/** Lines that were checked, and what they make of the state. */
export interface Batch {
  /** Without LF; the first is the one behind the state that was read. */
  readonly lines: readonly Buffer[]
  readonly leaves: readonly Uint8Array[]
  /** Places in `lines` at which the producer began a segment. */
  readonly cuts: readonly number[]
  readonly state: MirrorState
}

export interface HeldLine {
  readonly seq: number
  /** Without LF. */
  readonly bytes: Buffer
}

export interface MirrorStore {
  /** True: another process may append too, so that what was read holds for this request only. */
  readonly isShared: boolean
  /** Undefined when there is no mirror yet. @throws SwornError IO_FAILED */
  read(): Promise<MirrorState | undefined>
  /** @throws SwornError IO_FAILED; SERVER_BUSY when another was first */
  append(batch: Batch): Promise<void>
  /** Leaf hashes `[from, to)`. @throws SwornError IO_FAILED when they are not there */
  leaves(from: number, to: number): Promise<readonly Uint8Array[]>
  /** The newest note, with our cosignature. @throws SwornError IO_FAILED */
  writeCheckpoint(note: string, size: number): Promise<void>
  /** In order. @throws SwornError IO_FAILED */
  lines(range: Range): AsyncIterable<HeldLine>
}
