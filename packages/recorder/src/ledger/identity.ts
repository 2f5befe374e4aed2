/**
 * Who a ledger is: log.open, the epochs of its keys, the newest size signed for it.
 *
 * Promise: nothing found in the ledger's own directory overrules what is kept outside it.
 * Source: docs/format.md, "Key epochs" and "Opening and recovery".
 * @module
 */
import { join } from 'node:path'
import { asText, LABEL, type Line, parseVkey, SwornError, toHex } from '@sworn/verify'
import { type Epoch, extendEpochs, openCheckpoint, type SignedCheckpoint } from '../signers/notes.ts'
import { readSigned } from '../signers/signer-state.ts'
import type { Env, Identity } from './core.ts'
import { readFile } from './files.ts'
import { splitKeptNotes } from './kept-notes.ts'
import { keyLayout, type SegmentRef } from './layout.ts'
import { type Members, parseReserved } from './reserved.ts'
import { firstLine, ownHashHolds, tryLine } from './scan.ts'

export interface Found {
  readonly identity: Identity
  readonly epochs: readonly Epoch[]
  /** Highest minimum_index of a log.prune kept in reserved.jsonl. */
  readonly prunedBelow: number
  /** That log.prune names an archive. */
  readonly prunedToArchive: boolean
  /** Sequence numbers in reserved.jsonl. */
  readonly kept: ReadonlySet<number>
}

/** Reads log.open and the key transitions; `undefined` when no record of the ledger is left. @throws SwornError LEDGER_FORK, LEDGER_CORRUPT */
export function findIdentity(env: Env, segments: readonly SegmentRef[]): Found | undefined {
  const kept = keptLines(env)
  const first = segments[0]
  const inSegment = first?.firstSeq === 0 ? firstRecord(env, first) : undefined
  const opening = inSegment ?? kept.find((line) => line.seq === 0)
  if (!opening) return undefined
  const stored = kept.find((line) => line.seq === 0)
  if (stored && stored.entryHash !== opening.entryHash)
    throw new SwornError('LEDGER_FORK', 'log.open is not the one that was kept', 'seq=0')
  const identity = readOpening(opening)
  if (!ownHashHolds(opening, identity.hash)) throw new SwornError('LEDGER_CORRUPT', 'log.open does not match its hash', 'seq=0')
  return { identity, ...readKept(identity, kept), kept: new Set(kept.map((line) => line.seq)) }
}

function keptLines(env: Env): Line[] {
  const bytes = readFile(env.ops, env.layout.reserved) ?? Buffer.alloc(0)
  return bytes
    .toString('latin1')
    .split('\n')
    .slice(0, -1)
    .map((text) => tryLine(Buffer.from(text, 'latin1')))
    .filter((line) => line !== undefined)
}

function firstRecord(env: Env, segment: SegmentRef): Line | undefined {
  const bytes = firstLine(env.ops, segment.path)
  return bytes && tryLine(bytes)
}

function readOpening(line: Line): Identity {
  const members = parseReserved(line)
  if (members?.event_type !== 'log.open') throw new SwornError('LEDGER_FOREIGN_FILE', 'log.open was expected', 'seq=0')
  if (members.format !== LABEL) throw new SwornError('LEDGER_FOREIGN_FILE', `format ${LABEL} was expected`, 'seq=0')
  const { hash } = members
  if (hash !== 'sha256' && hash !== 'sha3-256') throw new SwornError('LEDGER_FOREIGN_FILE', 'a known hash was expected', 'seq=0')
  return {
    logId: textOf(members, 'log_id'),
    origin: textOf(members, 'origin'),
    vkey: textOf(members, 'vkey'),
    hash,
    recordSignatures: members.record_signatures === 'all' ? 'all' : 'none',
  }
}

function textOf(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string' || (name === 'log_id' && !/^[\w-]{22}$/.test(value))) {
    throw new SwornError('LEDGER_FOREIGN_FILE', 'a text was expected in log.open', `/${name}`)
  }
  return value
}

function readKept(identity: Identity, lines: readonly Line[]): Pick<Found, 'epochs' | 'prunedBelow' | 'prunedToArchive'> {
  let epochs: readonly Epoch[] = [{ key: parseVkey(identity.vkey) }]
  let [prunedBelow, prunedToArchive] = [0, false]
  for (const line of lines) {
    if (!ownHashHolds(line, identity.hash))
      throw new SwornError('LEDGER_CORRUPT', 'a kept record does not match its hash', `seq=${line.seq}`)
    const members = parseReserved(line)
    if (members?.event_type === 'log.key_transition') epochs = extendEpochs(epochs, asText(members.note), line.seq)
    const below = members?.event_type === 'log.prune' ? Number(asText(members.minimum_index)) : 0
    if (below > prunedBelow) [prunedBelow, prunedToArchive] = [below, typeof members?.archived_to === 'string']
  }
  return { epochs, prunedBelow, prunedToArchive }
}

export interface SignedState {
  readonly newest: SignedCheckpoint
  /** Notes that did not hold, by place. */
  readonly invalid: readonly string[]
}

/**
 * The newest of all notes that hold.
 *
 * @throws SwornError LEDGER_STATE_MISSING when the signer's own note is absent or does not hold;
 *   LEDGER_FORK for two notes of one size and different roots
 */
export function newestSigned(env: Env, found: Pick<Found, 'identity' | 'epochs'>): SignedState {
  const { signed } = keyLayout(env.home, found.identity.logId)
  const own = openCheckpoint(readSigned(env.ops, signed), found.identity.origin, found.epochs)
  if (!own) throw new SwornError('LEDGER_STATE_MISSING', 'the note of the signer does not hold', signed)
  const invalid: string[] = []
  return { newest: copiesThatHold(env, found, invalid).reduce(newer, own), invalid }
}

/** The notes beside the log; places of those that do not hold are added to `invalid`. */
export function copiesThatHold(env: Env, found: Pick<Found, 'identity' | 'epochs'>, invalid: string[]): SignedCheckpoint[] {
  return noteCopies(env).flatMap(([place, text]) => {
    const checkpoint = openCheckpoint(text, found.identity.origin, found.epochs)
    if (!checkpoint) invalid.push(place)
    return checkpoint ? [checkpoint] : []
  })
}

/** The larger of two checkpoints. @throws SwornError LEDGER_FORK */
export function newer(a: SignedCheckpoint, b: SignedCheckpoint): SignedCheckpoint {
  if (a.size === b.size && toHex(a.root) !== toHex(b.root))
    throw new SwornError('LEDGER_FORK', 'two roots were signed for one size', `size=${a.size}`)
  return b.size > a.size ? b : a
}

function noteCopies(env: Env): [place: string, text: string][] {
  const { layout, ops } = env
  const files = [join(layout.state, 'signed'), layout.checkpoint].flatMap((path): [string, string][] => {
    const bytes = readFile(ops, path)
    return bytes ? [[path, bytes.toString('utf8')]] : []
  })
  const last = splitKeptNotes(readFile(ops, layout.checkpointsLog) ?? Buffer.alloc(0)).notes.at(-1)
  return last === undefined ? files : [...files, [layout.checkpointsLog, last]]
}
