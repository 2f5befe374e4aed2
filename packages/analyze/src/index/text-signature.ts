/**
 * Which texts a block of lines may hold: 65,536 bits a block, one for each sequence of three characters in it.
 *
 *   class    of a byte: letters without case and digits apart, all other bytes in 28 classes; 6 bits
 *   bit      of three classes in a row: (c1 << 12 | c2 << 6 | c3) * 0x9e3779b1 mod 2^32 >> 16
 *   hex bit  of eight hex digits in a row, one sequence in four, which the first multiplier picks
 *
 * A set bit proves nothing, a clear one that no line of the block holds the text. Three characters do not tell
 * identifiers apart, since any block holds nearly all pairs of hex digits; the hex bits do.
 * The bytes are attacker-controlled: they can fill a signature, which costs time and hides nothing.
 * @module
 */

export const SIGNATURE_BYTES = 8192
const BITS = SIGNATURE_BYTES * 8
const HEX_RUN = 8
const THREE_MIX = 0x9e3779b1
const PICK_MIX = 0x85ebca6b
const HEX_MIX = 0xc2b2ae35

/** That of a hex digit is its value. */
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte))
/** All bits for a hex digit, none for any other byte. */
const HEX = Int32Array.from(CLASS, (kind) => (kind < 16 ? -1 : 0))

function classOf(byte: number): number {
  const lower = byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte
  if (lower >= 0x61 && lower <= 0x7a) return lower - 0x61 + 10
  return lower >= 0x30 && lower <= 0x39 ? lower - 0x30 : 36 + (byte % 28)
}

/** Collects the texts of one block after the other. */
export interface TextSigner {
  /** Takes in `bytes[from, to)`: JSON as it is stored. */
  add(bytes: Uint8Array, from: number, to: number): void
  /** The block holds a text in a spelling that its bytes do not show. */
  admitAll(): void
  /** SIGNATURE_BYTES bytes over what was added; begins anew. */
  take(): Uint8Array<ArrayBuffer>
}

export function createTextSigner(): TextSigner {
  const seen = new Uint8Array(BITS + 1) // the last one is for hex digits that were not picked
  return {
    add: (bytes, from, to) => mark(seen, bytes, from, to),
    admitAll: () => void seen.fill(1),
    take() {
      const signature = new Uint8Array(SIGNATURE_BYTES)
      for (let i = 0, bit = 0; i < SIGNATURE_BYTES; i++) {
        let byte = 0
        for (let n = 0; n < 8; n++) byte |= seen[bit++]! << n
        signature[i] = byte
      }
      seen.fill(0)
      return signature
    },
  }
}

/**
 * The inner loop of indexing: as `bitOf`, `isPicked` and `hexBit`, spelt out because the calls cost as much again.
 * Nothing branches on what is picked, since a processor guesses that wrong every fourth time.
 */
function mark(seen: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
  let three = 0
  let hex = 0
  let run = 0
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    const kind = CLASS[byte]!
    three = ((three << 6) | kind) & 0x3ffff
    seen[Math.imul(three, THREE_MIX) >>> 16] = 1
    hex = (hex << 4) | (kind & 15) // 32 bits: the last eight digits
    run = (run + 1) & HEX[byte]!
    if (run >= HEX_RUN) {
      const passed = ((Math.imul(hex, PICK_MIX) >>> 30) + 3) >> 2 // 0 when it is picked, 1 when it is not
      seen[((Math.imul(hex, HEX_MIX) >>> 16) & (passed - 1)) | (passed * BITS)] = 1
    }
  }
}

function bitOf(three: number): number {
  return Math.imul(three, THREE_MIX) >>> 16
}

function isPicked(hex: number): boolean {
  return Math.imul(hex, PICK_MIX) >>> 30 === 0
}

function hexBit(hex: number): number {
  return Math.imul(hex, HEX_MIX) >>> 16
}

/** Spellings that fold to ASCII, or hide it: KELVIN SIGN, I WITH DOT ABOVE, and escapes of what needs none. */
const KELVIN = Buffer.from('\u212a')
const DOTTED_I = Buffer.from('\u0130')
const ESCAPE = Buffer.from('\\u')

/** Offsets in `bytes`, ascending, where a value may spell ASCII in another way than the signature reads it. */
export function findOtherSpellings(bytes: Buffer): number[] {
  return [
    ...occurrences(bytes, KELVIN),
    ...occurrences(bytes, DOTTED_I),
    ...occurrences(bytes, ESCAPE).filter((at) => isNeedlessEscape(bytes.toString('latin1', at + 2, at + 6))),
  ].sort((a, b) => a - b)
}

function occurrences(bytes: Buffer, part: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) found.push(at)
  return found
}

function isNeedlessEscape(digits: string): boolean {
  return /^00[2-7]/.test(digits) || /^0130$|^212a$/i.test(digits)
}

/** What JSON writes in one way only, and folds to one spelling. */
const PLAIN = /[ !#-.0-[\]-~]{3,}/g

/** The bits that a block has when one of its values holds `text`, without regard to case. Empty: any block may. */
export function signatureBits(text: string): readonly number[] {
  const bits = new Set<number>()
  for (const [run] of text.toLowerCase().matchAll(PLAIN)) {
    const bytes = Buffer.from(run, 'latin1')
    for (let i = 2; i < bytes.length; i++) bits.add(bitOf((CLASS[bytes[i - 2]!]! << 12) | (CLASS[bytes[i - 1]!]! << 6) | CLASS[bytes[i]!]!))
    for (const [, digits] of run.matchAll(/(?=([0-9a-f]{8}))/g)) {
      const hex = Number.parseInt(digits!, 16) | 0
      if (isPicked(hex)) bits.add(hexBit(hex))
    }
  }
  return [...bits]
}

/** False: no line of the block holds the text that `bits` were made of. */
export function mayHold(signature: Uint8Array, bits: readonly number[]): boolean {
  return bits.every((bit) => (signature[bit >>> 3]! >>> (bit & 7)) & 1)
}
