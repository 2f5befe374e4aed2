/**
 * Signed notes, opened synchronously: the writer's side of what `verify` awaits.
 *
 * Promise: a note counts only when the key that the epoch chain names for its size has signed it.
 * @module
 */

import { type Checkpoint, type Note, parseCheckpoint, parseNote, parseTransition, SwornError, type VerifierKey } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

/** A checkpoint with the note it came from. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string
}

/** A key and the last size it may sign; `undefined` for the current one. */
export interface Epoch {
  readonly key: VerifierKey
  readonly lastSize?: number
}

/** True when `key` signed the note's text. Attacker-controlled: both arguments. */
export function signedBy(note: Note, key: VerifierKey): boolean {
  const found = note.signatures.find((signature) => signature.name === key.name && signature.id === key.id)
  // Node's check is synchronous; a promise here would compare unequal and refuse
  return found !== undefined && nodePrimitives.verifyEd25519(key.publicKey, Buffer.from(note.text), found.signature) === true
}

/** The key that may sign a checkpoint of `size`: the first epoch that does not end below it. */
export function epochFor(epochs: readonly Epoch[], size: number): Epoch | undefined {
  return epochs.find((epoch) => epoch.lastSize === undefined || size <= epoch.lastSize)
}

/** The checkpoint in a note, or `undefined` when anything about it does not hold. */
export function openCheckpoint(text: string, origin: string, epochs: readonly Epoch[]): SignedCheckpoint | undefined {
  try {
    const note = parseNote(text)
    const checkpoint = parseCheckpoint(note.text)
    const epoch = epochFor(epochs, checkpoint.size)
    return checkpoint.origin === origin && epoch && signedBy(note, epoch.key) ? { ...checkpoint, note: text } : undefined
  } catch (e) {
    if (SwornError.is(e)) return undefined
    throw e
  }
}

/**
 * Adds the epoch that a transition note begins.
 *
 * @throws SwornError NOTE_UNVERIFIED when it does not continue the last epoch or lacks one of its two signatures
 */
export function extendEpochs(epochs: readonly Epoch[], text: string, seq: number): Epoch[] {
  const note = parseNote(text)
  const transition = parseTransition(note.text)
  const last = epochs.at(-1)
  const next = transition.newKey
  if (!last || transition.oldKey.vkey !== last.key.vkey || transition.size !== seq || !signedBy(note, last.key) || !signedBy(note, next)) {
    throw new SwornError('NOTE_UNVERIFIED', 'the key transition is not signed by the old and the new key', `seq=${seq}`)
  }
  return [...epochs.slice(0, -1), { key: last.key, lastSize: seq }, { key: next }]
}
