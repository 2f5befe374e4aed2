/**
 * Files that something else than the recorder rotated away (`audit.jsonl.1`) and that no recorder has adopted yet.
 *
 * The recorder copies them among the closed segments when it opens the ledger; until then they are read where they
 * stand. Only the file that goes on exactly where the closed segments end counts: its name means nothing, and
 * whether its lines hold is the verification's to say. Source: docs/format.md, rotation.
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import zlib from 'node:zlib'
import { parseLine } from '@sworn/verify'
import { isCompressed } from './bytes.ts'

/** Room for the first or last line, compressed or not. */
const LINE_BYTES = 2 << 20
/** As the recorder: a larger one is no segment of ours. */
const MAX_BYTES = 1 << 30

/** A segment whose first position is known. */
export interface NumberedFile {
  readonly path: string
  readonly firstSeq: number
}

/** The files between the closed segments and the active one, in order. @param active undefined when it is absent */
export function findSiblings(file: string, closed: readonly NumberedFile[], active: string | undefined): NumberedFile[] {
  const end = (active === undefined ? undefined : firstSeqOf(active)) ?? Number.POSITIVE_INFINITY
  const from = closed.at(-1)?.firstSeq ?? -1
  const candidates = namesBeside(file).flatMap((path) => {
    const firstSeq = firstSeqOf(path)
    return firstSeq !== undefined && firstSeq > from && firstSeq < end ? [{ path, firstSeq }] : []
  })
  const found: NumberedFile[] = []
  for (let last = closed.at(-1); candidates.length > 0; last = found.at(-1)) {
    const expected = last ? lastSeqOf(last.path) + 1 : 0
    const next = candidates.find(({ firstSeq }) => firstSeq === expected)
    if (!next) break
    found.push(next)
  }
  return found
}

function namesBeside(file: string): string[] {
  const name = basename(file)
  return readdirSync(dirname(file))
    .filter((other) => (other.startsWith(`${name}.`) || other.startsWith(`${name}-`)) && other !== `${name}.new`)
    .map((other) => join(dirname(file), other))
    .filter((path) => isPlain(path))
    .toSorted()
}

function isPlain(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true && stat.size <= MAX_BYTES
}

function firstSeqOf(path: string): number | undefined {
  const bytes = tryDecompress(path, readAt(path, 0), true)
  const lf = bytes.indexOf(10)
  return lf < 0 ? undefined : seqOf(bytes.subarray(0, lf))
}

/** -1 when there is no whole line. */
function lastSeqOf(path: string): number {
  const { size } = statSync(path)
  const bytes = isCompressed(path) ? tryDecompress(path, readFileSync(path), false) : readAt(path, Math.max(0, size - LINE_BYTES))
  const end = bytes.lastIndexOf(10)
  return (end > 0 ? seqOf(bytes.subarray(bytes.lastIndexOf(10, end - 1) + 1, end)) : undefined) ?? -1
}

function seqOf(line: Uint8Array): number | undefined {
  try {
    return parseLine(line).seq
  } catch {
    return undefined // no entry
  }
}

function readAt(path: string, from: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.allocUnsafe(LINE_BYTES)
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from))
  } finally {
    closeSync(fd)
  }
}

/** What is there of it; nothing when it is not what its name says. */
function tryDecompress(path: string, bytes: Buffer, cut: boolean): Buffer {
  const { Z_SYNC_FLUSH, Z_FINISH, ZSTD_e_flush, ZSTD_e_end } = zlib.constants
  try {
    if (path.endsWith('.gz')) return zlib.gunzipSync(bytes, { finishFlush: cut ? Z_SYNC_FLUSH : Z_FINISH, maxOutputLength: MAX_BYTES })
    if (!path.endsWith('.zst')) return bytes
    return zlib.zstdDecompressSync(bytes, { finishFlush: cut ? ZSTD_e_flush : ZSTD_e_end, maxOutputLength: MAX_BYTES })
  } catch {
    return Buffer.alloc(0)
  }
}
