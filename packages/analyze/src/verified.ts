/**
 * Whether one stored line is what a key signed: its hash, and its place in the tree of the newest signed checkpoint.
 *
 * The note, the tree's files and the line are attacker-controlled; trust is the key that the caller names. A line is
 * verified when the note is signed by that key, the line's hash holds, and a proof out of `tree/` leads from it to
 * the note's root. Entries behind the checkpoint are not verified yet. Source: docs/format.md, checkpoints; RFC 9162 §2.1.3.
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder/reading'
import {
  checkInclusion,
  type HashName,
  leafHash,
  openNote,
  parseCheckpoint,
  parseHex,
  parseLine,
  proveInclusion,
  type ReadHashes,
  SwornError,
  toHex,
  type VerifierKey,
} from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

const HASH_BYTES = 32
/** Tiles of 8 KiB that are kept: those of the way up, and the neighbours of the lines read last. */
const MAX_TILES = 256

export interface LineProof {
  readonly seq: number
  /** 64 hex characters. */
  readonly entryHash: string
  /** Siblings from the leaf to the root, 32 bytes each. */
  readonly path: readonly Uint8Array[]
}

export interface LineCheck {
  /** Entries with a smaller seq are covered by the checkpoint. */
  readonly size: number
  /** Of the checkpoint, 32 bytes. */
  readonly root: Uint8Array
  /** The checkpoint as it was signed. */
  readonly note: string
  /**
   * The proof that the line stands in the checkpoint, checked; undefined when it lies behind it.
   * @throws SwornError PROOF_INVALID when it is not the line that was signed, or the tree's files cannot prove it
   */
  prove(line: Uint8Array): LineProof | undefined
  /**
   * True when the line is verified, false when it lies behind the checkpoint.
   * @throws SwornError PROOF_INVALID when it is not the line that was signed, or the tree's files cannot prove it
   */
  verify(line: Uint8Array): boolean
  close(): void
}

/**
 * Reads the newest checkpoint of the ledger in `directory`.
 *
 * @param keys of the ledger; only what one of them signed counts
 * @throws SwornError NOTE_UNVERIFIED when there is no checkpoint that one of `keys` signed; NOTE_MALFORMED; CHECKPOINT_MALFORMED
 */
export async function openLineCheck(directory: string, keys: readonly VerifierKey[]): Promise<LineCheck> {
  const note = readTextFile(join(directory, 'checkpoint'))
  if (note === undefined) throw new SwornError('NOTE_UNVERIFIED', 'a signed checkpoint was expected', 'checkpoint')
  const { text } = await openNote(nodePrimitives, note, keys)
  const { size, root } = parseCheckpoint(text)
  const hash = hashOf(directory)
  const tree = openTree(join(directory, 'tree'))
  const prove = (bytes: Uint8Array): LineProof | undefined => {
    const { seq, entryHash, preimage } = parse(bytes)
    if (seq >= size) return undefined
    const isOurs = toHex(nodePrimitives.hash(hash, preimage)) === entryHash
    if (!isOurs) throw new SwornError('PROOF_INVALID', 'the line does not have its hash', `seq=${seq}`)
    const path = proveInclusion(nodePrimitives, tree.read, seq, size)
    checkInclusion(nodePrimitives, leafHash(nodePrimitives, parseHex(entryHash)), seq, size, path, root)
    return { seq, entryHash, path }
  }
  return { size, root, note, prove, verify: (line) => prove(line) !== undefined, close: () => tree.close() }
}

function parse(bytes: Uint8Array): ReturnType<typeof parseLine> {
  try {
    return parseLine(bytes)
  } catch (cause) {
    throw new SwornError('PROOF_INVALID', 'a linked entry was expected', '', { cause })
  }
}

/** As log.open names it; what it says falsely makes every hash wrong. */
function hashOf(directory: string): HashName {
  return /"hash":"sha3-256"/.test(readTextFile(join(directory, 'reserved.jsonl'))?.split('\n', 1)[0] ?? '') ? 'sha3-256' : 'sha256'
}

/** The flat files of `tree/`. @see packages/verify/src/tiles.ts */
function openTree(directory: string): { readonly read: ReadHashes; close(): void } {
  const levels = new Map<number, number>()
  const tiles = new Map<string, Uint8Array>()
  const levelOf = (level: number): number => {
    const fd = levels.get(level) ?? openSync(join(directory, `L${level}`), 'r')
    levels.set(level, fd)
    return fd
  }
  return {
    read(level, start, count) {
      const key = `${level} ${start} ${count}`
      const known = tiles.get(key)
      if (known) return known
      const hashes = new Uint8Array(count * HASH_BYTES)
      const read = readSync(levelOf(level), hashes, 0, hashes.length, start * HASH_BYTES)
      if (read < hashes.length) throw new SwornError('PROOF_INVALID', 'the tree up to the checkpoint was expected', `tree/L${level}`)
      if (tiles.size >= MAX_TILES) tiles.clear()
      tiles.set(key, hashes)
      return hashes
    },
    close() {
      for (const fd of levels.values()) closeSync(fd)
    },
  }
}
