/**
 * Checkpoints: what a log's key signs about its size and root.
 *
 *   body = origin LF size LF base64(root) LF *( extension LF )
 *
 * Sizes beyond 2^53-1 are refused, because nothing here can count that far. We write no extension lines
 * and keep foreign ones. Source: C2SP tlog-checkpoint.md.
 * @module
 */
import { parseBase64, toBase64 } from './bytes.ts'
import { SwornError } from './errors.ts'

export interface Checkpoint {
  origin: string
  /** Entries covered: those with `seq < size`. */
  size: number
  /** 32 bytes. */
  root: Uint8Array
  /** Foreign lines, kept and not interpreted. */
  extensions: string[]
}

/**
 * Parses a checkpoint body, the text of a note.
 * @throws SwornError CHECKPOINT_MALFORMED
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.length < 3) throw refuse('three lines were expected')
  const [origin, size, root, ...extensions] = lines as [string, string, string, ...string[]] // at least three, see above
  if (origin === '' || extensions.includes('')) throw refuse('lines that are not empty were expected')
  return { origin, size: parseSize(size), root: parseRoot(root), extensions }
}

/** The body text of a checkpoint, ending in LF, without extension lines. */
export function formatCheckpoint({ origin, size, root }: { origin: string; size: number; root: Uint8Array }): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/**
 * A size in canonical decimal.
 * @throws SwornError CHECKPOINT_MALFORMED for a sign, a leading zero, or more than 2^53-1
 */
export function parseSize(decimal: string): number {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(decimal) ? Number(decimal) : Number.NaN
  if (!Number.isSafeInteger(size)) throw refuse('a decimal size up to 2^53-1 was expected')
  return size
}

/**
 * A root in canonical base64.
 * @throws SwornError CHECKPOINT_MALFORMED unless it holds 32 bytes
 */
export function parseRoot(base64: string): Uint8Array {
  const root = /^[A-Za-z0-9+/]{43}=$/.test(base64) ? parseBase64OrEmpty(base64) : new Uint8Array(0)
  if (root.length !== 32) throw refuse('a root of 32 bytes in canonical base64 was expected')
  return root
}

function parseBase64OrEmpty(base64: string): Uint8Array {
  try {
    return parseBase64(base64)
  } catch {
    return new Uint8Array(0) // the caller refuses it by its length
  }
}

function refuse(message: string): SwornError {
  return new SwornError('CHECKPOINT_MALFORMED', message)
}
