/**
 * Whole lines of a segment as rows for the index; on whichever thread.
 *
 * What occurs often (kinds, people, sessions) is numbered within the batch, so that a batch crosses threads as few
 * texts and flat arrays. A line that is no entry is passed over, and its place kept. An entry whose seq does not go on
 * ends the work: a seq is the key here, so such a ledger is read line by line and not from an index.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type Columns, columnsOf, type Texts } from '../columns.ts'
import { type Entry, parseEntry, suffixStart } from '../reading/entry.ts'
import { createTextSigner, findOtherSpellings } from './text-signature.ts'

/** Entries a text signature covers: those whose seq is in the same run of this many. */
export const BLOCK_ENTRIES = 256

/** Lines of one segment, at least one, each with its LF. */
export interface Lines {
  readonly bytes: Uint8Array
  /** Offset of the first byte in the uncompressed segment, and behind the last: a line too long to be read is its LF here. */
  readonly offset: number
  readonly end: number
}

/** Lines that are no entries, one behind the other. */
export interface UnreadableRun {
  readonly offset: number
  /** Lines of the batch before them. */
  readonly before: number
  readonly lines: number
}

/** Columns by row; a time or duration that is absent is NaN. */
export interface Rows {
  readonly seq: Float64Array<ArrayBuffer>
  readonly offset: Float64Array<ArrayBuffer>
  /** Without LF. */
  readonly bytes: Uint32Array<ArrayBuffer>
  readonly time: Float64Array<ArrayBuffer>
  readonly durationMs: Float64Array<ArrayBuffer>
  /** Places in `kinds`, `people` and `sessions`. */
  readonly kind: Uint32Array<ArrayBuffer>
  readonly who: Uint32Array<ArrayBuffer>
  readonly session: Uint32Array<ArrayBuffer>
  readonly correlationId: Column
  readonly parentId: Column
}

/** A text a row, one behind the other and off the heap: a batch waits longer than its garbage is young. */
export interface Column {
  /** UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** In UTF-16 units; ABSENT for a row without one. */
  readonly lengths: Uint32Array<ArrayBuffer>
}

const ABSENT = 0xffffffff

export interface Batch {
  readonly rows: Rows
  readonly kinds: readonly Texts[]
  readonly people: readonly Texts[]
  readonly sessions: readonly Texts[]
  readonly signatures: readonly { readonly block: number; readonly signature: Uint8Array<ArrayBuffer> }[]
  readonly unreadable: readonly UnreadableRun[]
  /** Of all lines. */
  readonly lines: number
  /** Undefined when none of the lines is an entry. */
  readonly last: LastEntry | undefined
}

export interface LastEntry {
  /** Behind its line. */
  readonly end: number
  /** Behind its seq. */
  readonly nextSeq: number
  /** `entry_hash`; empty when it has none. */
  readonly head: string
}

/** A batch and the lines it was made of, or why there is none. */
export type BatchAnswer = { readonly batch: Batch; readonly bytes: Uint8Array } | { readonly fault: string; readonly at: string }

/** As `createBatch`; what it throws as an answer. */
export function answerBatch(lines: Lines): BatchAnswer {
  try {
    return { batch: createBatch(lines), bytes: lines.bytes }
  } catch (e) {
    if (!SwornError.is(e, 'LINE_MALFORMED')) throw e
    return { fault: 'an entry that goes on was expected', at: e.at }
  }
}

/**
 * @throws SwornError LINE_MALFORMED at `offset=N` for an entry that goes back
 */
export function createBatch({ bytes, offset }: Lines): Batch {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = countLines(lines)
  const rows = createRows(count)
  const [kinds, people, sessions] = [createNumbers(), createNumbers(), createNumbers()]
  const blocks = createBlocks(lines)
  const unreadable = createRuns()
  let row = 0
  let last: Entry | undefined
  let lastEnd = 0
  for (let start = 0, end = lines.indexOf(10); end >= 0; start = end + 1, end = lines.indexOf(10, start)) {
    const line = lines.subarray(start, end)
    const entry = parseEntry({ bytes: line })
    if (!entry) {
      unreadable.add(offset + start, row)
      continue
    }
    if (last && entry.seq <= last.seq)
      throw new SwornError('LINE_MALFORMED', 'an entry that goes on was expected', `offset=${offset + start}`)
    const columns = columnsOf(entry)
    put(rows, row++, { seq: entry.seq, offset: offset + start, bytes: end - start }, columns)
    rows.kind[row - 1] = kinds.number(columns.kind)
    rows.who[row - 1] = people.number(columns.who)
    rows.session[row - 1] = sessions.number([columns.sessionId])
    blocks.add(entry.seq, start, end)
    last = entry
    lastEnd = offset + end + 1
  }
  return {
    rows: packRows(rows, row),
    kinds: kinds.all,
    people: people.all,
    sessions: sessions.all,
    signatures: blocks.end(),
    unreadable: unreadable.all,
    lines: count,
    last: last && { end: lastEnd, nextSeq: last.seq + 1, head: typeof last.entry_hash === 'string' ? last.entry_hash : '' },
  }
}

/** @returns runs as they come, each line with how many entries stand before it */
function createRuns(): { readonly all: readonly UnreadableRun[]; add(offset: number, entries: number): void } {
  const all: { offset: number; before: number; lines: number }[] = []
  let lines = 0
  return {
    all,
    add(offset, entries) {
      const run = all.at(-1)
      if (run && run.before + run.lines === entries + lines) run.lines++
      else all.push({ offset, before: entries + lines, lines: 1 })
      lines++
    },
  }
}

function countLines(lines: Buffer): number {
  let count = 0
  for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, at + 1)) count++
  return count
}

/** Rows that are filled in; the texts of a column are packed at the end. */
interface Filled extends Omit<Rows, 'correlationId' | 'parentId'> {
  readonly correlationId: (string | undefined)[]
  readonly parentId: (string | undefined)[]
}

function createRows(count: number): Filled {
  return {
    seq: new Float64Array(count),
    offset: new Float64Array(count),
    bytes: new Uint32Array(count),
    time: new Float64Array(count),
    durationMs: new Float64Array(count),
    kind: new Uint32Array(count),
    who: new Uint32Array(count),
    session: new Uint32Array(count),
    correlationId: [],
    parentId: [],
  }
}

/** The first `count` of them. */
function packRows(rows: Filled, count: number): Rows {
  const [seq, offset, time, durationMs] = [rows.seq, rows.offset, rows.time, rows.durationMs].map((column) => column.subarray(0, count))
  const [bytes, kind, who, session] = [rows.bytes, rows.kind, rows.who, rows.session].map((column) => column.subarray(0, count))
  const [correlationId, parentId] = [packTexts(rows.correlationId), packTexts(rows.parentId)]
  return { seq, offset, bytes, time, durationMs, kind, who, session, correlationId, parentId } as Rows // four of each
}

/** @param texts well formed, but for those that are absent */
function packTexts(texts: readonly (string | undefined)[]): Column {
  return { bytes: Uint8Array.from(Buffer.from(texts.join(''))), lengths: Uint32Array.from(texts, (text) => text?.length ?? ABSENT) }
}

/** The texts of a column, null where there is none. */
export function unpackTexts({ bytes, lengths }: Column): (string | null)[] {
  const all = Buffer.from(bytes.buffer).toString('utf8')
  let at = 0
  return Array.from(lengths, (length) => (length === ABSENT ? null : all.slice(at, (at += length))))
}

function put(rows: Filled, row: number, place: { seq: number; offset: number; bytes: number }, columns: Columns): void {
  rows.seq[row] = place.seq
  rows.offset[row] = place.offset
  rows.bytes[row] = place.bytes
  rows.time[row] = columns.time ?? Number.NaN
  rows.durationMs[row] = columns.durationMs ?? Number.NaN
  rows.correlationId.push(columns.correlationId)
  rows.parentId.push(columns.parentId)
}

/** Numbers combinations of texts, all of one length, in the order in which they come. */
function createNumbers(): { readonly all: Texts[]; number(texts: Texts): number } {
  const all: Texts[] = []
  const root: Numbers = new Map()
  return {
    all,
    number(texts) {
      let at = root
      for (let i = 0; i < texts.length - 1; i++) at = descend(at, texts[i])
      const last = texts[texts.length - 1]
      const known = at.get(last)
      if (typeof known === 'number') return known
      at.set(last, all.length)
      return all.push(texts) - 1
    },
  }
}

/** By the first text, then by the next; by the last one the number. */
type Numbers = Map<string | undefined, Numbers | number>

function descend(at: Numbers, text: string | undefined): Numbers {
  const known = at.get(text)
  if (known instanceof Map) return known
  const made: Numbers = new Map()
  at.set(text, made)
  return made
}

/** One text for each combination, and another one for every other. */
export function keyOf(texts: Texts): string {
  let key = ''
  for (const text of texts) key += text === undefined ? '-' : `${text.length}:${text}`
  return key
}

function createBlocks(lines: Buffer): { add(seq: number, from: number, to: number): void; end(): Batch['signatures'] } {
  const signer = createTextSigner()
  const others = findOtherSpellings(lines)
  let other = 0
  const done: { block: number; signature: Uint8Array<ArrayBuffer> }[] = []
  let block: number | undefined
  const close = (): void => {
    if (block !== undefined) done.push({ block, signature: signer.take() })
  }
  return {
    add(seq, from, to) {
      const own = Math.floor(seq / BLOCK_ENTRIES)
      if (own !== block) close()
      block = own
      signer.add(lines, from, suffixStart(lines, from, to)) // text search does not look at what the ledger added
      if (others[other]! < to) signer.admitAll() // false at the end, where there is none
      while (others[other]! < to) other++
    },
    end() {
      close()
      return done
    },
  }
}
