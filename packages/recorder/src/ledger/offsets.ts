/**
 * The offsets file: `index/<first seq>.off`, the end of each record as a little-endian u32.
 *
 * Derivable from the segment and never synced: on open it is checked against the scan, cut or rebuilt.
 * @module
 */
import { join } from 'node:path'
import type { FileOps } from './file-ops.ts'
import { appendFile, readSlice, truncateFile } from './files.ts'
import type { SegmentRef } from './layout.ts'

const CHUNK = 1 << 20

export interface Offsets {
  push(end: number): void
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
  const bytes = ops.stat(segment.path)?.size ?? 0
  if (bytes === 0) return 0
  const stored = ops.stat(path)?.size ?? 0
  if (stored >= 4 && stored % 4 === 0 && readSlice(ops, path, stored - 4, stored).readUInt32LE(0) === bytes) return stored / 4
  const ends = lineEnds(ops, segment.path, bytes)
  rewrite(ops, path, ends)
  return ends.length
}

function mendOffsets(ops: FileOps, path: string, segment: SegmentRef, state: { count: number; end: number }): void {
  const stored = ops.stat(path)?.size ?? 0
  const wanted = state.count * 4
  const fits = stored >= wanted && (wanted === 0 || readSlice(ops, path, wanted - 4, wanted).readUInt32LE(0) === state.end)
  if (fits && stored === wanted) return
  if (fits) truncateFile(ops, path, wanted)
  else rewrite(ops, path, lineEnds(ops, segment.path, state.end))
}

function rewrite(ops: FileOps, path: string, ends: readonly number[]): void {
  if (ops.stat(path)) ops.unlink(path)
  appendFile(ops, path, encode(ends), { durable: false })
}

function lineEnds(ops: FileOps, path: string, size: number): number[] {
  const ends: number[] = []
  const fd = ops.open(path, 'read')
  const chunk = Buffer.allocUnsafe(CHUNK)
  try {
    for (let at = 0; at < size; ) {
      const count = ops.read(fd, chunk.subarray(0, Math.min(CHUNK, size - at)), at)
      if (count === 0) break
      for (let lf = chunk.indexOf(10); lf >= 0 && lf < count; lf = chunk.indexOf(10, lf + 1)) ends.push(at + lf + 1)
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
