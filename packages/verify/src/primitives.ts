/**
 * The cryptography that a host lends to this package.
 *
 * Two functions, so that the same verifier runs on Node, in a browser or in a test with its own.
 * `@sworn/verify/node` brings the implementation for Node.
 * @module
 */

/** The hash of a log's chain. Its tree is always SHA-256. */
export type HashName = 'sha256' | 'sha3-256'

export interface Primitives {
  /** The 32-byte digest of `bytes`. The result is not shared; `bytes` may be reused by the caller afterwards. */
  hash(name: HashName, bytes: Uint8Array): Uint8Array
  /** The same digest, written to `out[at, at + 32)`; may be left out. Verification asks for three digests an entry, so a host that spares the array is faster. */
  hashInto?(name: HashName, bytes: Uint8Array, out: Uint8Array, at: number): void
  /**
   * True when `signature` (64 bytes) is an Ed25519 signature of `message` under `publicKey` (32 bytes), RFC 8032.
   * False for every malformed input; weak keys are refused earlier, by `parseVkey`.
   */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** Writes the 32-byte digest of `bytes` to `out[at, at + 32)`. */
export function hashInto(p: Primitives, name: HashName, bytes: Uint8Array, out: Uint8Array, at: number): void {
  if (p.hashInto) p.hashInto(name, bytes, out, at)
  else out.set(p.hash(name, bytes), at)
}
