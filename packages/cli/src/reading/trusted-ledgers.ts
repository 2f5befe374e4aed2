/**
 * Which key a verifier trusts for a ledger: `--key`, else `ledgers.json` of this user.
 *
 * Trust never comes from the ledger: its own log.open only says which row of ledgers.json to compare with.
 * @module
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import { readTextFile } from '@sworn/recorder/reading'
import { ED25519, formatVkey, isJsonObject, type JsonValue, parseVkey, SwornError, toHex, type VerifierKey } from '@sworn/verify'

export interface KnownLedger {
  readonly path: string
  readonly logId: string
  readonly vkey: string
  readonly signedSize: number
}

/** Every ledger this user's state directory knows. @throws SwornError IO_FAILED when the file is not what was written */
export function readKnownLedgers(state: string): KnownLedger[] {
  const file = join(state, 'ledgers.json')
  const text = readTextFile(file)
  if (!text) return []
  try {
    const rows: JsonValue = JSON.parse(text)
    if (!isJsonObject(rows)) throw new TypeError('an object was expected')
    return Object.entries(rows).map(readRow)
  } catch (e) {
    throw new SwornError('IO_FAILED', 'an object of ledgers by path was expected', file, { cause: e })
  }
}

function readRow([path, row]: [string, JsonValue]): KnownLedger {
  if (!isJsonObject(row)) throw new TypeError('an object was expected')
  const { log_id: logId, vkey, signed_size: signedSize = 0 } = row
  const isSize = typeof signedSize === 'number' && Number.isSafeInteger(signedSize) && signedSize >= 0
  if (typeof logId !== 'string' || typeof vkey !== 'string' || !isSize) throw new TypeError('log_id, vkey and signed_size were expected')
  return { path, logId, vkey, signedSize }
}

/**
 * The ledger at `path`, as `findLedger`, but a ledger that this user knows to have been there is not merely absent.
 * @param state SWORN_HOME's directory
 * @throws SwornError LEDGER_NOT_FOUND, LEDGER_FOREIGN_FILE; LEDGER_ROLLBACK when the one that was here is gone
 */
export function findOwnLedger(path: string, cwd: string, state: string): LedgerFiles {
  try {
    return findLedger(path, cwd)
  } catch (e) {
    if (!SwornError.is(e, 'LEDGER_NOT_FOUND')) throw e
    const known = findKnown(readKnownLedgers(state), resolve(cwd, path), {})
    if (!known) throw e
    const held = `a ledger was here, signed up to size ${known.signedSize}, and is gone`
    throw new SwornError('LEDGER_ROLLBACK', held, path, { cause: e })
  }
}

/** What a log says of itself in its first line; unverified. */
export interface Opening {
  readonly origin?: string
  readonly logId?: string
}

/** The row for this path, else for this log_id or origin (a key's name is its log's origin). */
export function findKnown(rows: readonly KnownLedger[], path: string, opening: Opening): KnownLedger | undefined {
  const real = existsSync(path) ? realpathSync(path) : path
  return (
    rows.find((row) => row.path === real) ??
    rows.find((row) => row.logId === opening.logId) ??
    rows.find((row) => opening.origin !== undefined && row.vkey.startsWith(`${opening.origin}+`))
  )
}

/**
 * The key that `--key` names: a verifier key, or a file with one or with a PEM public key.
 * @param origin names a PEM key, which has no name of its own
 * @throws SwornError KEY_INVALID
 */
export function readKey(text: string, cwd: string, origin: string | undefined): VerifierKey {
  return parseKey(readTextFile(resolve(cwd, text)) ?? text, origin, '--key')
}

/** A verifier key, or a PEM public key. @param at the option, for messages @throws SwornError KEY_INVALID */
export function parseKey(text: string, origin: string | undefined, at: string): VerifierKey {
  const content = text.trim()
  if (!content.startsWith('-----BEGIN')) return readVkey(content, at)
  if (/PRIVATE KEY/.test(content)) throw new SwornError('KEY_INVALID', 'a public key was expected, a private one was found', at)
  return parseVkey(formatVkey(origin ?? 'key', ED25519, readPem(content, at)))
}

/** DER in front of the 32 key bytes: SubjectPublicKeyInfo of Ed25519, RFC 8410 §4. */
const SPKI_HEAD = '302a300506032b6570032100'

/** The same key for Node's own checks. */
export function toPublicKey({ publicKey }: VerifierKey): KeyObject {
  return createPublicKey({ key: Buffer.from(SPKI_HEAD + toHex(publicKey), 'hex'), format: 'der', type: 'spki' })
}

/** The key as text; the error names the option, never the text. */
function readVkey(text: string, at: string): VerifierKey {
  try {
    return parseVkey(text)
  } catch (cause) {
    if (!SwornError.is(cause, 'KEY_INVALID')) throw cause
    throw new SwornError('KEY_INVALID', cause.message, at, { cause })
  }
}

function readPem(content: string, at: string): Uint8Array {
  try {
    const key = createPublicKey(content)
    if (key.asymmetricKeyType === 'ed25519') return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32))
  } catch {
    // said below without quoting the key
  }
  throw new SwornError('KEY_INVALID', 'an Ed25519 public key in PEM was expected', at)
}
