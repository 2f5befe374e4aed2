/**
 * A part of a log checked for itself: form, chain and tree of its lines, wherever in the log they stand.
 *
 * What only the log as a whole can tell (records, signatures, findings) is carried along for the verification
 * that the part is joined to. A part in which anything is wrong is no part: its bytes are read again there, so that
 * findings come from one place. Plain data throughout: it can be sent from another thread.
 * @module
 */
import { concat, parseHex, toHex, utf8 } from './bytes.ts'
import { type Chain, createChain, type Link } from './chain.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { createEdge } from './frontier.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { createSuffix, findSuffix, previousHashOf } from './line.ts'
import { parseNote } from './note.ts'
import type { HashName, Primitives } from './primitives.ts'
import { createWindow, type Hashes, type Kept, type Tail, type Window } from './roots.ts'
import { isReservedAt } from './scan.ts'
import { type Cursor, createSplitter } from './splitter.ts'

const CLOSE = utf8('}')
const MAX_ITEM_BYTES = 16 * 1024 * 1024

/** A line that the joining verification has to look into. */
export interface PartItem {
  readonly line: Uint8Array
  /** It may be a reserved record. */
  readonly reserved: boolean
  /** The edge, from the part's first entry on, at the size that the record names. */
  readonly edge?: { readonly size: number; readonly hashes: Hashes }
}

export interface Part {
  /** seq of the first entry, what it names as the hash before it, and its line. */
  readonly first: number
  readonly previous: Uint8Array
  readonly firstLine: Uint8Array
  /** Last seq + 1, and the last entry hash. */
  readonly size: number
  readonly head: Uint8Array
  readonly hash: HashName
  readonly hashes: Hashes
  /** Edges at the sizes that were asked for. */
  readonly kept: readonly (readonly [number, Hashes])[]
  readonly items: readonly PartItem[]
  readonly tail: Tail
}

export interface PartOptions {
  primitives: Primitives
  /** `LogCheck.sizes` of the verification that the part will be joined to. */
  sizes: readonly number[]
  /** Working memory that one caller hands in for part after part; empty at first. */
  blocks?: Uint8Array[]
}

/**
 * Checks the lines of `source`, which begins at the start of a line.
 * @returns undefined when they hold no line, or anything but whole lines that follow on each other
 * @throws whatever `source` throws
 */
export async function checkPart(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { primitives, sizes, blocks }: PartOptions,
): Promise<Part | undefined> {
  const splitter = createSplitter()
  let scan: Scan | undefined
  for await (const chunk of source) {
    splitter.feed(chunk)
    while (splitter.next()) {
      scan ??= begin(primitives, splitter.cursor, sizes, blocks)
      if (!scan || !takeLine(scan, splitter.cursor)) return undefined
    }
  }
  return scan && !splitter.hasTail() ? describe(scan) : undefined
}

interface Scan {
  readonly chain: Chain
  readonly window: Window
  readonly kept: Kept
  readonly first: number
  readonly previous: Uint8Array
  readonly firstLine: Uint8Array
  readonly items: PartItem[]
  itemBytes: number
  /** Nothing may follow: log.close, or a rule for every line that only the whole log can apply. */
  ended: boolean
  hashes: () => Hashes
}

function begin(p: Primitives, { bytes, start, end }: Cursor, sizes: readonly number[], blocks?: Uint8Array[]): Scan | undefined {
  const suffix = createSuffix()
  if (findSuffix(bytes, start, end, suffix) !== undefined) return undefined
  const previous = previousHashOf(bytes, suffix)
  const edge = createEdge(p, suffix.seq)
  const kept: Kept = new Map(sizes.map((size) => [size, undefined]))
  return {
    chain: createChain(p, { seq: suffix.seq, previousHash: toHex(previous) }),
    window: createWindow(p, edge, kept, blocks),
    kept,
    first: suffix.seq,
    previous,
    firstLine: concat(bytes.subarray(start, end)),
    items: [],
    itemBytes: 0,
    ended: false,
    hashes: edge.hashes,
  }
}

/** False when the part cannot be one. */
function takeLine(scan: Scan, cursor: Cursor): boolean {
  if (scan.ended || cursor.tooLong) return false
  const link = scan.chain.check(cursor.bytes, cursor.start, cursor.end)
  if (link.problem || link.stub) return false
  scan.window.push(link.leaf)
  const reserved = isReservedAt(cursor.bytes, cursor.start, link.suffix.bodyEnd)
  return (!reserved && link.suffix.seq > 0 && link.suffix.signatureAt < 0) || takeItem(scan, cursor, link, reserved)
}

function takeItem(scan: Scan, { bytes, start, end }: Cursor, { suffix }: Link, reserved: boolean): boolean {
  const payload = reserved ? parseRecord(bytes.subarray(start, suffix.bodyEnd)) : undefined
  const size = payload && sizeOf(payload, suffix.seq)
  const hashes = size === undefined ? undefined : scan.window.hashesAt(size)
  scan.items.push({ line: concat(bytes.subarray(start, end)), reserved, ...(hashes && { edge: { size: size!, hashes } }) })
  scan.itemBytes += end - start
  scan.ended = payload?.event_type === 'log.close' || payload?.record_signatures === 'all'
  return scan.itemBytes <= MAX_ITEM_BYTES
}

function parseRecord(body: Uint8Array): JsonObject | undefined {
  try {
    return parseStrict(concat(body, CLOSE)) as JsonObject // the first byte is {
  } catch {
    return undefined // judged where the part is joined
  }
}

/** The size whose root the record says something about. */
function sizeOf(payload: JsonObject, seq: number): number | undefined {
  if (payload.event_type !== 'log.checkpoint' || typeof payload.checkpoint !== 'string') return seq
  try {
    return parseCheckpoint(parseNote(payload.checkpoint).text).size
  } catch {
    return undefined
  }
}

function describe(scan: Scan): Part {
  const { chain, window, kept, first, previous, firstLine, items } = scan
  return {
    first,
    previous,
    firstLine,
    size: chain.next(),
    head: parseHex(chain.head()),
    hash: chain.hash(),
    hashes: scan.hashes(),
    kept: [...kept].flatMap(([size, hashes]) => (hashes ? [[size, hashes] as const] : [])),
    items,
    tail: window.tail(),
  }
}
