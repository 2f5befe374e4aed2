/**
 * Signed notes: a text, an empty line, signature lines.
 *
 *   note = text LF *( U+2014 SP name SP base64( id:4 | signature ) LF )        ; text ends in LF
 *
 * One note has one byte string: base64 is canonical, the split is at the last empty line, controls are
 * refused. The text MUST be ignored unless `openNote` returned it. Notes are attacker-controlled.
 * Source: C2SP signed-note.md, tlog-cosignature.md; behaviour of golang.org/x/mod/sumdb/note.
 * @module
 */
import { concat, text as decode, parseBase64, toBase64, utf8 } from './bytes.ts'
import { SwornError } from './errors.ts'
import { COSIGNATURE, idBytes, isKeyName, readId, type VerifierKey } from './keys.ts'
import type { Primitives } from './primitives.ts'

const MAX_SIGNATURES = 100
const MAX_NOTE_CHARACTERS = 1_000_000

export interface NoteSignature {
  name: string
  id: number
  /** Without the four ID bytes; at least one byte. */
  signature: Uint8Array
  /** The whole line without LF. */
  line: string
}

export interface Note {
  /** Ends in LF. Unverified. */
  text: string
  signatures: NoteSignature[]
}

export interface OpenedNote {
  text: string
  /** In the order of their lines, each key once. Not empty. */
  verified: VerifierKey[]
  /** Signatures of keys that were not given; equal lines once. */
  unverified: NoteSignature[]
}

/**
 * Takes a note apart without checking a signature.
 * @throws SwornError NOTE_MALFORMED
 */
export function parseNote(note: Uint8Array | string): Note {
  const whole = typeof note === 'string' ? note : decodeNote(note)
  if (whole.length > MAX_NOTE_CHARACTERS || !whole.isWellFormed() || /[\x00-\x09\x0b-\x1f]/.test(whole)) {
    throw refuse('a short text without control characters was expected')
  }
  const split = whole.lastIndexOf('\n\n')
  if (split < 0 || !whole.endsWith('\n')) throw refuse('a text, an empty line and signature lines were expected')
  const lines = whole
    .slice(split + 2)
    .split('\n')
    .slice(0, -1)
  if (lines.length === 0 || lines.length > MAX_SIGNATURES) throw refuse(`1 to ${MAX_SIGNATURES} signature lines were expected`)
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignature) }
}

function decodeNote(bytes: Uint8Array): string {
  try {
    return decode(bytes)
  } catch (cause) {
    throw new SwornError('NOTE_MALFORMED', 'UTF-8 was expected', '', { cause })
  }
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, base64, ...rest] = line.split(' ')
  if (dash !== '—' || name === undefined || base64 === undefined || rest.length > 0 || !isKeyName(name)) {
    throw refuse('a signature line was expected')
  }
  const bytes = parseBase64(base64)
  if (bytes.length < 5) throw refuse('a key ID and a signature were expected')
  return { name, id: readId(bytes), signature: bytes.subarray(4), line }
}

/**
 * Checks a note against the keys the caller trusts.
 *
 * A signature of a given key that does not verify rejects the whole note; signatures of other keys are
 * kept unverified. Of several signatures by one key only the first is looked at.
 *
 * @throws SwornError NOTE_MALFORMED; NOTE_UNVERIFIED when a given key's signature is bad or none is there;
 *   KEY_INVALID when two of the given keys fit one signature
 */
export async function openNote(p: Primitives, note: Uint8Array | string, keys: readonly VerifierKey[]): Promise<OpenedNote> {
  const { text, signatures } = parseNote(note)
  const verified: VerifierKey[] = []
  const unverified = new Map<string, NoteSignature>()
  for (const signature of signatures) {
    const [key, other] = keys.filter(({ name, id }) => name === signature.name && id === signature.id)
    if (other) throw new SwornError('KEY_INVALID', 'two of the given keys have one name and ID')
    if (!key) unverified.set(signature.line, signature)
    else if (!verified.includes(key)) {
      if (!(await isSignedBy(p, key, text, signature.signature))) throw unverifiedNote('a signature of a known key does not verify')
      verified.push(key)
    }
  }
  if (verified.length === 0) throw unverifiedNote('no known key signed the note')
  return { text, verified, unverified: [...unverified.values()] }
}

/** True when `signature` (as in the line, without ID) is `key`'s signature of the note text. */
export async function isSignedBy(p: Primitives, key: VerifierKey, text: string, signature: Uint8Array): Promise<boolean> {
  if (key.type !== COSIGNATURE) return signature.length === 64 && (await p.verifyEd25519(key.publicKey, utf8(text), signature))
  const seconds = cosignatureSeconds(signature)
  if (seconds === undefined) return false
  return p.verifyEd25519(key.publicKey, utf8(`cosignature/v1\ntime ${seconds}\n${text}`), signature.subarray(8))
}

/** When a witness signed, in seconds since 1970; undefined when the bytes are not a cosignature/v1 (8 + 64 bytes). */
export function cosignatureSeconds(signature: Uint8Array): bigint | undefined {
  if (signature.length !== 72) return undefined
  return new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
}

/** Writes a note: `text` (ending in LF) and one line for each signature, in order. */
export function formatNote(text: string, signatures: readonly { name: string; id: number; signature: Uint8Array }[]): string {
  const lines = signatures.map(({ name, id, signature }) => `— ${name} ${toBase64(concat(idBytes(id), signature))}\n`)
  return `${text}\n${lines.join('')}`
}

function refuse(message: string): SwornError {
  return new SwornError('NOTE_MALFORMED', message)
}

function unverifiedNote(message: string): SwornError {
  return new SwornError('NOTE_UNVERIFIED', message)
}
