/**
 * The chain, one line at a time: position, link to the entry before, hash of the exact bytes.
 *
 * The hot loop of verification: it slices and hashes, and allocates little. After a broken line it goes on
 * from what that line states, so one change is one finding and later changes are found too.
 * @module
 */
import { concat, equalBytes, parseHex, toHex } from './bytes.ts'
import { createSuffix, entryHashOf, findForm, GENESIS, HEX_EXPECTED, isHex64, isStub, previousHashOf, type Suffix } from './line.ts'
import { type HashName, hashInto, type Primitives } from './primitives.ts'

const LEAF = Uint8Array.of(0)

export type LinkProblem = 'suffix_malformed' | 'seq_gap' | 'previous_hash_mismatch' | 'entry_hash_mismatch'

/** What was seen of one line; the object is reused for every line. */
export interface Link {
  readonly suffix: Suffix
  /** The position the line should have. */
  expected: number
  problem: LinkProblem | undefined
  message: string
  /** entry_hash is the hash of the line's bytes. Nothing in the payload counts otherwise. */
  hashHolds: boolean
  /** A withheld record: hashes without payload. */
  stub: boolean
  /** False: the suffix is malformed, and `leaf` says nothing. */
  formed: boolean
  /** What the leaf is the hash of: 0x00 and the stated entry hash, 33 bytes. Reused for every line. */
  readonly leaf: Uint8Array
  /** As `leaf`, of the one malformed line before: its entry hash as this line states it. */
  mended: Uint8Array | undefined
}

export interface Chain {
  hash(): HashName
  /** seq of the next line. */
  next(): number
  /** entry_hash of the last line, 64 hex characters. */
  head(): string
  /** Checks the line `bytes[start, end)`; the result is valid until the next call. */
  check(bytes: Uint8Array, start: number, end: number): Link
  /** Counts a line that could not be read at all. */
  skip(): void
  /** True when entries from `seq` on, the first naming `previous`, with hashes of `hash`, follow without a gap. */
  isNext(seq: number, previous: Uint8Array, hash: HashName): boolean
  /** Goes on behind entries that were checked elsewhere, the last one of which has the entry hash `head`. */
  advance(next: number, head: Uint8Array, hash: HashName): void
}

export interface ChainStart {
  seq: number
  previousHash: string
  /** Found out from the first line when not given. */
  hash?: HashName
}

export function createChain(p: Primitives, start: ChainStart = { seq: 0, previousHash: GENESIS }): Chain {
  const link = createLink()
  const { suffix, leaf } = link
  const head = parseHex(start.previousHash)
  let hash = start.hash
  let next = start.seq
  let malformed = 0 // lines before this one whose entry hash is not known
  const skip = (): void => {
    next += 1
    malformed += 1
  }
  const fail = (message: string): Link => {
    skip()
    return broken(link, message)
  }
  /** True when entry_hash is the hash of the line, which `leaf` then holds; on the first line of a log of unknown hash, of any we know. */
  const isHashOf = (bytes: Uint8Array, from: number): boolean => {
    const preimage = bytes.subarray(from, suffix.preimageEnd)
    if (hash) hashInto(p, hash, preimage, leaf, 1)
    else hash = findHash(p, preimage, bytes, link)
    return isHexOf(leaf, 1, bytes, suffix.entryAt)
  }
  const checkLink = (bytes: Uint8Array, follows: boolean): LinkProblem | undefined => {
    link.mended = malformed === 1 && suffix.seq === next ? concat(LEAF, previousHashOf(bytes, suffix)) : undefined
    if (suffix.seq !== next) return 'seq_gap'
    return malformed === 0 && !follows ? 'previous_hash_mismatch' : undefined
  }
  return {
    hash: () => hash ?? 'sha256',
    next: () => next,
    head: () => toHex(head),
    skip,
    isNext: (seq, previous, name) => malformed === 0 && seq === next && name === (hash ?? name) && equalBytes(previous, head),
    advance(seq, last, name) {
      next = seq
      hash = name
      head.set(last)
    },
    check(bytes, from, end) {
      link.expected = next
      const message = findForm(bytes, from, end, suffix)
      if (message !== undefined) return fail(message)
      link.stub = isStub(from, suffix)
      link.hashHolds = !link.stub && isHashOf(bytes, from)
      const follows = isHexOf(head, 0, bytes, suffix.previousAt)
      if (!link.hashHolds || !follows) {
        if (!isHex64(bytes, suffix.previousAt) || !isHex64(bytes, suffix.entryAt)) return fail(HEX_EXPECTED)
        leaf.set(entryHashOf(bytes, suffix), 1)
      }
      link.formed = true
      link.problem = checkLink(bytes, follows) ?? (link.hashHolds || link.stub ? undefined : 'entry_hash_mismatch')
      link.message = link.problem ? MESSAGES[link.problem] : ''
      for (let i = 0; i < 32; i++) head[i] = leaf[i + 1]!
      next = suffix.seq + 1
      malformed = 0
      return link
    },
  }
}

/** Leaves the digest in `link.leaf`, of the hash that fits or of the last one tried. */
function findHash(p: Primitives, preimage: Uint8Array, bytes: Uint8Array, link: Link): HashName | undefined {
  for (const name of ['sha256', 'sha3-256'] as const) {
    hashInto(p, name, preimage, link.leaf, 1)
    if (isHexOf(link.leaf, 1, bytes, link.suffix.entryAt)) return name
  }
  return undefined
}

const MESSAGES = {
  suffix_malformed: 'the integrity suffix was expected',
  seq_gap: 'the next seq was expected, found another',
  previous_hash_mismatch: 'the entry hash of the entry before was expected in previous_hash',
  entry_hash_mismatch: 'the hash of the bytes was expected in entry_hash',
} as const

function createLink(): Link {
  return {
    suffix: createSuffix(),
    expected: 0,
    problem: undefined,
    message: '',
    hashHolds: false,
    stub: false,
    formed: false,
    leaf: new Uint8Array(33),
    mended: undefined,
  }
}

function broken(link: Link, message: string): Link {
  return Object.assign(link, { problem: 'suffix_malformed', message, hashHolds: false, stub: false, formed: false, mended: undefined })
}

/** byte -> its two hex characters, the first in the high half. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const pair = byte.toString(16).padStart(2, '0')
  return (pair.charCodeAt(0) << 8) | pair.charCodeAt(1)
})

/** True when `bytes[at, at + 64)` is the hex of `digest[from, from + 32)`. */
function isHexOf(digest: Uint8Array, from: number, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 32; i++) {
    const place = at + 2 * i
    if (((bytes[place]! << 8) | bytes[place + 1]!) !== HEX_PAIRS[digest[from + i]!]) return false
  }
  return true
}
