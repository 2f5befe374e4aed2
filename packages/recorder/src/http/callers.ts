/**
 * Who calls: bearer tokens compared in constant time, client certificates, and whether only this machine can. Hostile input.
 *
 * Source: RFC 6750 §2.1, RFC 9110 §11.4.
 * @module
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { isIPv4, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const MIN_TOKEN = 16
const MAX_NAME = 256

/** The credentials of the Bearer scheme in an `Authorization` field, at most 8,192 characters; undefined for another scheme, or none. */
export function bearerOf(field: string | null | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(field ?? '')?.[1]
}

/**
 * @returns the one of `known` whose token it is; every one is compared
 * @throws TypeError for a token of less than 16 characters, which is no secret; it is not repeated
 */
export function createBearerCheck<T extends { readonly token: string }>(known: readonly T[]): (token: string | undefined) => T | undefined {
  if (known.some(({ token }) => token.length < MIN_TOKEN)) throw new TypeError(`tokens of at least ${MIN_TOKEN} characters were expected`)
  const digests = known.map((one) => ({ one, digest: hash('sha256', one.token, 'buffer') }))
  return (token) => {
    if (token === undefined) return undefined
    const digest = hash('sha256', token, 'buffer')
    return digests.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.one
  }
}

/** A client's certificate that the listener verified. */
export interface Certificate {
  /** Its common name, at most 256 characters. */
  readonly name?: string
  /** SHA-256, hex with colons. */
  readonly fingerprint: string
}

/** undefined without TLS, and for a client that showed none, or one that no named authority made. */
export function certificateOf(socket: Socket): Certificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const { subject, fingerprint256: fingerprint } = socket.getPeerCertificate()
  const name = subject?.CN
  return typeof name === 'string' ? { name: name.slice(0, MAX_NAME), fingerprint } : { fingerprint }
}

/** True for an address that only this machine reaches; IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'))
}
