/**
 * Signing keys in files: one PKCS #8 PEM each, 0600, in a folder 0700 that is not the ledger's.
 *
 * Of several processes that make the same key one wins. Source: AIP v1alpha2 §5.8.3; design §5.2 (keys).
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { createPrivateFile, readPrivateFile, SwornError } from '@sworn/recorder'
import { type KeyRing, type KeyStore, publicJwk } from './keys.ts'
import type { Algorithm } from './types.ts'

const SUFFIX = '.pem'

/**
 * @param folder made when absent
 * @param ledger the ledger's path: the folder must not lie in it
 * @throws SwornError KEY_INVALID when it does; IO_FAILED
 */
export function openKeyStore(folder: string, ledger: string): KeyStore {
  checkOutside(folder, ledger)
  attempt(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  const known = new Map<string, KeyObject>()
  const fileOf = (kid: string) => join(folder, `${kid}${SUFFIX}`)

  function read(kid: string): KeyObject | undefined {
    const key = known.get(kid) ?? readKey(fileOf(kid))
    if (key) known.set(kid, key)
    return key
  }

  return {
    create(kid, make) {
      const found = read(kid)
      if (found) return found
      createPrivateFile(fileOf(kid), make().export({ format: 'pem', type: 'pkcs8' }).toString())
      const key = read(kid)
      if (!key) throw new SwornError('IO_FAILED', 'the new key cannot be read', fileOf(kid))
      return key
    },
    read,
    list: () =>
      attempt(folder, () => readdirSync(folder)).flatMap((name) => (name.endsWith(SUFFIX) ? [name.slice(0, -SUFFIX.length)] : [])),
    remove(kid) {
      known.delete(kid)
      attempt(folder, () => rmSync(fileOf(kid), { force: true }))
    },
  }
}

/**
 * One key that a person manages (`key_source: file`).
 * @throws SwornError KEY_INVALID when the file is open to others, no private key, or of another algorithm; IO_FAILED
 */
export async function openKeyFile(path: string, algorithm: Algorithm, ledger: string): Promise<KeyRing> {
  checkOutside(path, ledger)
  const privateKey = readKey(path)
  if (!privateKey) throw new SwornError('IO_FAILED', 'the key file does not exist', path)
  if (algorithmOf(privateKey) !== algorithm) throw new SwornError('KEY_INVALID', `a key for ${algorithm} was expected`, path)
  const publicKey = createPublicKey(privateKey)
  const { calculateJwkThumbprint, exportJWK } = await import('jose')
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))
  return {
    signing: () => ({ kid, algorithm, privateKey }),
    verifying: (name) => (name === kid ? { kid, algorithm, publicKey } : undefined),
    published: async () => [await publicJwk(kid, algorithm, publicKey)],
  }
}

function checkOutside(path: string, ledger: string): void {
  const inside = (root: string) => resolve(path) === root || resolve(path).startsWith(root + sep)
  if (inside(resolve(ledger)) || inside(`${resolve(ledger)}.ledger`))
    throw new SwornError('KEY_INVALID', 'a place outside the ledger was expected', path)
}

/** undefined: there is no such file. */
function readKey(path: string): KeyObject | undefined {
  const pem = readPrivateFile(path, { code: 'KEY_INVALID' })
  if (pem === undefined) return undefined
  try {
    return createPrivateKey(pem)
  } catch {
    throw new SwornError('KEY_INVALID', 'a private key in PEM was expected', path) // no cause: it could quote the file
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): Algorithm | undefined {
  if (type === 'ed25519') return 'EdDSA'
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RS256'
  if (type !== 'ec') return undefined
  return ({ prime256v1: 'ES256', secp384r1: 'ES384' } as const)[details?.namedCurve ?? '']
}

/** A folder that does not accept a file is a state of the machine, and said as such. */
function attempt<T>(at: string, act: () => T): T {
  try {
    return act()
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('IO_FAILED', 'the key file cannot be used', at, { cause: e })
  }
}
