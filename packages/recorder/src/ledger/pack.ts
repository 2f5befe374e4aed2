/**
 * Compressing closed segments.
 *
 * Only a segment that has its line in SHA256SUMS, and is what that line says; the packed file is on disk and gives the
 * same bytes back before the plain one goes. Crash: both are there, the plain one counts, and it is packed again.
 * Source: docs/format.md, "Rotation, retention, pruning".
 * @module
 */
import { hash } from 'node:crypto'
import { basename } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { SwornError } from '@sworn/verify'
import type { Core } from './core.ts'
import { readFile, replaceFile } from './files.ts'
import { namedSegments, type SegmentRef } from './layout.ts'

export type PackForm = 'gzip' | 'zstd'

/** A segment is packed in memory; a larger one stays as it is. */
const MAX_BYTES = 1 << 30
const FORMS = {
  gzip: { suffix: '.gz', pack: gzipSync, unpack: gunzipSync },
  zstd: { suffix: '.zst', pack: zstdCompressSync, unpack: zstdDecompressSync },
} as const

/** Packs what can be packed, `atMost` segments, and returns how many that were. @throws SwornError APPEND_REFUSED for a segment that is not what was closed */
export function pack(core: Core, form: PackForm, atMost = Number.POSITIVE_INFINITY): number {
  core.writer.check()
  const { ops, layout } = core.env
  const sums = readSums(core)
  const plain = namedSegments(ops, layout).filter((ref) => !ref.packed && ref.path !== core.writer.path)
  let packed = 0
  for (const ref of plain) {
    if (packed >= atMost) break
    const sum = sums.get(basename(ref.path))
    if (sum === undefined || (ops.stat(ref.path)?.size ?? 0) > MAX_BYTES) continue
    packOne(core, ref, { sum, form })
    packed++
  }
  return packed
}

function packOne({ env: { ops, layout } }: Core, { path, firstSeq }: SegmentRef, { sum, form }: { sum: string; form: PackForm }): void {
  const { suffix, pack, unpack } = FORMS[form]
  const bytes = readFile(ops, path) ?? Buffer.alloc(0)
  if (hash('sha256', bytes) !== sum)
    throw new SwornError(
      'APPEND_REFUSED',
      'a closed segment does not have the sum that was recorded; nothing of it is packed',
      `seq=${firstSeq}`,
    )
  const target = `${path}${suffix}`
  replaceFile(ops, target, pack(bytes), { durable: true })
  const back = readFile(ops, target)
  if (!back || hash('sha256', unpack(back)) !== sum)
    throw new SwornError('IO_FAILED', 'the packed segment does not give its bytes back', target)
  ops.chmod(target, 0o444)
  ops.unlink(path)
  ops.syncDirectory(layout.segments)
}

function readSums({ env: { ops, layout } }: Core): ReadonlyMap<string, string> {
  const lines = readFile(ops, layout.sums)?.toString('latin1').split('\n') ?? []
  return new Map(lines.flatMap((line) => (/^[0-9a-f]{64} {2}/.test(line) ? [[line.slice(66), line.slice(0, 64)] as const] : [])))
}
