/**
 * How far one sink has come: which entry is next, and what the entry before it was.
 *
 * The hash ties a cursor to one history: a ledger that was put back or rewritten is noticed before anything of it is
 * shipped. Written after everything it stands for is safe (docs/guides/sinks.md): a crash in between ships again, never
 * leaves out.
 * @module
 */
import { GENESIS, isJsonObject, type JsonValue, parseStrict, SwornError } from '@sworn/verify'
import { readFile, replaceFileAside } from './files.ts'

export interface Cursor {
  /** The ledger's, so that another one under the same path is noticed. */
  readonly origin: string
  /** seq of the first entry that was not delivered. */
  readonly next: number
  /** seq at which this sink began; absent: 0. */
  readonly first?: number | undefined
  /** entry_hash of the entry before; 64 zeros at 0 and where that entry was not read. */
  readonly entryHash: string
  /** The ledger's newest checkpoint when this was written: size and root, base64. */
  readonly checkpoint?: { readonly size: number; readonly root: string } | undefined
  /** Entries that were gone before they were delivered. */
  readonly lost: number
  /** `closed`: the segment that is written is not for this sink yet. */
  readonly segments?: 'closed' | undefined
  /** The sink's own note to itself. */
  readonly mark?: JsonValue | undefined
}

export function startCursor(origin: string, next = 0): Cursor {
  return { origin, next, first: next, entryHash: GENESIS, lost: 0 }
}

/** @throws SwornError IO_FAILED */
export function writeCursor(path: string, { entryHash, ...cursor }: Cursor): Promise<void> {
  return replaceFileAside(path, `${JSON.stringify({ format: 'sworn-cursor/v1', ...cursor, entry_hash: entryHash })}\n`)
}

/** Undefined when there is none yet. @throws SwornError SINK_DIVERGED when the file is damaged; IO_FAILED */
export function readCursor(path: string): Cursor | undefined {
  const text = readFile(path)
  if (text === undefined) return undefined
  const cursor = parseCursor(text)
  if (!cursor) throw new SwornError('SINK_DIVERGED', 'a cursor was expected', path)
  return cursor
}

function parseCursor(text: string): Cursor | undefined {
  try {
    const value = parseStrict(text.trimEnd())
    if (!isJsonObject(value) || value.format !== 'sworn-cursor/v1') return undefined
    const { origin, next, first, entry_hash: entryHash, lost, mark, checkpoint, segments } = value
    if (typeof origin !== 'string' || !isCount(next) || !isCount(lost) || (first !== undefined && !isCount(first))) return undefined
    if (typeof entryHash !== 'string' || !/^[0-9a-f]{64}$/.test(entryHash)) return undefined
    return { origin, next, first, entryHash, lost, mark, checkpoint: parseSeen(checkpoint), ...(segments === 'closed' && { segments }) }
  } catch {
    return undefined
  }
}

function parseSeen(value: JsonValue | undefined): Cursor['checkpoint'] {
  if (!isJsonObject(value)) return undefined
  const { size, root } = value
  return isCount(size) && typeof root === 'string' ? { size, root } : undefined
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
