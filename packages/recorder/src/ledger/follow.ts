/**
 * Following the chain from a trusted place to the end of the last segment.
 *
 * The nearest place is tried first (the newest signed size, kept outside the ledger), then the start
 * of the last segment below it, then the first segment. Only the fullest look may end in a fatal verdict,
 * and nothing is cut before the segment was read from its start.
 * @module
 */
import {
  asText,
  createFrontier,
  equalBytes,
  type Frontier,
  GENESIS,
  type Line,
  leafHash,
  parseBase64,
  parseHex,
  SwornError,
} from '@sworn/verify'
import { openCheckpoint, type SignedCheckpoint } from '../signers/notes.ts'
import type { Env } from './core.ts'
import { readFile } from './files.ts'
import { type Found, newer } from './identity.ts'
import { keyLayout, type SegmentRef } from './layout.ts'
import { decide, type Evidence, type Verdict } from './recovery.ts'
import { isKept, type Members, parseReserved } from './reserved.ts'
import { type Cursor, firstLine, mayBeReserved, scanSegment, tryLine } from './scan.ts'
import { frontierFromFiles } from './tree-files.ts'

/** Where a look begins. */
interface Start {
  /** Index into the segments. */
  readonly segment: number
  readonly cursor: Cursor
  readonly frontier: Frontier
}

/** A record of the ledger's own that lies behind the start. */
export interface ReservedLine {
  readonly seq: number
  readonly type: string
  readonly members: Members
  /** With LF. */
  readonly line: string
}

export interface Followed extends Evidence {
  readonly verdict: Verdict
  /** Size at which the look began; leaves below it are in the tree files. */
  readonly startSize: number
  /** Byte in the last segment from which on it was read. */
  readonly startOffset: number
  /** entry_hash of the last good record. */
  readonly head: string
  /** At `startSize`. */
  readonly frontier: Frontier
  /** 32 bytes for each record from `startSize` on. */
  readonly leaves: readonly Uint8Array[]
  /** Records that reserved.jsonl must hold. */
  readonly reserved: readonly ReservedLine[]
  /** event_type of the last record that is no log.checkpoint or log.anchor, when one lies behind the start. */
  readonly lastType: string | undefined
  readonly signed: SignedCheckpoint
}

/** Looks from the nearest place that explains everything. `segments` are contiguous and not empty. */
export function follow(env: Env, found: Found, signed: SignedCheckpoint, segments: readonly SegmentRef[]): Followed {
  let last: Followed | undefined
  for (const start of starts(env, found, signed, segments)) {
    last = followFrom(env, found, signed, segments, start)
    if (last.verdict === 'clean' || (last.verdict === 'recover-torn' && start.cursor.offset === 0)) return last
  }
  if (!last) throw new SwornError('LEDGER_CORRUPT', 'the tree below the first segment cannot be read', env.layout.tree)
  return last
}

function* starts(env: Env, found: Found, signed: SignedCheckpoint, segments: readonly SegmentRef[]): Generator<Start> {
  const kept = keptPlace(env, found, signed, segments)
  if (kept && treeHolds(env, kept.frontier)) yield kept
  for (let i = segments.length - 1; i > 0; i--) {
    const start = segmentStart(env, segments[i] as SegmentRef, i)
    if (!start || start.cursor.seq >= signed.size || !treeHolds(env, start.frontier)) continue
    yield start
    break
  }
  const first = segmentStart(env, segments[0] as SegmentRef, 0)
  if (first && treeHolds(env, first.frontier)) yield first
}

/** What the newest checkpoint left in `keys/<log_id>/frontier`; a hint, the signed root decides. */
function keptPlace(env: Env, found: Found, signed: SignedCheckpoint, segments: readonly SegmentRef[]): Start | undefined {
  const bytes = readFile(env.ops, keyLayout(env.home, found.identity.logId).frontier)
  if (!bytes) return undefined
  try {
    const place = JSON.parse(bytes.toString('utf8')) as {
      size: number
      first_seq: number
      offset: number
      previous_hash: string
      hashes: string[]
    } // a wrong member fails below or in the scan
    const segment = segments.findIndex((ref) => ref.firstSeq === place.first_seq)
    if (segment < 0 || place.size > signed.size) return undefined
    const frontier = createFrontier(env.primitives, { size: place.size, hashes: place.hashes.map((hash) => parseBase64(hash)) })
    return { segment, cursor: { seq: place.size, previousHash: place.previous_hash, offset: place.offset }, frontier }
  } catch {
    return undefined
  }
}

/** The start of a segment by its own log.segment; unproven until a signed root behind it holds. */
export function segmentStart(env: Env, ref: SegmentRef, segment: number): Start | undefined {
  if (ref.firstSeq === 0) return { segment, cursor: { seq: 0, previousHash: GENESIS, offset: 0 }, frontier: createFrontier(env.primitives) }
  const bytes = firstLine(env.ops, ref.path)
  const line = bytes && tryLine(bytes)
  const members = line && parseReserved(line)
  if (!line || members?.event_type !== 'log.segment' || typeof members.frontier !== 'string') return undefined
  try {
    const packed = parseBase64(members.frontier)
    const hashes = Array.from({ length: Math.ceil(packed.length / 32) }, (_, i) => packed.slice(i * 32, i * 32 + 32))
    const frontier = createFrontier(env.primitives, { size: ref.firstSeq, hashes })
    return { segment, cursor: { seq: ref.firstSeq, previousHash: line.previousHash, offset: 0 }, frontier }
  } catch {
    return undefined
  }
}

/** True when the tree files reach this size with this root. */
function treeHolds(env: Env, frontier: Frontier): boolean {
  const stored = frontierFromFiles(env.ops, env.primitives, env.layout.tree, frontier.size)
  return stored !== undefined && equalBytes(stored.root(), frontier.root())
}

function followFrom(env: Env, found: Found, known: SignedCheckpoint, segments: readonly SegmentRef[], start: Start): Followed {
  const frontier = start.frontier.clone()
  const startSize = frontier.size
  const leaves: Uint8Array[] = []
  const reserved: ReservedLine[] = []
  const look = {
    rootHolds: frontier.size !== known.size || equalBytes(frontier.root(), known.root),
    signed: known,
    lastType: undefined as string | undefined,
  }
  function visit(line: Line, bytes: Buffer): void {
    const own = mayBeReserved(bytes) ? parseReserved(line) : undefined
    if (own?.event_type === 'log.checkpoint') seeCheckpoint(asText(own.checkpoint))
    else if (own?.event_type !== 'log.anchor') look.lastType = own?.event_type ?? ''
    if (own && isKept(own.event_type))
      reserved.push({ seq: line.seq, type: own.event_type, members: own, line: `${bytes.toString('utf8')}\n` })
    const leaf = leafHash(env.primitives, parseHex(line.entryHash))
    frontier.push(leaf)
    leaves.push(leaf)
    if (frontier.size === known.size) look.rootHolds = equalBytes(frontier.root(), known.root)
  }
  function seeCheckpoint(note: string): void {
    const checkpoint = openCheckpoint(note, found.identity.origin, found.epochs)
    if (!checkpoint || checkpoint.size !== frontier.size) return // checked by `verify`; only what is checkable in passing counts here
    if (!equalBytes(checkpoint.root, frontier.root())) look.rootHolds = false
    look.signed = newer(look.signed, checkpoint)
  }
  const ends = walk(env, found, segments, start, visit)
  const evidence: Evidence = {
    good: frontier.size,
    end: ends.at.offset,
    eof: ends.eof,
    signedSize: known.size,
    rootHolds: look.rootHolds,
    earlierHold: ends.earlierHold,
  }
  return {
    ...evidence,
    verdict: decide(evidence),
    startSize,
    startOffset: start.segment === segments.length - 1 ? start.cursor.offset : 0,
    head: ends.at.previousHash,
    frontier: start.frontier,
    leaves,
    reserved,
    lastType: look.lastType,
    signed: look.signed,
  }
}

function walk(env: Env, found: Found, segments: readonly SegmentRef[], start: Start, visit: (line: Line, bytes: Buffer) => void) {
  let at = start.cursor
  for (let i = start.segment; i < segments.length; i++) {
    const ref = segments[i] as SegmentRef // i is in range
    if (i > start.segment) at = { ...at, offset: 0 }
    at = scanSegment(env.ops, ref.path, at, found.identity.hash, visit)
    const eof = env.ops.stat(ref.path)?.size ?? 0
    const next = segments[i + 1]
    if (!next) return { at, eof, earlierHold: true }
    if (at.offset !== eof || next.firstSeq !== at.seq) return { at, eof, earlierHold: false }
  }
  return { at, eof: at.offset, earlierHold: true }
}
