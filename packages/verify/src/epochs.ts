/**
 * Key epochs: which key may sign which size.
 *
 *   transition text = LABEL key-transition LF origin LF S LF base64(root at S) LF old-vkey LF new-vkey LF
 *
 * Signed by the old (or the identity) and the new key. A checkpoint of size n belongs to the epoch with
 * S_e < n <= S_(e+1), so a thief of a later key cannot sign earlier sizes. The second line is no
 * number: a transition never parses as a checkpoint. Format: docs/format.md.
 * @module
 */
import { toBase64 } from './bytes.ts'
import { parseRoot, parseSize } from './checkpoint.ts'
import { SwornError } from './errors.ts'
import { parseVkey, type VerifierKey } from './keys.ts'
import { LABEL } from './line.ts'

const HEAD = `${LABEL} key-transition`

export interface Transition {
  origin: string
  /** The size that both keys sign, and the seq of the record that holds the note. */
  size: number
  /** 32 bytes: the root at `size`. */
  root: Uint8Array
  oldKey: VerifierKey
  newKey: VerifierKey
}

/** The note text of a key transition, ending in LF. */
export function formatTransition(t: { origin: string; size: number; root: Uint8Array; oldVkey: string; newVkey: string }): string {
  return `${HEAD}\n${t.origin}\n${t.size}\n${toBase64(t.root)}\n${t.oldVkey}\n${t.newVkey}\n`
}

/**
 * Parses the text of a transition note; signatures are the caller's to check.
 * @throws SwornError NOTE_MALFORMED for another form; CHECKPOINT_MALFORMED or KEY_INVALID for its parts
 */
export function parseTransition(text: string): Transition {
  const lines = text.split('\n')
  const [head, origin, size, root, oldVkey, newVkey, end] = lines as [string, string, string, string, string, string, string]
  if (lines.length !== 7 || head !== HEAD || origin === '' || end !== '') {
    throw new SwornError('NOTE_MALFORMED', 'a key transition of six lines was expected')
  }
  return { origin, size: parseSize(size), root: parseRoot(root), oldKey: parseVkey(oldVkey), newKey: parseVkey(newVkey) }
}

export interface Epoch {
  /** Numbered by order of appearance, from 0. */
  index: number
  key: VerifierKey
  /** Signs sizes greater than this; -1 for the first. */
  after: number
}

export interface EpochChain {
  readonly epochs: readonly Epoch[]
  /** The epoch that signs `size`; undefined when it lies before the first one. */
  at(size: number): Epoch | undefined
  last(): Epoch
  /** Begins the next epoch: `key` signs sizes beyond `after`, which does not lie below the last epoch's. */
  add(key: VerifierKey, after: number): Epoch
}

/** An epoch chain of one epoch, whose key signs sizes beyond `after`. */
export function createEpochs(key: VerifierKey, after = -1): EpochChain {
  const epochs: Epoch[] = [{ index: 0, key, after }]
  return {
    epochs,
    at: (size) => epochs.findLast((epoch) => epoch.after < size),
    last: () => epochs.at(-1)!,
    add(next, from) {
      const epoch = { index: epochs.length, key: next, after: from }
      epochs.push(epoch)
      return epoch
    },
  }
}
