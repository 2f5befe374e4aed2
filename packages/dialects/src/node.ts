/**
 * The primitives for foreign formats on Node: those of `@sworn/verify/node`, and ES256.
 * @module
 */
import { createPublicKey, verify } from 'node:crypto'
import { nodePrimitives } from '@sworn/verify/node'
import type { ForeignPrimitives } from './foreign/report.ts'

/** DER in front of x and y: SubjectPublicKeyInfo of P-256, RFC 5480 §2. */
const SPKI_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

export const foreignPrimitives: ForeignPrimitives = {
  ...nodePrimitives,
  verifyEs256(publicKey, message, signature) {
    try {
      const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' })
      return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
    } catch {
      return false // not a point of the curve
    }
  },
}
