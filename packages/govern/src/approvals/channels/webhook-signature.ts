/**
 * Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in three headers.
 *
 * A signature is good for five minutes on either side of its timestamp and for one id; the caller binds the id
 * to its question. Source: Standard Webhooks specification 1.0 ("Signature scheme").
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { SwornError } from '@sworn/recorder'

const TOLERANCE_MS = 300_000
const MAX_HEADER = 1024
const MAX_SIGNATURES = 8

/**
 * The key behind `whsec_<base64>`: 24 to 64 bytes.
 * @throws SwornError CONFIG_INVALID; the secret is not repeated
 */
export function parseWebhookSecret(secret: string, at = 'approvals.webhook.secret'): Uint8Array {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)
  const key = Buffer.from(match?.[1] ?? '', 'base64')
  if (key.length >= 24 && key.length <= 64) return key
  throw new SwornError('CONFIG_INVALID', 'expected whsec_ and the base64 of 24 to 64 bytes', at)
}

/** Headers of a message; `body` is sent as it is. */
export function signWebhook(key: Uint8Array, id: string, nowMs: number, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac(key, id, timestamp, body).toString('base64')}` }
}

/** true when the message is `id`'s, fresh and signed with the key. Hostile input; total. */
export function isSignedWebhook(key: Uint8Array, id: string, nowMs: number, headers: Pick<Headers, 'get'>, body: string): boolean {
  const timestamp = headers.get('webhook-timestamp') ?? ''
  const signatures = headers.get('webhook-signature') ?? ''
  if (headers.get('webhook-id') !== id || !/^\d{1,12}$/.test(timestamp) || signatures.length > MAX_HEADER) return false
  if (Math.abs(nowMs - Number(timestamp) * 1000) > TOLERANCE_MS) return false
  const expected = mac(key, id, timestamp, body)
  const given = signatures.split(' ', MAX_SIGNATURES).flatMap((signature) => (signature.startsWith('v1,') ? [signature.slice(3)] : []))
  return given.map((text) => isEqual(Buffer.from(text, 'base64'), expected)).includes(true)
}

const isEqual = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b)

function mac(key: Uint8Array, id: string, timestamp: string, body: string): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest()
}
