/**
 * Lines as they arrive at a collector: each is checked before it counts.
 *
 * Form, position, link and hash of every line; what the ledger's own records say; each checkpoint against the tree and
 * the key of its epoch. A ledger says in its first line which key signs it, and that is believed once, where the operator
 * names no keys: from then on the mirror holds it to that. Lines are hostile. Format: docs/format.md.
 * @module
 */
import { isUtf8 } from 'node:buffer'
import {
  asText,
  concat,
  createEpochs,
  createFrontier,
  equalBytes,
  type Frontier,
  isJsonObject,
  type JsonObject,
  LABEL,
  type Line,
  leafHash,
  openNote,
  parseBase64,
  parseCheckpoint,
  parseHex,
  parseLine,
  parseNote,
  parseStrict,
  parseTransition,
  parseVkey,
  SwornError,
  toBase64,
  toHex,
  utf8,
} from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { MirrorState } from './state.ts'

/** Leaves between the newest checkpoint and the end, at most: 32 MB. */
const MAX_UNSIGNED = 1 << 20
const CLOSE = utf8('}')
const RESERVED = Buffer.from('"event_type":"log.')

/** Lines that follow on a state, and what comes of them. Nothing is changed but this. */
export interface Draft {
  state: MirrorState
  readonly frontier: Frontier
  /** Leaves behind the newest checkpoint. */
  unsigned: Uint8Array[]
  /** Where a segment begins: at these lines of the batch. */
  readonly cuts: number[]
  readonly leaves: Uint8Array[]
}

/** @param unsigned the leaves from the size of the newest checkpoint on */
export function beginDraft(state: MirrorState, unsigned: readonly Uint8Array[]): Draft {
  return { state, frontier: frontierOf(state.size, state.frontier), unsigned: [...unsigned], cuts: [], leaves: [] }
}

/**
 * Takes the line that has to come next.
 * @param bytes without LF
 * @throws SwornError LINE_MALFORMED, MIRROR_GAP, MIRROR_FORK, LEDGER_FOREIGN_FILE, NOTE_*, CHECKPOINT_MALFORMED, KEY_INVALID
 */
export async function takeLine(draft: Draft, bytes: Uint8Array): Promise<void> {
  const { state } = draft
  const at = `seq=${state.size}`
  const line = parseLine(bytes)
  if (!isUtf8(bytes) || bytes.includes(0)) throw refuse('a line of UTF-8 text was expected', at)
  if (line.seq !== state.size) throw new SwornError('MIRROR_GAP', `entry ${state.size} was expected, found ${line.seq}`, at)
  if (state.closed) throw refuse('nothing behind log.close was expected', at)
  if (line.previousHash !== state.head) throw new SwornError('MIRROR_FORK', 'an entry that follows on the last one was expected', at)
  const record = readRecord(line, bytes, at)
  if (state.size === 0) draft.state = { ...state, ...openLedger(record, state.logId) }
  checkHash(draft.state, line, at)
  if (state.size > 0 && record) await takeRecord(draft, record, at)
  push(draft, line)
  if (record?.event_type === 'log.segment') draft.cuts.push(draft.leaves.length - 1)
  if (draft.unsigned.length > MAX_UNSIGNED) throw refuse('a checkpoint was expected', at)
}

/** Leaf of a line that the mirror has already; undefined for one whose hash does not hold. */
export function leafOfHeld({ hash }: MirrorState, { preimage, entryHash }: Line): Uint8Array | undefined {
  const digest = nodePrimitives.hash(hash, preimage)
  return toHex(digest) === entryHash ? leafHash(nodePrimitives, digest) : undefined
}

function push(draft: Draft, { entryHash }: Line): void {
  const leaf = leafHash(nodePrimitives, parseHex(entryHash))
  draft.frontier.push(leaf)
  draft.leaves.push(leaf)
  draft.unsigned.push(leaf)
  draft.state = { ...draft.state, size: draft.state.size + 1, head: entryHash }
}

function checkHash({ hash }: MirrorState, { preimage, entryHash }: Line, at: string): void {
  if (toHex(nodePrimitives.hash(hash, preimage)) !== entryHash) throw refuse('the hash of the line was expected in entry_hash', at)
}

/** A record of the ledger's own; undefined for every other line. */
function readRecord({ body }: Line, bytes: Uint8Array, at: string): (JsonObject & { event_type: string }) | undefined {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(RESERVED)) return undefined
  const value = tryStrict(concat(body, CLOSE))
  if (!isJsonObject(value)) throw refuse('a record of I-JSON was expected', at)
  const { event_type: type } = value
  return typeof type === 'string' && type.startsWith('log.') ? { ...value, event_type: type } : undefined
}

function tryStrict(bytes: Uint8Array) {
  try {
    return parseStrict(bytes)
  } catch {
    return undefined
  }
}

function openLedger(record: JsonObject | undefined, logId: string): Pick<MirrorState, 'origin' | 'hash' | 'epochs' | 'identity'> {
  const { event_type: type, format, origin, log_id: named, hash, vkey, identity_vkey: identity } = record ?? {}
  if (type !== 'log.open' || format !== LABEL) throw new SwornError('LEDGER_FOREIGN_FILE', `a log.open of ${LABEL} was expected`, 'seq=0')
  if (named !== logId) throw refuse('the log_id of the path was expected', 'seq=0')
  if (hash !== 'sha256' && hash !== 'sha3-256') throw refuse('a known hash was expected', 'seq=0')
  const key = parseVkey(asText(vkey))
  if (key.name !== origin) throw refuse('a key named like the origin was expected', 'seq=0')
  return {
    origin,
    hash,
    epochs: [{ vkey: key.vkey, after: -1 }],
    identity: typeof identity === 'string' ? parseVkey(identity).vkey : undefined,
  }
}

async function takeRecord(draft: Draft, record: JsonObject & { event_type: string }, at: string): Promise<void> {
  if (record.event_type === 'log.open') throw refuse('no second log.open was expected', at)
  if (record.event_type === 'log.close') draft.state = { ...draft.state, closed: true }
  if (record.event_type === 'log.checkpoint') await takeCheckpoint(draft, asText(record.checkpoint), at)
  if (record.event_type === 'log.key_transition') await takeTransition(draft, asText(record.note), at)
}

/**
 * Takes a checkpoint over what is there: the size is greater than that of the one before, the root the tree's, the
 * signature that of its epoch.
 * @throws SwornError MIRROR_FORK for another root, NOTE_*, CHECKPOINT_MALFORMED, LINE_MALFORMED
 */
async function takeCheckpoint(draft: Draft, note: string, at: string): Promise<void> {
  const { state, unsigned } = draft
  const { origin, size, root } = parseCheckpoint(parseNote(note).text)
  const before = state.signed?.size ?? 0
  if (origin !== state.origin || size <= before || size > state.size)
    throw refuse('a checkpoint of this ledger between the one before and the own seq was expected', at)
  await checkSigned(state, note, size)
  const frontier = frontierAt(draft, size)
  if (!equalBytes(frontier.root(), root)) throw new SwornError('MIRROR_FORK', `the root of size ${size} was expected`, at)
  draft.unsigned = unsigned.slice(size - before)
  draft.state = { ...state, signed: { size, frontier: frontier.hashes().map((hash) => toBase64(hash)), note } }
}

/** The tree at a size that lies between the newest checkpoint and the end. */
export function frontierAt(
  { state, unsigned }: { readonly state: MirrorState; readonly unsigned: readonly Uint8Array[] },
  size: number,
): Frontier {
  const { signed } = state
  const frontier = frontierOf(signed?.size ?? 0, signed?.frontier ?? [])
  for (const leaf of unsigned.slice(0, size - (signed?.size ?? 0))) frontier.push(leaf)
  return frontier
}

/** @throws SwornError NOTE_UNVERIFIED unless the key of the epoch signed it */
export async function checkSigned(state: MirrorState, note: string, size: number): Promise<void> {
  const [first, ...rest] = state.epochs
  if (!first) throw refuse('a log.open was expected', 'seq=0')
  const chain = createEpochs(parseVkey(first.vkey), first.after)
  for (const { vkey, after } of rest) chain.add(parseVkey(vkey), after)
  const epoch = chain.at(size)
  await openNote(nodePrimitives, note, epoch ? [epoch.key] : [])
}

async function takeTransition(draft: Draft, text: string, at: string): Promise<void> {
  const { state, frontier } = draft
  const { origin, size, root, oldKey, newKey } = parseTransition(parseNote(text).text)
  if (origin !== state.origin || size !== state.size || oldKey.vkey !== state.epochs.at(-1)?.vkey)
    throw refuse('a transition from the key of this epoch was expected', at)
  if (!equalBytes(frontier.root(), root)) throw new SwornError('MIRROR_FORK', `the root of size ${size} was expected`, at)
  const old = state.identity === undefined ? [oldKey] : [oldKey, parseVkey(state.identity)]
  const { verified } = await openNote(nodePrimitives, text, [...old, newKey])
  if (!verified.includes(newKey) || verified.length < 2)
    throw new SwornError('NOTE_UNVERIFIED', 'the old and the new key were expected to sign', at)
  draft.state = { ...state, epochs: [...state.epochs, { vkey: newKey.vkey, after: size }] }
}

function frontierOf(size: number, hashes: readonly string[]): Frontier {
  return createFrontier(nodePrimitives, { size, hashes: hashes.map((hash) => parseBase64(hash)) })
}

function refuse(message: string, at: string): SwornError {
  return new SwornError('LINE_MALFORMED', message, at)
}
