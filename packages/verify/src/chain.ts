/**
 * The chain, one line at a time: position, link to the entry before, hash of the exact bytes.
 *
 * The hot loop of verification: it slices and hashes, and allocates little. After a broken line it goes on
 * from what that line states, so one change is one finding and later changes are found too.
 * @module
 */
import { parseHex, text, utf8 } from './bytes.ts'
import { createSuffix, findSuffix, GENESIS, isStub, type Suffix } from './line.ts'
import type { HashName, Primitives } from './primitives.ts'

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
  /** The stated entry hash, 32 bytes; undefined when the suffix is malformed. */
  entryHash: Uint8Array | undefined
  /** The entry hash of the one malformed line before, as this line states it. */
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
}

export interface ChainStart {
  seq: number
  previousHash: string
  /** Found out from the first line when not given. */
  hash?: HashName
}

export function createChain(p: Primitives, start: ChainStart = { seq: 0, previousHash: GENESIS }): Chain {
  const link = createLink()
  const head = utf8(start.previousHash)
  let hash = start.hash
  let next = start.seq
  let malformed = 0 // lines before this one whose entry hash is not known
  const skip = (): void => {
    next += 1
    malformed += 1
  }
  /** The entry hash if it is the hash of the line; on the first line of a log of unknown hash, of any we know. */
  const checkHash = (bytes: Uint8Array, from: number): Uint8Array | undefined => {
    const preimage = bytes.subarray(from, link.suffix.preimageEnd)
    for (const name of hash ? [hash] : (['sha256', 'sha3-256'] as const)) {
      const digest = p.hash(name, preimage)
      if (isHexOf(digest, bytes, link.suffix.entryAt)) {
        hash = name
        return digest
      }
    }
    return undefined
  }
  const checkLink = (bytes: Uint8Array): LinkProblem | undefined => {
    const { seq, previousAt } = link.suffix
    link.mended = malformed === 1 && seq === next ? parseHex(hexAt(bytes, previousAt)) : undefined
    if (seq !== next) return 'seq_gap'
    if (malformed === 0 && !isSame64(head, bytes, previousAt)) return 'previous_hash_mismatch'
    return undefined
  }
  return {
    hash: () => hash ?? 'sha256',
    next: () => next,
    head: () => text(head),
    skip,
    check(bytes, from, end) {
      link.expected = next
      const message = findSuffix(bytes, from, end, link.suffix)
      if (message !== undefined) {
        skip()
        return broken(link, message)
      }
      link.stub = isStub(from, link.suffix)
      const digest = link.stub ? undefined : checkHash(bytes, from)
      link.hashHolds = digest !== undefined
      link.entryHash = digest ?? parseHex(hexAt(bytes, link.suffix.entryAt))
      link.problem = checkLink(bytes) ?? (link.hashHolds || link.stub ? undefined : 'entry_hash_mismatch')
      link.message = link.problem ? MESSAGES[link.problem] : ''
      copy64(bytes, link.suffix.entryAt, head)
      next = link.suffix.seq + 1
      malformed = 0
      return link
    },
  }
}

const MESSAGES = {
  suffix_malformed: 'the integrity suffix was expected',
  seq_gap: 'the next seq was expected, found another',
  previous_hash_mismatch: 'the entry hash of the entry before was expected in previous_hash',
  entry_hash_mismatch: 'the hash of the bytes was expected in entry_hash',
} as const

function createLink(): Link {
  const suffix = createSuffix()
  return { suffix, expected: 0, problem: undefined, message: '', hashHolds: false, stub: false, entryHash: undefined, mended: undefined }
}

function broken(link: Link, message: string): Link {
  return Object.assign(link, {
    problem: 'suffix_malformed',
    message,
    hashHolds: false,
    stub: false,
    entryHash: undefined,
    mended: undefined,
  })
}

function hexAt(bytes: Uint8Array, at: number): string {
  return text(bytes.subarray(at, at + 64))
}

function isHexOf(digest: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 32; i++) {
    const byte = digest[i]!
    if (bytes[at + 2 * i] !== hexDigit(byte >> 4) || bytes[at + 2 * i + 1] !== hexDigit(byte & 15)) return false
  }
  return true
}

function hexDigit(nibble: number): number {
  return nibble + (nibble < 10 ? 0x30 : 0x57)
}

function isSame64(head: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 64; i++) if (head[i] !== bytes[at + i]) return false
  return true
}

function copy64(bytes: Uint8Array, at: number, to: Uint8Array): void {
  for (let i = 0; i < 64; i++) to[i] = bytes[at + i]!
}
