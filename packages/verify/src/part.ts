/**
 * A part of a log checked for itself: form, chain and tree of its lines, wherever in the log they stand.
 *
 * What only the log as a whole can tell (records, findings) is carried along for the verification that the part is
 * joined to. A part in which anything is wrong is no part: its bytes are read again there, so that
 * findings come from one place. Plain data throughout: it can be sent from another thread.
 * @module
 */
import { concat, parseHex, toHex } from './bytes.ts'
import { type Carried, type Carrier, type CarryOptions, createCarrier } from './carry.ts'
import { type Chain, createChain } from './chain.ts'
import { createEdge } from './frontier.ts'
import { createSuffix, findSuffix, previousHashOf } from './line.ts'
import type { HashName, Primitives } from './primitives.ts'
import { createWindow, type Hashes, type Kept, type Tail, type Window } from './roots.ts'
import { type Cursor, createSplitter } from './splitter.ts'

export interface Part extends Carried {
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
  readonly tail: Tail
}

export interface PartOptions extends CarryOptions {
  primitives: Primitives
  /** `LogCheck.sizes` of the verification that the part will be joined to. */
  sizes: readonly number[]
  /** Working memory that one caller hands in for part after part; empty at first. */
  blocks?: Uint8Array[]
}

/**
 * Checks the lines of `source`, which begins at the start of a line.
 * @returns undefined when they hold no line, anything but whole lines that follow on each other, or what only the bytes can tell
 * @throws SwornError KEY_INVALID for a signer's vkey; whatever `source` throws
 */
export async function checkPart(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: PartOptions): Promise<Part | undefined> {
  const splitter = createSplitter()
  const { cursor } = splitter
  let scan: Scan | undefined
  for await (const chunk of source) {
    splitter.feed(chunk)
    while (splitter.next()) {
      scan ??= begin(cursor, options)
      const taken = scan !== undefined && takeLine(scan, cursor)
      if (!(taken === true || (await taken))) return undefined
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
  readonly carrier: Carrier
  readonly hashes: () => Hashes
}

function begin({ bytes, start, end }: Cursor, { primitives: p, sizes, blocks, ...options }: PartOptions): Scan | undefined {
  const suffix = createSuffix()
  if (findSuffix(bytes, start, end, suffix) !== undefined) return undefined
  const previous = previousHashOf(bytes, suffix)
  const edge = createEdge(p, suffix.seq)
  const kept: Kept = new Map(sizes.map((size) => [size, undefined]))
  const window = createWindow(p, edge, kept, blocks)
  return {
    chain: createChain(p, { seq: suffix.seq, previousHash: toHex(previous) }),
    window,
    kept,
    first: suffix.seq,
    previous,
    firstLine: concat(bytes.subarray(start, end)),
    carrier: createCarrier(p, window, options),
    hashes: edge.hashes,
  }
}

/** False when the part cannot be one. */
function takeLine({ chain, window, carrier }: Scan, cursor: Cursor): boolean | Promise<boolean> {
  if (cursor.tooLong) return false
  const link = chain.check(cursor.bytes, cursor.start, cursor.end)
  if (link.problem || link.stub) return false
  window.push(link.leaf)
  return carrier.take(cursor, link)
}

function describe({ chain, window, carrier, kept, first, previous, firstLine, hashes }: Scan): Part | undefined {
  const carried = carrier.carried()
  return (
    carried && {
      first,
      previous,
      firstLine,
      size: chain.next(),
      head: parseHex(chain.head()),
      hash: chain.hash(),
      hashes: hashes(),
      kept: [...kept].flatMap(([size, edge]) => (edge ? [[size, edge] as const] : [])),
      ...carried,
      tail: window.tail(),
    }
  )
}
