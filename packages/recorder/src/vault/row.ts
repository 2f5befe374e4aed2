/**
 * A row of the vault: one disclosure under its subject's key.
 *
 *   {"digest","subject_id","pointer","event_id","iv","ct"}
 *   ct  = base64url( AES-256-GCM ciphertext ‖ 16-byte tag ), iv = base64url of 12 random bytes
 *   AAD = UTF-8 of JSON.stringify([LABEL, "vault", origin, event_id, pointer, digest])
 *
 * GCM does not commit to its key: what was decrypted counts only when its digest is that of the row, which is the one
 * in the line. Rows come from other processes and from disk: both are attacker-controlled. Source: docs/format.md, "Committed values".
 * @module
 */
import { LABEL } from '@sworn/verify'
import { digestOf } from './disclosure.ts'
import { seal, unseal } from './primitives.ts'

export interface VaultRow {
  /** 43 characters of base64url. */
  readonly digest: string
  readonly subject_id: string
  /** JSON pointer of the value in its event. */
  readonly pointer: string
  readonly event_id: string
  readonly iv: string
  readonly ct: string
}

export interface SealOptions {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly origin: string
}

/** A row is a line of at most this many characters. */
export const MAX_ROW_CHARS = 1 << 20
const FORMS = {
  digest: /^[\w-]{43}$/,
  subject_id: /^[\w:-]{1,128}$/,
  pointer: /^\/[^\n]{0,8192}$/,
  event_id: /^[\w-]{1,64}$/,
  iv: /^[\w-]{16}$/,
  ct: /^[\w-]{22,}$/,
} as const satisfies Record<keyof VaultRow, RegExp>
const NAMES = Object.keys(FORMS) as (keyof VaultRow)[] // the table's own keys

/** @param iv 12 random bytes, never used before with this key */
export function sealRow(
  place: Pick<VaultRow, 'subject_id' | 'pointer' | 'event_id'>,
  disclosure: string,
  iv: Uint8Array,
  { key, origin }: SealOptions,
): VaultRow {
  const digest = digestOf(disclosure)
  const ct = seal(key, iv, Buffer.from(disclosure, 'ascii'), aadOf({ ...place, digest }, origin))
  const { subject_id, pointer, event_id } = place
  return { digest, subject_id, pointer, event_id, iv: Buffer.from(iv).toString('base64url'), ct: ct.toString('base64url') }
}

/** The disclosure; undefined when the key is another one, or the row is not what was sealed. */
export function openRow(row: VaultRow, { key, origin }: SealOptions): string | undefined {
  const plain = unseal(key, Buffer.from(row.iv, 'base64url'), Buffer.from(row.ct, 'base64url'), aadOf(row, origin))
  const disclosure = plain?.toString('ascii')
  return disclosure !== undefined && digestOf(disclosure) === row.digest ? disclosure : undefined
}

function aadOf({ event_id, pointer, digest }: Pick<VaultRow, 'event_id' | 'pointer' | 'digest'>, origin: string): Buffer {
  return Buffer.from(JSON.stringify([LABEL, 'vault', origin, event_id, pointer, digest]))
}

/** One line of JSON without LF. */
export function formatRow(row: VaultRow): string {
  return JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, row[name]])))
}

/** The row of a line; undefined for whatever else it is, also for another spelling of a row. */
export function parseRow(text: string): VaultRow | undefined {
  if (text.length > MAX_ROW_CHARS) return undefined
  try {
    const row: unknown = JSON.parse(text)
    return isRow(row) && formatRow(row) === text ? row : undefined
  } catch {
    return undefined
  }
}

function isRow(value: unknown): value is VaultRow {
  if (typeof value !== 'object' || value === null) return false
  return NAMES.every((name) => {
    const text: unknown = Object.hasOwn(value, name) ? (value as Partial<VaultRow>)[name] : undefined // an object, checked above
    return typeof text === 'string' && FORMS[name].test(text)
  })
}
