/**
 * The write path: link, write, sync.
 *
 * Promise: a line is linked exactly once, written by one append at the end this writer knows, and
 * counted as durable only after fdatasync. Any error leaves the core spent: the caller drops it.
 * Source: docs/format.md, "Commit protocol".
 * @module
 */
import { hash as digest } from 'node:crypto'
import { hashInto, signableText } from '@sworn/verify'
import { keepRows } from '../vault/store.ts'
import type { Core } from './core.ts'
import { appendFile, replaceFile } from './files.ts'
import { isKept, isQuiet, type Members, type ReservedType, reservedBody } from './reserved.ts'

/** Written and not yet synced: at most this and one line, so that recovery can tell a crash from damage. */
export const MAX_UNSYNCED = 4 << 20
/** Bytes linked before they are written. */
const MAX_BATCH = 1 << 20
const HEAD_EVERY_MS = 1000
const DERIVED_MS = 20
/** Records whose derivable rows are held in memory. */
const MAX_DERIVED = 4096

export interface Linked {
  readonly seq: number
  /** 64 hex characters. */
  readonly entryHash: string
}

/** The input of a leaf's hash, 0x00 before the entry hash, and the leaf: one at a time. */
const LEAF_INPUT = Buffer.alloc(33)
const LEAF = new Uint8Array(32)

/** Gives `payload` (JSON, or its UTF-8), with members added behind its own, its place in the chain and the tree. */
export function link(core: Core, payload: string | Uint8Array, added: string, type: string): Linked {
  const { batch, size: seq } = core
  batch.begin(payload, added)
  batch.add(`,"seq":${seq},"previous_hash":"${core.head}"`)
  const entryHash = digest(core.identity.hash, batch.line())
  batch.add(`,"entry_hash":"${entryHash}"${signature(core, seq, entryHash)}}\n`)
  if (isKept(type)) batch.kept.push(batch.line().toString('utf8'))
  batch.end()
  pushLeaf(core, entryHash)
  if (core.offsets.pending() === 0) core.derivedSince = core.env.now()
  core.offsets.push(core.writer.end + batch.bytes)
  if (!isQuiet(type) && core.dirtyCount++ === 0) core.dirtySince = core.env.now()
  core.size++
  core.head = entryHash
  return { seq, entryHash }
}

function pushLeaf(core: Core, entryHash: string): void {
  LEAF_INPUT.write(entryHash, 1, 'hex')
  hashInto(core.env.primitives, 'sha256', LEAF_INPUT, LEAF, 0)
  core.tree.push(LEAF)
}

function signature(core: Core, seq: number, entryHash: string): string {
  if (core.identity.recordSignatures === 'none') return ''
  const bytes = core.signer.sign(Buffer.from(signableText(core.identity.origin, seq, entryHash)))
  return `,"signature":"ed25519:${Buffer.from(bytes).toString('base64')}"`
}

/** Links a record of the ledger's own. */
export function linkReserved(core: Core, type: ReservedType, members: Members): Linked {
  return link(core, reservedBody(type, core.env.now(), members), '', type)
}

/** Writes when enough is linked; keeps what is unsynced within its bound. */
export function writeWhenFull(core: Core): void {
  if (core.batch.bytes >= MAX_BATCH) write(core)
}

/**
 * Writes everything that is linked.
 * @param looked the file was found as it was left in this very step
 * @throws when the file is not as expected; the core is spent
 */
export function write(core: Core, looked = false): void {
  if (core.batch.bytes === 0) return
  const unsynced = core.writer.end - core.writer.durableEnd
  if (unsynced > 0 && unsynced + core.batch.bytes > MAX_UNSYNCED) {
    core.writer.sync()
    core.durableSize = core.size - core.batch.lines
  }
  keepRowsOf(core)
  core.writer.append(core.batch.all(), looked)
  core.batch.clear()
}

/** The content of what lines only name is on disk before them: a line without its row would be erased without having been asked. */
function keepRowsOf({ env, batch }: Core): void {
  if (batch.rows.length > 0) keepRows(env, batch.rows)
  batch.rows = []
}

/** Writes and makes everything durable. @throws as `write` */
export function sync(core: Core): void {
  write(core)
  if (core.writer.durableEnd < core.writer.end) core.writer.sync()
  else core.writer.check() // nothing is signed for, or said by, a writer whose place another took
  core.durableSize = core.size
  core.synced = { size: core.size, head: core.head }
  keepReserved(core)
  if (core.offsets.pending() >= MAX_DERIVED) writeDerived(core)
}

/**
 * Begins to make durable what is written, beside the appends that follow; false where that cannot be.
 * @param done gets the step that takes note of the outcome. It throws when the sync failed, and the core is spent then
 */
export function syncAside(core: Core, done: (settle: () => void) => void): boolean {
  write(core)
  const { size, head, writer } = core
  return writer.syncAside((error) => done(() => noteSynced(core, { size, head, writer }, error)))
}

function noteSynced(core: Core, { size, head, writer }: Pick<Core, 'size' | 'head' | 'writer'>, error: Error | null): void {
  if (core.writer !== writer) return // rotation synced it
  if (error) throw error
  writer.check()
  if (size <= core.durableSize) return // a sync came in between
  core.durableSize = size
  core.synced = { size, head }
}

/** When what is derivable is to be written: a moment later, when the answers are out. */
export function derivedDueAt(core: Core): number {
  return core.offsets.pending() === 0 ? Number.POSITIVE_INFINITY : core.derivedSince + DERIVED_MS
}

/** Writes the index, the tree and the head. A crash before leaves lines that the next opening derives them from. */
export function writeDerived(core: Core): void {
  core.writer.check()
  core.offsets.flush()
  core.tree.flush()
  core.dedupe.flush()
  noteHead(core)
}

function keepReserved(core: Core): void {
  if (core.batch.kept.length === 0) return
  appendFile(core.env.ops, core.env.layout.reserved, Buffer.from(core.batch.kept.join('')), { durable: true })
  core.batch.kept = []
}

/** `keys/<log_id>/head`: unsynced on purpose; what it says was durable when it was written. */
function noteHead(core: Core): void {
  const now = core.env.now()
  if (now - core.headWrittenAt < HEAD_EVERY_MS && now >= core.headWrittenAt) return
  core.headWrittenAt = now
  writeHead(core)
}

/** Writes the newest synced size and hash now. */
export function writeHead(core: Core): void {
  replaceFile(core.env.ops, core.keys.head, Buffer.from(`${core.synced.size} ${core.synced.head}\n`), { durable: false })
}
