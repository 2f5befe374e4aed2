/**
 * One line of the log: the payload's bytes, then a fixed-form integrity suffix.
 *
 *   line       = body ,"seq":N,"previous_hash":"P","entry_hash":"E" [,"signature":"ed25519:S"] "}"
 *   preimage   = every byte up to and including the quote that closes P
 *   entry_hash = hex(H(preimage))
 *
 * Nothing is parsed as JSON: the suffix is found from the end of the line, so whatever a payload
 * contains cannot move it. The bytes are attacker-controlled. Format: docs/format.md.
 * @module
 */
import { concat, parseBase64, parseHex, text, toBase64, toHex, utf8 } from './bytes.ts'
import { SwornError } from './errors.ts'
import type { HashName, Primitives } from './primitives.ts'

/** Signed into everything; names the format, not the product. */
export const LABEL = 'agent-audit-log/v1'
/** previous_hash of the entry with seq 0. */
export const GENESIS = '0'.repeat(64)

/** `,"entry_hash":"` + 64 + `"}` */
export const ENTRY_TAIL_BYTES = 81
/** `,"signature":"ed25519:` + 88 + `"` */
export const SIGNATURE_BYTES = 111

const SEQ_HEAD = utf8(',"seq":')
const PREVIOUS_HEAD = utf8(',"previous_hash":"')
const ENTRY_HEAD = utf8('","entry_hash":"')
const SIGNATURE_HEAD = utf8(',"signature":"ed25519:')
const QUOTE = 0x22
const BRACE = 0x7d
/** From the first byte of `,"previous_hash"` to the end of an unsigned line. */
const HASHES_BYTES = PREVIOUS_HEAD.length + 64 + 1 + ENTRY_TAIL_BYTES
const MAX_SEQ_DIGITS = 16

export interface Line {
  seq: number
  /** 64 lower-case hex characters, as stated in the line. */
  previousHash: string
  /** 64 lower-case hex characters, as stated in the line; not recomputed here. */
  entryHash: string
  /** 64 bytes, unchecked. */
  signature?: Uint8Array
  /** What entry_hash is the hash of. */
  preimage: Uint8Array
  /** The payload without its final `}`. */
  body: Uint8Array
}

/** Where the parts of a line lie: offsets into the buffer that was searched. Reused by the streaming reader. */
export interface Suffix {
  seq: number
  /** First byte of `,"seq":`, or of `"seq":` in a stub: the end of the body. */
  bodyEnd: number
  /** First hex character of P and of E. */
  previousAt: number
  entryAt: number
  /** End of the preimage. */
  preimageEnd: number
  /** First base64 character of S, or -1. */
  signatureAt: number
}

/** An empty `Suffix` for `findSuffix` to fill. */
export function createSuffix(): Suffix {
  return { seq: 0, bodyEnd: 0, previousAt: 0, entryAt: 0, preimageEnd: 0, signatureAt: -1 }
}

/**
 * Finds the integrity suffix of the line `bytes[start, end)` (no LF) and fills `out`.
 *
 * @returns undefined when the form holds, else what was expected. The hashes are not computed.
 */
export function findSuffix(bytes: Uint8Array, start: number, end: number, out: Suffix): string | undefined {
  return findForm(bytes, start, end, out) ?? (isHex64(bytes, out.previousAt) && isHex64(bytes, out.entryAt) ? undefined : HEX_EXPECTED)
}

/** What `findSuffix` says of hashes of another alphabet. */
export const HEX_EXPECTED = '64 lower-case hex characters were expected'

/** As `findSuffix`, without a look at the characters of the two hashes: for a caller that compares them with hashes. */
export function findForm(bytes: Uint8Array, start: number, end: number, out: Suffix): string | undefined {
  if (bytes[start] !== 0x7b) return 'a line starting with { was expected'
  if (bytes[end - 1] !== BRACE) return 'a line ending with } was expected'
  const signed = isAt(bytes, end - 1 - SIGNATURE_BYTES, SIGNATURE_HEAD, start) && bytes[end - 2] === QUOTE
  out.signatureAt = signed ? end - 1 - SIGNATURE_BYTES + SIGNATURE_HEAD.length : -1
  const close = signed ? end - SIGNATURE_BYTES : end // where an unsigned line would end
  const hashesAt = close - HASHES_BYTES
  out.previousAt = hashesAt + PREVIOUS_HEAD.length
  out.preimageEnd = close - ENTRY_TAIL_BYTES
  out.entryAt = close - 66
  if (hashesAt <= start || bytes[close - 2] !== QUOTE) return 'entry_hash was expected at the end of the line'
  if (!isAt(bytes, hashesAt, PREVIOUS_HEAD, start) || !isAt(bytes, out.preimageEnd - 1, ENTRY_HEAD, start)) {
    return 'previous_hash and entry_hash were expected at the end of the line'
  }
  return findSeq(bytes, start, hashesAt, out)
}

function findSeq(bytes: Uint8Array, start: number, end: number, out: Suffix): string | undefined {
  let at = end
  let seq = 0
  for (let scale = 1; at > start && end - at < MAX_SEQ_DIGITS && isDigit(bytes[at - 1]!); scale *= 10) seq += (bytes[--at]! - 0x30) * scale
  const digits = end - at
  if (digits === 0 || (digits > 1 && bytes[at] === 0x30) || !Number.isSafeInteger(seq)) return 'a seq without leading zero was expected'
  out.seq = seq
  out.bodyEnd = at - SEQ_HEAD.length
  // A stub has no payload: `{"seq":` with the brace where the comma would be.
  if (out.bodyEnd === start && isAt(bytes, start + 1, SEQ_HEAD.subarray(1), start)) return undefined
  return out.bodyEnd > start + 1 && isAt(bytes, out.bodyEnd, SEQ_HEAD, start) ? undefined : 'seq was expected behind a payload'
}

/** previous_hash of a found line, 32 bytes. */
export function previousHashOf(bytes: Uint8Array, suffix: Suffix): Uint8Array {
  return parseHex(ascii(bytes, suffix.previousAt, 64))
}

/** entry_hash as a found line states it, 32 bytes. */
export function entryHashOf(bytes: Uint8Array, suffix: Suffix): Uint8Array {
  return parseHex(ascii(bytes, suffix.entryAt, 64))
}

/** True when the found line carries no payload: the record was withheld and only its hashes are shown. */
export function isStub(start: number, suffix: Suffix): boolean {
  return suffix.bodyEnd === start
}

/**
 * Takes one line apart.
 *
 * @param bytes the line without its LF; attacker-controlled
 * @returns the parts as stated; views share memory with `bytes`. No hash or signature is checked
 * @throws SwornError LINE_MALFORMED when the suffix does not have the fixed form, or the payload is empty
 */
export function parseLine(bytes: Uint8Array): Line {
  const suffix = createSuffix()
  const problem = findSuffix(bytes, 0, bytes.length, suffix) ?? (isStub(0, suffix) ? 'a payload was expected' : undefined)
  if (problem !== undefined) throw new SwornError('LINE_MALFORMED', problem)
  if (bytes.includes(0x0a)) throw new SwornError('LINE_MALFORMED', 'one line was expected, found LF')
  const signature = readSignature(bytes, suffix)
  return {
    seq: suffix.seq,
    previousHash: ascii(bytes, suffix.previousAt, 64),
    entryHash: ascii(bytes, suffix.entryAt, 64),
    ...(signature && { signature }),
    preimage: bytes.subarray(0, suffix.preimageEnd),
    body: bytes.subarray(0, suffix.bodyEnd),
  }
}

/**
 * The 64 signature bytes of a found line, or undefined when it has none.
 * @throws SwornError LINE_MALFORMED when the 88 characters are not canonical base64
 */
export function readSignature(bytes: Uint8Array, suffix: Suffix): Uint8Array | undefined {
  if (suffix.signatureAt < 0) return undefined
  try {
    return parseBase64(ascii(bytes, suffix.signatureAt, 88))
  } catch (cause) {
    throw new SwornError('LINE_MALFORMED', '64 signature bytes in canonical base64 were expected', `seq=${suffix.seq}`, { cause })
  }
}

/**
 * Links a payload into the chain.
 *
 * @param payload compact JSON of a non-empty object, `{…}`; not parsed or checked here
 * @param previousHash entry_hash of seq - 1, or GENESIS
 * @returns the unsigned line without LF, and its entry_hash
 */
export function linkLine(
  p: Primitives,
  hash: HashName,
  payload: Uint8Array | string,
  seq: number,
  previousHash: string,
): { line: Uint8Array; entryHash: string } {
  const body = typeof payload === 'string' ? utf8(payload) : payload
  const link = utf8(`,"seq":${seq},"previous_hash":"${previousHash}"`)
  const bytes = new Uint8Array(body.length - 1 + link.length + ENTRY_TAIL_BYTES)
  bytes.set(body.subarray(0, -1))
  bytes.set(link, body.length - 1)
  const entryHash = toHex(p.hash(hash, bytes.subarray(0, -ENTRY_TAIL_BYTES)))
  bytes.set(utf8(`,"entry_hash":"${entryHash}"}`), bytes.length - ENTRY_TAIL_BYTES)
  return { line: bytes, entryHash }
}

/** The note text that a per-record signature signs. */
export function signableText(origin: string, seq: number, entryHash: string): string {
  return `${LABEL} record\n${origin}\n${seq}\n${entryHash}\n`
}

/** An unsigned line (no LF) with the 64-byte `signature` as its last member. */
export function withSignature(line: Uint8Array, signature: Uint8Array): Uint8Array {
  return concat(line.subarray(0, -1), SIGNATURE_HEAD, utf8(`${toBase64(signature)}"}`))
}

/** True when `part` stands at `at`, not before `start`. */
function isAt(bytes: Uint8Array, at: number, part: Uint8Array, start: number): boolean {
  if (at < start) return false
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** True when `bytes[at, at + 64)` are lower-case hex characters. */
export function isHex64(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 64; i++) {
    const byte = bytes[i]!
    if (!isDigit(byte) && (byte < 0x61 || byte > 0x66)) return false
  }
  return true
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return text(bytes.subarray(at, at + length))
}
