/**
 * A new key epoch, crash-safe.
 *
 * pending key → drain → (S, root) signed by the old key → the transition note, stored → its record
 * alone at seq S → pending becomes current → checkpoint by the new key → the old key is destroyed.
 * Opening with a pending key goes on where it stopped. Deleting does not reach backups or SSD
 * remainders. Source: docs/format.md, "Key epochs".
 * @module
 */
import { formatTransition, SwornError } from '@sworn/verify'
import { extendEpochs } from '../signers/notes.ts'
import { createKeyFile, loadKeyFile, type Signer, signNote } from '../signers/signer.ts'
import { checkpoint, signSize } from './checkpoints.ts'
import { linkReserved, sync } from './commit.ts'
import type { Core } from './core.ts'
import { readFile, replaceFile } from './files.ts'

/** Ends the current epoch at the present size. @throws as every write; the next opening goes on */
export function rotateKey(core: Core): void {
  const { ops } = core.env
  const next = createKeyFile(ops, core.keys.pending, core.identity.origin, core.env.random(32))
  signSize(core)
  const { size, root } = core.signed
  const text = formatTransition({ origin: core.identity.origin, size, root, oldVkey: core.signer.key.vkey, newVkey: next.key.vkey })
  const note = signNote(text, [core.signer, next])
  replaceFile(ops, core.keys.transition, Buffer.from(note), { durable: true })
  appendTransition(core, note, next)
  adoptPending(core)
  checkpoint(core)
  destroyOldKey(core)
}

/** Appends the note alone in its batch, so that its seq is the size it names; that record belongs to the new epoch. */
function appendTransition(core: Core, note: string, next: Signer): void {
  core.signer = next
  const { seq } = linkReserved(core, 'log.key_transition', { note })
  core.epochs = extendEpochs(core.epochs, note, seq)
  sync(core)
}

/** The pending key becomes the current one. */
function adoptPending(core: Core): void {
  const { ops } = core.env
  const path = core.keys.epoch(core.epochs.length - 1)
  if (ops.stat(core.keys.pending)) {
    ops.rename(core.keys.pending, path)
    ops.syncDirectory(core.keys.directory)
  }
  core.signer = loadKeyFile(ops, path, core.identity.origin)
}

/** Overwrites and removes the key before the current one and the stored note. */
function destroyOldKey(core: Core): void {
  const { ops } = core.env
  const old = core.keys.epoch(core.epochs.length - 2)
  if (ops.stat(old)) {
    replaceFile(ops, old, new Uint8Array(128), { durable: true })
    ops.unlink(old)
  }
  if (ops.stat(core.keys.transition)) ops.unlink(core.keys.transition)
  ops.syncDirectory(core.keys.directory)
}

/**
 * Finishes a rotation that a crash interrupted. Called before anything is appended.
 *
 * @returns true while the key of the former epoch still exists
 * @throws SwornError LEDGER_FORK when the record at the size of the stored note is another one
 */
export function settlePending(core: Core): boolean {
  const { ops } = core.env
  const note = readFile(ops, core.keys.transition)?.toString('utf8')
  if (note !== undefined && ops.stat(core.keys.pending)) resume(core, note)
  else if (ops.stat(core.keys.pending)) ops.unlink(core.keys.pending) // no note names it
  const old = core.epochs.length - 2
  return old >= 0 && ops.stat(core.keys.epoch(old)) !== undefined
}

function resume(core: Core, note: string): void {
  const pending = loadKeyFile(core.env.ops, core.keys.pending, core.identity.origin)
  const isRecorded = core.epochs.at(-1)?.key.vkey === pending.key.vkey
  const size = Number(note.split('\n')[2])
  if (!isRecorded && size !== core.size)
    throw new SwornError('LEDGER_FORK', 'another record stands where the key transition belongs', `seq=${size}`)
  if (!isRecorded) appendTransition(core, note, pending)
  adoptPending(core)
}
