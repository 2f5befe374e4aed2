/**
 * Checkpoints: when to sign, and in which order a note leaves the process.
 *
 * Promise: only synced sizes are signed; the signer's own state is on disk before anybody sees the
 * note. Crash between any two steps: the state outside the ledger is the newest, and the copies are
 * rewritten from it on open. Source: docs/format.md, "Checkpoints and notes".
 * @module
 */
import { join } from 'node:path'
import { formatCheckpoint, toBase64 } from '@sworn/verify'
import { signNote } from '../signers/signer.ts'
import { advanceSigned } from '../signers/signer-state.ts'
import { linkReserved, sync, write } from './commit.ts'
import type { Core } from './core.ts'
import { appendFile, replaceFile } from './files.ts'

const DIRTY_MS = 1000
const DIRTY_RECORDS = 1000
const APART_MS = 200
const REPEAT_MS = 10 * 60_000
const KEEP_MS = 60 * 60_000

/** When the next signature is due, milliseconds; for a clean log when the note is published again. */
export function checkpointDueAt(core: Core): number {
  if (core.dirtyCount === 0) return core.signedAt + REPEAT_MS
  const wanted = core.dirtyCount >= DIRTY_RECORDS ? core.dirtySince : core.dirtySince + DIRTY_MS
  return Math.max(wanted, core.signedAt + APART_MS)
}

/** Signs or repeats when it is due. */
export function checkpointWhenDue(core: Core): void {
  if (core.env.now() < checkpointDueAt(core)) return
  if (core.dirtyCount === 0) repeat(core)
  else checkpoint(core)
}

/** Syncs, signs the size that is now on disk, publishes, and puts the note into the log as its next record. */
export function checkpoint(core: Core): void {
  signSize(core)
  linkReserved(core, 'log.checkpoint', { checkpoint: core.signed.note })
  write(core)
}

/** Syncs and signs; nothing is appended. */
export function signSize(core: Core): void {
  sync(core)
  core.tree.sync()
  const { origin } = core.identity
  const body = { origin, size: core.size, root: core.frontier.root() }
  const note = signNote(formatCheckpoint(body), [core.signer])
  advanceSigned(core.env.ops, core.keys.signed, note)
  const previous = core.signedAt
  core.signed = { ...body, extensions: [], note }
  core.signedAt = core.env.now()
  core.dirtyCount = 0
  publish(core)
  keepPlace(core)
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
}

/** Where the signed size ends, so that the next opening reads only what lies behind it. */
function keepPlace(core: Core): void {
  const { ops, layout } = core.env
  const place = {
    size: core.size,
    first_seq: core.writer.firstSeq,
    offset: core.writer.end,
    previous_hash: core.head,
    hashes: core.frontier.hashes().map((hash) => toBase64(hash)),
  }
  replaceFile(ops, core.keys.frontier, Buffer.from(JSON.stringify(place)), { durable: false })
  const sessions = JSON.stringify(core.sessions.snapshot(core.size))
  replaceFile(ops, join(layout.index, 'sessions'), Buffer.from(sessions), { durable: false })
}

/** One note an hour stays in checkpoints.log. */
function keepNote(core: Core): void {
  const note = Buffer.from(core.signed.note)
  appendFile(core.env.ops, core.env.layout.checkpointsLog, Buffer.concat([Buffer.from(`${note.length}\n`), note]), { durable: false })
}
