/**
 * Checkpoints: when to sign, and in which order a note leaves the process.
 *
 * Promise: only synced sizes are signed; the signer's own state is on disk before anybody sees the
 * note; nothing is promised while a signature is under way. Crash between any two steps: the state outside
 * the ledger is the newest, and the copies are rewritten from it on open. Source: docs/format.md, "Checkpoints and notes".
 * @module
 */
import { join } from 'node:path'
import { formatCheckpoint, toBase64 } from '@sworn/verify'
import { signNote } from '../signers/signer.ts'
import { advancing } from '../signers/signer-state.ts'
import { noteAnchors } from './anchors.ts'
import { linkReserved, sync, write } from './commit.ts'
import type { Core } from './core.ts'
import { appendFile, replaceFile } from './files.ts'

const DIRTY_MS = 1000
const DIRTY_RECORDS = 1000
const APART_MS = 200
const REPEAT_MS = 10 * 60_000
const KEEP_MS = 60 * 60_000
const MAX_BEHIND = 32_768

/** When the next signature is due, milliseconds; for a clean log when the note is published again. */
export function checkpointDueAt(core: Core): number {
  if (core.signing) return core.env.now()
  if (core.dirtyCount === 0) return core.signedAt + REPEAT_MS
  const wanted = core.dirtyCount >= DIRTY_RECORDS ? core.dirtySince : core.dirtySince + DIRTY_MS
  return Math.max(wanted, core.signedAt + APART_MS)
}

/** Signs in steps, or repeats, when it is due. One call waits for the disk once at most, so that commits come in between. */
export function checkpointWhenDue(core: Core): void {
  if (core.env.now() < checkpointDueAt(core)) return
  if (!core.signing && core.dirtyCount === 0) repeat(core)
  else signOn(core)
}

function signOn(core: Core): void {
  core.signing ??= signing(core)
  if (!core.signing.next().done) return
  core.signing = undefined
  // Verification keeps the last 65,536 leaves: a record so far behind its size would not be checkable in passing.
  if (core.size - core.signed.size <= MAX_BEHIND) noteCheckpoint(core)
}

/** Syncs, signs the size that is now on disk, publishes, and puts the note into the log as its next record. */
export function checkpoint(core: Core): void {
  signSize(core)
  noteCheckpoint(core)
}

function noteCheckpoint(core: Core): void {
  linkReserved(core, 'log.checkpoint', { checkpoint: core.signed.note })
  noteAnchors(core)
  write(core)
}

/** Syncs and signs, whole; nothing is appended. A signature that was under way is dropped: nobody saw it. */
export function signSize(core: Core): void {
  core.signing = undefined
  for (const _ of signing(core)); // each step is a wait for the disk
}

/** Signs the present size. Between two steps anything may be appended; `core.signed` changes in the last one. */
function* signing(core: Core): Generator<void> {
  sync(core)
  const { origin } = core.identity
  const body = { origin, size: core.size, root: core.frontier.root() }
  const note = signNote(formatCheckpoint(body), [core.signer])
  const copies = placeFiles(core)
  const previous = core.signedAt
  core.signedAt = core.env.now()
  core.dirtyCount = 0
  yield
  yield* core.tree.syncing()
  yield* advancing(core.env.ops, core.keys.signed, note)
  core.signed = { ...body, extensions: [], note }
  publish(core)
  for (const [path, text] of copies) replaceFile(core.env.ops, path, Buffer.from(text), { durable: false })
  if (Math.floor(previous / KEEP_MS) !== Math.floor(core.signedAt / KEEP_MS)) keepNote(core)
}

/** Rewrites the copies of the newest note. */
export function publish(core: Core): void {
  const { ops, layout } = core.env
  replaceFile(ops, join(layout.state, 'signed'), Buffer.from(core.signed.note), { durable: false })
  replaceFile(ops, layout.checkpoint, Buffer.from(core.signed.note), { durable: false })
}

function repeat(core: Core): void {
  core.signedAt = core.env.now()
  publish(core)
  noteAnchors(core)
  write(core)
}

/** Where the signed size ends, and the counters there: the next opening reads only what lies behind. */
function placeFiles(core: Core): [path: string, text: string][] {
  const place = {
    size: core.size,
    first_seq: core.writer.firstSeq,
    offset: core.writer.end,
    previous_hash: core.head,
    hashes: core.frontier.hashes().map((hash) => toBase64(hash)),
  }
  const files: [string, string][] = [[core.keys.frontier, JSON.stringify(place)]]
  if (core.size - core.sessionsKept < core.sessions.count()) return files // kept again when as many records came as it has rows
  core.sessionsKept = core.size
  return [...files, [join(core.env.layout.index, 'sessions'), JSON.stringify(core.sessions.snapshot(core.size))]]
}

/** One note an hour stays in checkpoints.log. */
function keepNote(core: Core): void {
  const note = Buffer.from(core.signed.note)
  appendFile(core.env.ops, core.env.layout.checkpointsLog, Buffer.concat([Buffer.from(`${note.length}\n`), note]), { durable: false })
}
