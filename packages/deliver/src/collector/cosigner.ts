/**
 * The collector's own key, and its signature that it has seen a checkpoint.
 *
 *   message   = "cosignature/v1" LF "time " seconds LF checkpoint text
 *   signature = seconds:u64be | Ed25519(message):64
 *
 * The key is made at the first start: PKCS#8, 0600, in the state directory, never in a mirror. Its name comes from the
 * key itself. Source: C2SP tlog-cosignature.md.
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import { createPrivateFile, readPrivateFile } from '@sworn/recorder'
import { COSIGNATURE, formatNote, formatVkey, parseNote, parseVkey, SwornError, type VerifierKey } from '@sworn/verify'

export interface Cosigner {
  readonly key: VerifierKey
  /** The checkpoint's signature line, without LF. @param text of a note, ending in LF @param now milliseconds since 1970 */
  cosign(text: string, now: number): string
}

/** Reads the key in `<state>/collector`, and makes it when there is none. @throws SwornError KEY_INVALID, IO_FAILED */
export function openCosigner(state: string): Cosigner {
  const path = join(state, 'collector', 'key.pem')
  const pem = readPrivateFile(path, { code: 'KEY_INVALID' }) ?? makeKey(path)
  return createCosigner(parsePem(pem, path))
}

function makeKey(path: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  createPrivateFile(path, String(privateKey.export({ format: 'pem', type: 'pkcs8' })))
  const pem = readPrivateFile(path, { code: 'KEY_INVALID' }) // of several that start together one made it
  if (pem === undefined) throw new SwornError('IO_FAILED', 'the new key cannot be read', path)
  return pem
}

function parsePem(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // said below without quoting the key
  }
  throw new SwornError('KEY_INVALID', 'an Ed25519 key in PKCS#8 was expected', path)
}

function createCosigner(secret: KeyObject): Cosigner {
  const publicKey = new Uint8Array(Buffer.from(createPublicKey(secret).export({ format: 'jwk' }).x ?? '', 'base64url'))
  const name = `collector.sworn.local/${hash('sha256', publicKey, 'hex').slice(0, 16)}`
  const key = parseVkey(formatVkey(name, COSIGNATURE, publicKey))
  return {
    key,
    cosign(text, now) {
      const seconds = BigInt(Math.floor(now / 1000))
      const time = Buffer.alloc(8)
      time.writeBigUInt64BE(seconds)
      const signature = Buffer.concat([time, sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), secret)])
      return parseNote(formatNote(text, [{ name, id: key.id, signature }])).signatures[0]!.line // one was written
    },
  }
}
