/**
 * Entries as rows of COPY's text format, and the checkpoints among them.
 *
 * The line goes in as the bytes that the ledger has: no text is made of it. Source: PostgreSQL, COPY, text format.
 * @module
 */
import { bytesOf, type Item } from '../sink.ts'
import { copiesOf, timeIn } from './postgres-schema.ts'

export interface CopyRows {
  readonly bytes: Buffer
  readonly checkpoints: readonly (readonly [size: number, note: string])[]
}

const LF = 10
/** Backslash, tab, LF and CR, as bytes and in a text. */
const SPECIAL = [92, 9, LF, 13]
const SPECIAL_IN = /[\\\t\n\r]/

export function copyRows(items: readonly Item[], origin: string): CopyRows {
  const first = field(origin)
  const checkpoints: (readonly [size: number, note: string])[] = []
  const rows = items.map((item) => {
    const { event } = item // once: of an entry that goes as it stands it is parsed here
    const checkpoint = checkpointIn(event)
    if (checkpoint) checkpoints.push(checkpoint)
    const place = `${first}\t${item.seq}\t${timeIn(item)}\t${item.entryHash}\t`
    return { head: copiesOf({ event }).reduce<string>((head, copy) => `${head}${field(copy)}\t`, place), line: escapeLine(bytesOf(item)) }
  })
  return { bytes: joinRows(rows), checkpoints }
}

interface Row {
  /** All columns but the last, each with a tab behind it. */
  readonly head: string
  readonly line: Buffer
}

function joinRows(rows: readonly Row[]): Buffer {
  const bytes = Buffer.allocUnsafe(rows.reduce((sum, { head, line }) => sum + Buffer.byteLength(head) + line.length + 1, 0))
  let at = 0
  for (const { head, line } of rows) {
    at += bytes.write(head, at)
    at += line.copy(bytes, at)
    bytes[at++] = LF
  }
  return bytes
}

/** Size and note, where it is a checkpoint. */
function checkpointIn({ event_type: type, checkpoint }: Item['event']): readonly [size: number, note: string] | undefined {
  if (type !== 'log.checkpoint' || typeof checkpoint !== 'string') return undefined
  const size = Number(checkpoint.split('\n', 2)[1])
  return Number.isSafeInteger(size) ? [size, checkpoint] : undefined
}

/** Without NUL: JSON escapes it, and COPY could not carry it. */
function field(text: string | undefined): string {
  if (text === undefined) return '\\N'
  return SPECIAL_IN.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
    : text
}

/** As `field`, byte by byte: what it replaces is ASCII, and stands for itself in UTF-8. */
function escapeLine(line: Buffer): Buffer {
  return SPECIAL.some((byte) => line.includes(byte)) ? Buffer.from(field(line.toString('latin1')), 'latin1') : line
}
