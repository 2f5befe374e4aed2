/**
 * From what was found on the disk to a core: tables, tree, epochs, the signer, the descriptor last.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { type Epoch, extendEpochs } from '../signers/notes.ts'
import { loadKeyFile, type Signer } from '../signers/signer.ts'
import type { Core, Env } from './core.ts'
import { appendFile, readFile, truncateFile } from './files.ts'
import type { Followed } from './follow.ts'
import type { Found } from './identity.ts'
import { keyLayout, type SegmentRef } from './layout.ts'
import { openOffsets } from './offsets.ts'
import { recordAt, replayTables } from './replay.ts'
import { parseReserved } from './reserved.ts'
import { openSegment } from './segment.ts'
import { checkSigningKey } from './signing-key.ts'
import { blankState } from './start.ts'
import type { Survey } from './survey.ts'
import { openTreeFiles } from './tree-files.ts'

/** The core of a ledger that was looked at. @throws SwornError LEDGER_STATE_MISSING, CONFIG_INVALID, KEY_INVALID */
export function assemble(env: Env, { found, followed, run, last }: Survey): Core {
  const { ops, layout, primitives } = env
  const keys = keyLayout(env.home, found.identity.logId)
  const tree = openTreeFiles(ops, primitives, layout.tree, followed.startSize)
  for (const leaf of followed.leaves) tree.push(leaf)
  tree.flush()
  const offsets = openOffsets(ops, layout.index, last, { count: followed.good - last.firstSeq, end: followed.end })
  keepReserved(env, found, followed)
  const epochs = allEpochs(found, followed)
  checkSigningKey(env, found.identity.origin, epochs)
  return {
    env,
    identity: found.identity,
    keys,
    macKey: readFile(ops, keys.mac) ?? missingMac(keys.mac),
    offsets,
    tree,
    frontier: followed.frontier,
    ...replayTables(env, run, followed.startSize),
    epochs,
    signer: currentSigner(env, found, epochs),
    signed: followed.signed,
    size: followed.good,
    head: followed.head,
    segmentStartedAt: startedAt(env, last),
    ...blankState(),
    writer: openSegment(ops, last.path, { firstSeq: last.firstSeq, end: followed.end, durableEnd: 0 }), // last: nothing after it can fail
  }
}

function missingMac(path: string): never {
  throw new SwornError('LEDGER_STATE_MISSING', 'the key of the keyed hashes is absent', path)
}

/** Adds to reserved.jsonl what a crash kept out of it; a torn last line there is cut first. */
function keepReserved(env: Env, found: Found, followed: Followed): void {
  const { reserved } = env.layout
  const bytes = readFile(env.ops, reserved) ?? Buffer.alloc(0)
  const whole = bytes.lastIndexOf(10) + 1
  if (whole < bytes.length) truncateFile(env.ops, reserved, whole)
  const lost = followed.reserved.filter((record) => !found.kept.has(record.seq)).map((record) => record.line)
  if (lost.length > 0) appendFile(env.ops, reserved, Buffer.from(lost.join('')), { durable: true })
}

function allEpochs(found: Found, followed: Followed): readonly Epoch[] {
  return followed.reserved
    .filter((record) => record.type === 'log.key_transition' && !found.kept.has(record.seq))
    .reduce((epochs, record) => extendEpochs(epochs, String(record.members.note), record.seq), found.epochs)
}

function currentSigner(env: Env, found: Found, epochs: readonly Epoch[]): Signer {
  const keys = keyLayout(env.home, found.identity.logId)
  const path = keys.epoch(epochs.length - 1)
  if (!env.ops.stat(path) && env.ops.stat(keys.pending)) env.ops.rename(keys.pending, path)
  const signer = loadKeyFile(env.ops, path, found.identity.origin)
  if (signer.key.vkey === epochs.at(-1)?.key.vkey) return signer
  throw new SwornError('LEDGER_STATE_MISSING', 'the signing key is not the one the ledger names', path)
}

function startedAt(env: Env, segment: SegmentRef): number {
  let found = env.now()
  const first = recordAt(env, [segment], segment.firstSeq)
  const timestamp = first && parseReserved(first)?.timestamp
  if (typeof timestamp === 'string' && Number.isFinite(Date.parse(timestamp))) found = Date.parse(timestamp)
  return found
}
