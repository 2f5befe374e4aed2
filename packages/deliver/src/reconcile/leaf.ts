/**
 * One entry as 32 bytes, so that what a sink holds can be compared with the ledger.
 *
 *   line that holds     RFC 9162 leaf of its entry hash: the ledger's own
 *   any other bytes     SHA-256(0x02 | bytes)         0x02 begins neither a leaf nor a node
 *
 * A line holds when its entry hash is the hash of its preimage and it carries no signature, which the tree does not
 * cover. Two lines with one leaf are byte for byte the same.
 * @module
 */
import { isJsonObject, type JsonValue, type Line, leafHash, parseHex, parseLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

/**
 * What is compared. `lines`: the ledger's exact lines. `bodies`: what would be sent, byte for byte. `values`: the same as
 * JSON values. `presence`: only that there is something for the entry.
 */
export type Claim = 'lines' | 'bodies' | 'values' | 'presence'

const OTHER = Buffer.of(2)
const HASHES = ['sha256', 'sha3-256'] as const

/** 32 bytes. @param body of an item, or what a sink holds in its place */
export function leafOf(claim: Claim, body: string | Buffer): Uint8Array {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (claim === 'lines') return leafOfLine(bytes) ?? other(bytes)
  if (claim === 'presence') return other(Buffer.alloc(0))
  return other(claim === 'values' ? Buffer.from(inOrder(bytes.toString('utf8'))) : bytes)
}

const SIGNATURE = Buffer.from(',"signature":"ed25519:')
/** A signature member and the brace behind it. */
const SIGNATURE_BYTES = 112

/** True for a line that carries a signature: its leaf here is not that of the tree. */
export function isSigned(line: Buffer): boolean {
  const at = line.length - SIGNATURE_BYTES
  return at > 0 && line.subarray(at, at + SIGNATURE.length).equals(SIGNATURE)
}

function other(bytes: Buffer): Uint8Array {
  return nodePrimitives.hash('sha256', Buffer.concat([OTHER, bytes]))
}

function leafOfLine(bytes: Buffer): Uint8Array | undefined {
  const line = tryLine(bytes)
  if (!line || line.signature !== undefined) return undefined
  const entryHash = parseHex(line.entryHash)
  const holds = HASHES.some((name) => Buffer.compare(nodePrimitives.hash(name, line.preimage), entryHash) === 0)
  return holds ? leafHash(nodePrimitives, entryHash) : undefined
}

function tryLine(bytes: Buffer): Line | undefined {
  try {
    return parseLine(bytes)
  } catch {
    return undefined
  }
}

/** JSON with members in one order; what is none as it stands. */
function inOrder(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text, (_, value: JsonValue) => (isJsonObject(value) ? sorted(value) : value)))
  } catch {
    return text
  }
}

function sorted(value: Readonly<Record<string, JsonValue>>): object {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
