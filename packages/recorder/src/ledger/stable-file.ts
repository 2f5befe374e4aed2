/**
 * File mode: making the file under the stable name the active segment again, whatever happened to it.
 *
 * Own rotation that crashed half-way is undone or finished; a file that logrotate renamed or copied
 * away is adopted as a closed segment (copied, never moved: it belongs to whoever rotated it).
 * Source: docs/format.md, "Rotation".
 * @module
 */
import { basename, dirname, join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { SwornError } from '@sworn/verify'
import type { Env } from './core.ts'
import { makeDirectory, readFile, replaceFile } from './files.ts'
import { namedSegments, segmentName } from './layout.ts'
import { parseReserved } from './reserved.ts'
import { firstLine, tryLine } from './scan.ts'
import { expectedSeq } from './segments.ts'

/** A rotated file is read whole to be adopted; larger ones are refused as no segment of ours. */
const MAX_ROTATED = 1 << 30

/**
 * Leaves F absent (then a fresh one is begun), or F as the active segment.
 *
 * @throws SwornError LEDGER_DETACHED when F has lost its directory, LEDGER_FOREIGN_FILE when F is not ours
 */
export function settleFile(env: Env): void {
  const file = env.layout.activeFile
  if (file === undefined) return
  const isThere = (env.ops.stat(file)?.size ?? 0) > 0
  if (isThere) checkOurs(env, file)
  if (!env.ops.stat(env.layout.root)) return
  undoRotation(env, file)
  if (isThere && continues(env, file)) return
  adoptRotated(env, file)
}

function checkOurs(env: Env, file: string): void {
  const bytes = firstLine(env.ops, file)
  const line = bytes && tryLine(bytes)
  const type = line && parseReserved(line)?.event_type
  const isOurs = type === 'log.open' || type === 'log.segment'
  const hasDirectory = env.ops.stat(env.layout.root) !== undefined
  if (isOurs && !hasDirectory) throw new SwornError('LEDGER_DETACHED', 'the directory beside the file is gone', file)
  if (!isOurs && (bytes !== undefined || !hasDirectory)) throw new SwornError('LEDGER_FOREIGN_FILE', 'the file is not a ledger', file)
}

/** F linked into segments/ but not yet replaced: two names of one inode are one segment. */
function undoRotation(env: Env, file: string): void {
  const { ops, layout } = env
  if (ops.stat(`${file}.new`)) ops.unlink(`${file}.new`)
  const last = namedSegments(ops, layout).at(-1)
  if (!last) return
  const [mine, other] = [ops.stat(file), ops.stat(last.path)]
  if (mine && other && mine.ino === other.ino && mine.dev === other.dev) {
    ops.unlink(last.path)
    ops.syncDirectory(layout.segments)
  }
}

/** True when F is what must follow the closed segments, or is too short to tell. */
function continues(env: Env, file: string): boolean {
  const bytes = firstLine(env.ops, file)
  const line = bytes && tryLine(bytes)
  return !line || line.seq <= expectedSeq(env, namedSegments(env.ops, env.layout))
}

/** Copies every sibling that continues the chain into segments/, in order. */
function adoptRotated(env: Env, file: string): void {
  const { ops, layout } = env
  const candidates = siblings(env, file)
  for (;;) {
    const expected = expectedSeq(env, namedSegments(ops, layout))
    const next = candidates.find((candidate) => candidate.firstSeq === expected)
    if (!next) return
    candidates.splice(candidates.indexOf(next), 1)
    makeDirectory(ops, layout.segments)
    replaceFile(ops, join(layout.segments, segmentName(expected)), readRotated(env, next.path), { durable: true })
  }
}

function siblings(env: Env, file: string): { path: string; firstSeq: number }[] {
  const name = basename(file)
  const found = env.ops
    .readdir(dirname(file))
    .filter((other) => (other.startsWith(`${name}.`) || other.startsWith(`${name}-`)) && isPlain(env, join(dirname(file), other)))
  return found.flatMap((other) => {
    const path = join(dirname(file), other)
    const bytes = readRotated(env, path)
    const line = tryLine(bytes.subarray(0, Math.max(0, bytes.indexOf(10))))
    return line ? [{ path, firstSeq: line.seq }] : []
  })
}

function isPlain(env: Env, path: string): boolean {
  const found = env.ops.stat(path)
  return found !== undefined && !found.directory && found.size <= MAX_ROTATED
}

/** Attacker-controlled when somebody else may write beside F: only a chain that continues ours is used. */
function readRotated(env: Env, path: string): Buffer {
  const bytes = readFile(env.ops, path) ?? Buffer.alloc(0)
  try {
    if (path.endsWith('.gz')) return gunzipSync(bytes, { maxOutputLength: MAX_ROTATED })
    if (path.endsWith('.zst')) return zstdDecompressSync(bytes, { maxOutputLength: MAX_ROTATED })
    return bytes
  } catch {
    return Buffer.alloc(0) // not a file of ours
  }
}
