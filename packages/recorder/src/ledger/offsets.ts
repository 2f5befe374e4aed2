/**
 * The offsets file: `index/<first seq>.off`, the end of each record as a little-endian u32.
 *
 * Derivable from the segment and never synced: on open it is checked against the scan, cut or rebuilt.
 * @module
 */
import { dirname, join } from 'node:path'
import type { FileOps } from './file-ops.ts'
import { appendFile, makeDirectory, readSlice, truncateFile } from './files.ts'
import type { SegmentRef } from './layout.ts'

const CHUNK = 1 << 20
const LF = 10

export interface Offsets {
  push(end: number): void
  /** Ends that are not written yet. */
  pending(): number
  /** Writes what was pushed. */
  flush(): void
}

export function offsetsPath(index: string, firstSeq: number): string {
  return join(index, `${String(firstSeq).padStart(20, '0')}.off`)
}

/** Goes on after `count` records of the segment, the last of which ends at byte `end`; mends the file when it disagrees. */
export function openOffsets(ops: FileOps, index: string, segment: SegmentRef, state: { count: number; end: number }): Offsets {
  const path = offsetsPath(index, segment.firstSeq)
  mendOffsets(ops, path, segment, state)
  let pending: number[] = []
  return {
    push: (end) => void pending.push(end),
    pending: () => pending.length,
    flush() {
      if (pending.length === 0) return
      appendFile(ops, path, encode(pending), { durable: false })
      pending = []
    },
  }
}

/** Where record `seq` of a segment lies: [from, to), or `undefined` when the file does not reach it. */
export function findRecord(ops: FileOps, index: string, segment: SegmentRef, seq: number): { from: number; to: number } | undefined {
  const path = offsetsPath(index, segment.firstSeq)
  const place = seq - segment.firstSeq
  if ((ops.stat(path)?.size ?? 0) < (place + 1) * 4) return undefined
  const bytes = readSlice(ops, path, Math.max(0, place - 1) * 4, (place + 1) * 4)
  return place === 0 ? { from: 0, to: bytes.readUInt32LE(0) } : { from: bytes.readUInt32LE(0), to: bytes.readUInt32LE(4) }
}

/** Records of a closed segment, by its offsets file, which is rebuilt when it does not reach the end of the segment. */
export function countRecords(ops: FileOps, index: string, segment: SegmentRef): number {
  const path = offsetsPath(index, segment.firstSeq)
  const stored = ops.stat(path)?.size ?? 0
  if (segment.packed && stored >= 4 && stored % 4 === 0) return stored / 4 // they were right when it was closed
  const bytes = ops.stat(segment.path)?.size ?? 0
  if (bytes === 0) return 0
  if (stored >= 4 && stored % 4 === 0 && readEnd(ops, path, stored) === bytes) return stored / 4
  const ends = lineEnds(ops, segment.path, bytes)
  rewrite(ops, path, ends)
  return ends.length
}

function mendOffsets(ops: FileOps, path: string, segment: SegmentRef, state: { count: number; end: number }): void {
  const stored = ops.stat(path)?.size ?? 0
  const wanted = state.count * 4
  const fits = stored >= wanted && (wanted === 0 || readEnd(ops, path, wanted) === state.end)
  if (fits && stored === wanted) return
  const rest = !fits && stored < wanted && stored % 4 === 0 ? restOfEnds(ops, path, segment, state) : undefined
  if (fits) truncateFile(ops, path, wanted)
  else if (rest) appendFile(ops, path, encode(rest), { durable: false })
  else rewrite(ops, path, lineEnds(ops, segment.path, state.end))
}

/** The ends that a crash kept out of the file; `undefined` when what it holds leads elsewhere. */
function restOfEnds(ops: FileOps, path: string, segment: SegmentRef, state: { count: number; end: number }): number[] | undefined {
  const stored = ops.stat(path)?.size ?? 0
  const from = stored === 0 ? 0 : readEnd(ops, path, stored)
  const isBorder = from === 0 || (from <= state.end && readSlice(ops, segment.path, from - 1, from)[0] === LF)
  const rest = isBorder ? lineEnds(ops, segment.path, state.end, from) : []
  return stored / 4 + rest.length === state.count ? rest : undefined
}

/** The end of the record whose row ends at byte `to` of the file. */
function readEnd(ops: FileOps, path: string, to: number): number {
  return readSlice(ops, path, to - 4, to).readUInt32LE(0)
}

function rewrite(ops: FileOps, path: string, ends: readonly number[]): void {
  if (ops.stat(path)) ops.unlink(path)
  makeDirectory(ops, dirname(path)) // all of the index can be deleted
  appendFile(ops, path, encode(ends), { durable: false })
}

function lineEnds(ops: FileOps, path: string, size: number, from = 0): number[] {
  const ends: number[] = []
  const fd = ops.open(path, 'read')
  const chunk = Buffer.allocUnsafe(CHUNK)
  try {
    for (let at = from; at < size; ) {
      const count = ops.read(fd, chunk.subarray(0, Math.min(CHUNK, size - at)), at)
      if (count === 0) break
      for (let lf = chunk.indexOf(LF); lf >= 0 && lf < count; lf = chunk.indexOf(LF, lf + 1)) ends.push(at + lf + 1)
      at += count
    }
  } finally {
    ops.close(fd)
  }
  return ends
}

function encode(ends: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(ends.length * 4)
  ends.forEach((end, i) => void bytes.writeUInt32LE(end, i * 4))
  return bytes
}
