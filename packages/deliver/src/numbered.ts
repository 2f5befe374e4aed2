/**
 * The segments of a ledger by the seq of their first entry, and what a line says of itself without being parsed.
 * @module
 */
import { type LedgerFiles, listSegments, readLines } from '@sworn/recorder/segments'
import { createSuffix, findSuffix, isStub, SwornError } from '@sworn/verify'

/**
 * Where an entry stands and its hash, 64 lowercase hex characters, as the line states them.
 * @param bytes without LF
 * @throws SwornError LINE_MALFORMED
 */
export function parseEntryLine(bytes: Buffer, path: string): { readonly seq: number; readonly entryHash: string } {
  const suffix = createSuffix()
  const problem = findSuffix(bytes, 0, bytes.length, suffix) ?? (isStub(0, suffix) ? 'a payload was expected' : undefined)
  if (problem !== undefined)
    throw new SwornError('LINE_MALFORMED', `an entry was expected; nothing behind it is delivered: ${problem}`, path)
  return { seq: suffix.seq, entryHash: bytes.toString('latin1', suffix.entryAt, suffix.entryAt + 64) }
}

/** How our writer begins a line. */
const HEAD = /^\{"timestamp":"[^"\\]{1,40}","event_type":"([\w.]{1,64})"/
const HEAD_BYTES = 160

/** The `event_type` of a line without parsing it; undefined where it does not begin as our writer begins lines. */
export function typeIn(bytes: Buffer): string | undefined {
  return HEAD.exec(bytes.toString('latin1', 0, HEAD_BYTES))?.[1]
}

/** A segment whose first position is known. */
export interface Numbered {
  readonly path: string
  readonly firstSeq: number
}

/** The segments that have a whole line, oldest first. */
export async function listNumbered(files: LedgerFiles): Promise<Numbered[]> {
  const found: Numbered[] = []
  for (const { path, firstSeq } of listSegments(files)) {
    const first = firstSeq ?? (await firstSeqOf(path))
    if (first !== undefined) found.push({ path, firstSeq: first })
  }
  return found
}

async function firstSeqOf(path: string): Promise<number | undefined> {
  for await (const { bytes, complete } of readLines(path)) return complete ? parseEntryLine(bytes, path).seq : undefined
  return undefined
}
