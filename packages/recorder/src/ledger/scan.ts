/**
 * Reading lines back: suffix form, seq, previous_hash and entry_hash, in constant memory.
 *
 * Promise: what `scanSegment` passes on continues the chain; the first line that does not ends the scan.
 * Everything read here is attacker-controlled. Source: docs/format.md, "Opening and recovery".
 * @module
 */
import { hash as digest } from 'node:crypto'
import { type HashName, type Line, parseLine, SwornError } from '@sworn/verify'
import type { FileOps } from './file-ops.ts'

const CHUNK = 1 << 20
/** A line is at most 1 MiB; what is longer without LF is no line. */
const MAX_LINE = 2 << 20

/** A place between two records: `seq` of the next one, the hash it must name, where it begins. */
export interface Cursor {
  readonly seq: number
  readonly previousHash: string
  readonly offset: number
}

/** Called with each line that holds (no LF; the bytes are reused afterwards) and the offset behind its LF. */
export type Visit = (line: Line, bytes: Buffer, end: number) => void

/** Follows the chain in one file from `from` on. Returns the place behind the last line that holds. */
export function scanSegment(ops: FileOps, path: string, from: Cursor, hash: HashName, visit: Visit): Cursor {
  let at = from
  eachLine(ops, path, from.offset, (bytes, end) => {
    const line = checkLine(bytes, at, hash)
    if (!line) return false
    visit(line, bytes, end)
    at = { seq: line.seq + 1, previousHash: line.entryHash, offset: end }
    return true
  })
  return at
}

/** The line when it is the one that `at` expects and its own hash holds. */
function checkLine(bytes: Buffer, at: Cursor, hash: HashName): Line | undefined {
  const line = tryLine(bytes)
  return line && line.seq === at.seq && line.previousHash === at.previousHash && ownHashHolds(line, hash) ? line : undefined
}

/** The line's parts, or `undefined` when it is not one. */
export function tryLine(bytes: Uint8Array): Line | undefined {
  try {
    return parseLine(bytes)
  } catch (e) {
    if (SwornError.is(e)) return undefined
    throw e
  }
}

/** True when entry_hash is the hash of the line's preimage. */
export function ownHashHolds(line: Line, hash: HashName): boolean {
  return digest(hash, line.preimage) === line.entryHash
}

/** Gives each LF-terminated line (without LF) from `offset` on until `take` returns false. */
export function eachLine(ops: FileOps, path: string, offset: number, take: (line: Buffer, end: number) => boolean): void {
  const fd = ops.open(path, 'read')
  try {
    let carry: Buffer = Buffer.alloc(0)
    for (let at = offset; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK)
      const count = ops.read(fd, chunk, at)
      if (count === 0) return
      const bytes = Buffer.concat([carry, chunk.subarray(0, count)])
      const rest = takeLines(bytes, at - carry.length, take)
      at += count
      if (rest === undefined || rest.length > MAX_LINE) return
      carry = rest
    }
  } finally {
    ops.close(fd)
  }
}

/** The bytes behind the last LF; `undefined` when `take` had enough. */
function takeLines(bytes: Buffer, offset: number, take: (line: Buffer, end: number) => boolean): Buffer | undefined {
  let start = 0
  for (let lf = bytes.indexOf(10); lf >= 0; lf = bytes.indexOf(10, start)) {
    if (!take(bytes.subarray(start, lf), offset + lf + 1)) return undefined
    start = lf + 1
  }
  return bytes.subarray(start)
}

/** The first LF-terminated line of a file, without LF. */
export function firstLine(ops: FileOps, path: string): Buffer | undefined {
  let found: Buffer | undefined
  eachLine(ops, path, 0, (line) => {
    found = Buffer.from(line)
    return false
  })
  return found
}

/** True when the line may be a record of the ledger's own. Cheap; the strict answer is `parseReserved`. */
export function mayBeReserved(bytes: Buffer): boolean {
  return bytes.includes('"event_type":"log.')
}
