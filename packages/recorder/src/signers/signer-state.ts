/**
 * The signer's memory: the newest note it ever signed, kept outside the ledger.
 *
 * Promise: `advance` stores a note durably before the caller may show it to anybody, never for a
 * smaller size, and never for the same size with another root. Source: docs/format.md, "Checkpoints and notes".
 * @module
 */
import { parseCheckpoint, parseNote, SwornError, toHex } from '@sworn/verify'
import type { FileOps } from '../ledger/file-ops.ts'
import { readFile, replacing } from '../ledger/files.ts'

export interface Mark {
  readonly size: number
  readonly root: Uint8Array
}

/** @throws SwornError LEDGER_STATE_MISSING when the file is absent */
export function readSigned(ops: FileOps, path: string): string {
  const bytes = readFile(ops, path)
  if (!bytes) throw new SwornError('LEDGER_STATE_MISSING', 'the newest signed size is not known', path)
  return bytes.toString('utf8')
}

/**
 * Stores `note` as the newest one.
 *
 * @throws SwornError LEDGER_ROLLBACK for a smaller size, LEDGER_FORK for another root; then nothing was stored
 */
export function advanceSigned(ops: FileOps, path: string, note: string): void {
  for (const _ of advancing(ops, path, note)); // each step is a wait for the disk
}

/** The same in steps of one wait for the disk each; the note may be shown when the last one is done. */
export function* advancing(ops: FileOps, path: string, note: string): Generator<void> {
  const next = parseCheckpoint(parseNote(note).text)
  const bytes = readFile(ops, path)
  if (bytes) checkAdvance(parseCheckpoint(parseNote(bytes).text), next, path)
  yield* replacing(ops, path, Buffer.from(note))
}

/** @throws SwornError as `advanceSigned` */
export function checkAdvance(last: Mark, next: Mark, at: string): void {
  if (next.size < last.size) throw new SwornError('LEDGER_ROLLBACK', `size ${last.size} was signed, ${next.size} is asked for`, at)
  if (next.size === last.size && toHex(next.root) !== toHex(last.root)) {
    throw new SwornError('LEDGER_FORK', `another root was signed for size ${last.size}`, at)
  }
}
