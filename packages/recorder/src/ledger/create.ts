/**
 * The first opening of a ledger: keys, the size-0 note, log.open.
 *
 * Order: keys and signer state are on disk outside the ledger before log.open is written; the path is
 * remembered after it is synced. A crash before that leaves an unused key and nothing else.
 * @module
 */
import { hash as digest } from 'node:crypto'
import { join } from 'node:path'
import { createFrontier, formatCheckpoint, GENESIS, LABEL, SwornError } from '@sworn/verify'
import { openCheckpoint } from '../signers/notes.ts'
import { createKeyFile, type Signer, signNote } from '../signers/signer.ts'
import { advanceSigned } from '../signers/signer-state.ts'
import { checkNothingPromised } from './acknowledged.ts'
import { publish } from './checkpoints.ts'
import { linkReserved, sync, writeHead } from './commit.ts'
import type { Core, Env, Identity } from './core.ts'
import { makeDirectories, replaceFile } from './files.ts'
import { type KeyLayout, keyLayout, layoutDirectories, type SegmentRef, segmentName } from './layout.ts'
import { checkNew, rememberPlace } from './ledgers-index.ts'
import { openOffsets } from './offsets.ts'
import { MAX_UNSYNCED_TAIL, putTailAside, type Recovered } from './recovery.ts'
import { replayTables } from './replay.ts'
import { openSegment } from './segment.ts'
import { takeOverKey } from './signing-key.ts'
import { blankState, linkStart, releasing } from './start.ts'
import { openTreeFiles } from './tree-files.ts'

interface Created {
  readonly identity: Identity
  readonly keys: KeyLayout
  readonly signer: Signer
  readonly macKey: Uint8Array
  /** Over size 0. */
  readonly note: string
}

/**
 * Makes the ledger. `leftover`: a first segment whose log.open never reached the disk.
 *
 * @throws SwornError LEDGER_ROLLBACK when this path held a ledger before, LEDGER_NOT_FOUND when none may
 *   be made, LEDGER_CORRUPT when the leftover is more than a crash explains
 */
export function openNew(env: Env, leftover: readonly SegmentRef[]): Core {
  checkNothingPromised(env)
  checkNew(env, env.layout.path)
  makeDirectories(env.ops, layoutDirectories(env.layout))
  const recovered = clearLeftover(env, leftover)
  const core = assembleNew(env, createIdentity(env))
  return releasing(core, () => beginNew(core, recovered))
}

function beginNew(core: Core, recovered: Recovered | undefined): void {
  const { env } = core
  linkReserved(core, 'log.open', openingMembers(core))
  if (recovered) linkReserved(core, 'log.recovered', { ...recovered })
  linkStart(core, { previous_stop: 'clean', unsigned_from: 0, found: 0 })
  sync(core)
  writeHead(core)
  rememberPlace(env, { path: env.layout.path }, core.identity, 0)
  publish(core)
}

function clearLeftover(env: Env, leftover: readonly SegmentRef[]): Recovered | undefined {
  const [first, second] = leftover
  const eof = first ? (env.ops.stat(first.path)?.size ?? 0) : 0
  if (second || (first && first.firstSeq !== 0) || eof > MAX_UNSYNCED_TAIL) {
    throw new SwornError('LEDGER_CORRUPT', 'segments without log.open', env.layout.segments)
  }
  return first && eof > 0 ? putTailAside(env, first.path, { good: 0, end: 0, eof }, env.creation.hash) : undefined
}

/** Makes keys and signer state of a ledger that has no record yet. */
function createIdentity(env: Env): Created {
  const logId = Buffer.from(env.random(16)).toString('base64url')
  const origin = env.creation.origin ?? `sworn.local/${logId}`
  const keys = keyLayout(env.home, logId)
  const signer = firstSigner(env, keys.epoch(0), origin)
  const macKey = env.random(32)
  replaceFile(env.ops, keys.mac, macKey, { durable: true })
  const note = signNote(formatCheckpoint({ origin, size: 0, root: createFrontier(env.primitives).root() }), [signer])
  advanceSigned(env.ops, keys.signed, note)
  const { hash, recordSignatures } = env.creation
  return { identity: { logId, origin, hash, recordSignatures, vkey: signer.key.vkey }, keys, signer, macKey, note }
}

/** A fresh key, or the operator's own, taken over. */
function firstSigner(env: Env, path: string, origin: string): Signer {
  const { ops, signingKey } = env
  return signingKey === undefined ? createKeyFile(ops, path, origin, env.random(32)) : takeOverKey(env, signingKey, { path, origin })
}

function assembleNew(env: Env, created: Created): Core {
  const { ops, layout } = env
  const path = layout.activeFile ?? join(layout.segments, segmentName(0))
  createEmpty(env, path)
  const epochs = [{ key: created.signer.key }]
  const signed = openCheckpoint(created.note, created.identity.origin, epochs)
  if (!signed) throw new SwornError('KEY_INVALID', 'the key that was made does not verify', created.keys.directory)
  return {
    env,
    ...created,
    offsets: openOffsets(ops, layout.index, { firstSeq: 0, path }, { count: 0, end: 0 }),
    tree: openTreeFiles(ops, env.primitives, layout.tree, 0),
    frontier: createFrontier(env.primitives),
    ...replayTables(env, [], 0),
    epochs,
    signed,
    size: 0,
    head: GENESIS,
    segmentStartedAt: env.now(),
    ...blankState(),
    writer: openSegment(ops, path, { firstSeq: 0, end: 0, durableEnd: 0 }), // last: nothing after it can fail
  }
}

function createEmpty(env: Env, path: string): void {
  const fd = env.ops.open(path, 'append')
  try {
    env.ops.fsync(fd)
  } finally {
    env.ops.close(fd)
  }
  env.ops.syncDirectory(join(path, '..'))
}

function openingMembers(core: Core): Record<string, unknown> {
  const { identity } = core
  return {
    format: LABEL,
    origin: identity.origin,
    log_id: identity.logId,
    hash: identity.hash,
    vkey: identity.vkey,
    record_signatures: identity.recordSignatures,
    ...(core.env.creation.previousLog && { previous_log: core.env.creation.previousLog }),
    mac_key_id: digest('sha256', core.macKey).slice(0, 16), // names the key, tells nothing about it
  }
}
