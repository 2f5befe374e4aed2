/** A log writer for tests: links records, signs checkpoints and transitions with keys from fixed seeds. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { nodePrimitives as p } from '@sworn/verify/node'
import {
  createFrontier,
  type Frontier,
  formatCheckpoint,
  formatNote,
  formatTransition,
  formatVkey,
  GENESIS,
  type HashName,
  leafHash,
  linkLine,
  parseHex,
  parseVkey,
  signableText,
  toBase64,
  utf8,
  type VerifierKey,
  withSignature,
} from '../../src/index.ts'

export const ORIGIN = 'sworn.local/test'

export interface Signer {
  key: VerifierKey
  sign(text: string): Uint8Array
}

/** The signer of a seed byte: the same one every time. */
export function signerOf(seed: number, name = ORIGIN, type = 1): Signer {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)])
  const secret: KeyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  const key = parseVkey(formatVkey(name, type, new Uint8Array(spki.subarray(-32))))
  return { key, sign: (text) => new Uint8Array(sign(null, utf8(text), secret)) }
}

export function noteBy(text: string, ...signers: Signer[]): string {
  return formatNote(
    text,
    signers.map((s) => ({ name: s.key.name, id: s.key.id, signature: s.sign(text) })),
  )
}

/** A note cosigned by a witness at `seconds`, appended to what `note` holds. */
export function cosigned(note: string, witness: Signer, seconds: number): string {
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1)
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigUint64(0, BigInt(seconds))
  const signature = new Uint8Array([...time, ...witness.sign(`cosignature/v1\ntime ${seconds}\n${text}`)])
  return note + formatNote('', [{ name: witness.key.name, id: witness.key.id, signature }]).slice(1)
}

export type Payload = Record<string, unknown>

export interface TestLog {
  readonly lines: Uint8Array[]
  readonly frontier: Frontier
  /** Appends one payload; returns its seq. */
  add(payload: Payload | string): number
  /** Appends a reserved record with its timestamp. */
  reserved(type: string, members?: Payload): number
  /** A signed checkpoint note over the present size. */
  note(...signers: Signer[]): string
  /** Appends an in-band checkpoint over the present size. */
  checkpoint(...signers: Signer[]): number
  transition(from: Signer, to: Signer, signers?: Signer[]): number
  /** Appends a payload with a record signature. */
  signed(payload: Payload, signer: Signer): number
  bytes(): Buffer
  root(): Uint8Array
  head(): string
}

export const time = (seq: number): string => new Date(Date.UTC(2026, 0, 2) + seq).toISOString()

export function joinLines(lines: readonly Uint8Array[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
}

/** An empty log, or one that begins with log.open when `opener` is given. */
export function writeLog(opener?: Signer, options: { hash?: HashName; open?: Payload } = {}): TestLog {
  const hash = options.hash ?? 'sha256'
  const lines: Uint8Array[] = []
  const frontier = createFrontier(p)
  let head = GENESIS
  const push = (payload: Payload | string, signer?: Signer): number => {
    const seq = frontier.size
    const linked = linkLine(p, hash, typeof payload === 'string' ? payload : JSON.stringify(payload), seq, head)
    head = linked.entryHash
    lines.push(signer ? withSignature(linked.line, signer.sign(signableText(ORIGIN, seq, head))) : linked.line)
    frontier.push(leafHash(p, parseHex(head)))
    return seq
  }
  const log: TestLog = {
    lines,
    frontier,
    add: (payload) => push(payload),
    reserved: (type, members = {}) => push({ timestamp: time(frontier.size), event_type: type, ...members }),
    note: (...signers) => noteBy(formatCheckpoint({ origin: ORIGIN, size: frontier.size, root: frontier.root() }), ...signers),
    checkpoint: (...signers) => log.reserved('log.checkpoint', { checkpoint: log.note(...signers) }),
    transition: (from, to, signers = [from, to]) => {
      const parts = { origin: ORIGIN, size: frontier.size, root: frontier.root(), oldVkey: from.key.vkey, newVkey: to.key.vkey }
      return log.reserved('log.key_transition', { note: noteBy(formatTransition(parts), ...signers) })
    },
    signed: (payload, signer) => push(payload, signer),
    bytes: () => joinLines(lines),
    root: () => frontier.root(),
    head: () => head,
  }
  if (opener) {
    log.reserved('log.open', {
      format: 'agent-audit-log/v1',
      origin: ORIGIN,
      log_id: 'AAAAAAAAAAAAAAAAAAAAAA',
      hash,
      vkey: opener.key.vkey,
      ...options.open,
    })
  }
  return log
}

/** The members of a log.segment record that would come next. */
export function segmentOf(log: TestLog): Payload {
  return { first_seq: log.frontier.size, frontier: toBase64(Buffer.concat(log.frontier.hashes())) }
}

/** A log of `events` events with a checkpoint behind every fourth, and its final note. */
export function sampleLog(signer: Signer, events: number, hash: HashName = 'sha256'): { log: TestLog; final: string } {
  const log = writeLog(signer, { hash })
  for (let i = 0; i < events; i++) {
    log.add({
      timestamp: time(i),
      event_type: 'tool_call_start',
      tool: 'read_file',
      arguments: { path: `/data/${i}`, n: i },
      session_id: 's',
    })
    if (i % 4 === 3) log.checkpoint(signer)
  }
  return { log, final: log.note(signer) }
}
