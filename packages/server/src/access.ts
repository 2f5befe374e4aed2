/**
 * Who may come in: name, origin, secret. Decided before a byte of the body is read.
 *
 * A page in a browser on this machine reaches a loopback port under a name of its choice (DNS rebinding): so `Host`
 * has to be ours and `Origin`, when there is one, allowed. Source: RFC 9110 §7.2, RFC 6750.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { SwornError } from '@sworn/recorder'
import { bearerOf, certificateOf, createBearerCheck, isLoopback } from '@sworn/recorder/http'
import type { Access, Caller, ListenAddress } from './options.ts'

/** Why somebody is not let in. A word of ours. */
export type Refusal = 'field_repeated' | 'host_unknown' | 'origin_unknown' | 'token_missing' | 'token_wrong'

export interface Entrance {
  /** undefined: the request is for us, and no page of somebody else's. */
  refusalOf(incoming: IncomingMessage): Refusal | undefined
  /** A refusal for a token that nobody has; undefined for no token and no certificate. */
  callerOf(incoming: IncomingMessage): Caller | 'token_wrong' | undefined
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']
const TOKEN = /^[\x21-\x7e]{16,512}$/
/** Fields of which a second one would be read differently by somebody in between. */
const ONCE = new Set(['host', 'origin', 'authorization', 'content-type', 'content-length', 'transfer-encoding'])

/** @throws SwornError CONFIG_INVALID for a token that is no secret, or when others could come in without any */
export function checkAccess({ host }: ListenAddress, { tokens, tls }: Access): void {
  if (tokens.some(({ token }) => !TOKEN.test(token)))
    throw new SwornError('CONFIG_INVALID', 'tokens of 16 to 512 visible ASCII characters were expected', 'access.tokens')
  if (isLoopback(host) || tokens.length > 0 || tls?.clientCa !== undefined) return
  throw new SwornError('CONFIG_INVALID', 'an address that others can reach needs a token or client certificates', 'listen')
}

/** @param port the one that was bound */
export function createEntrance(listen: ListenAddress, access: Access, port: number): Entrance {
  const hosts = hostsOf(listen, port, access.hosts ?? [])
  const scheme = access.tls === undefined ? 'http' : 'https'
  const origins = new Set([...(access.origins ?? []), ...[...hosts].map((host) => `${scheme}://${host}`)])
  /** Behind a secret, and with no names given, an address that others reach answers to any name. */
  const anyHost = !isLoopback(listen.host) && (access.hosts ?? []).length === 0
  const find = createBearerCheck(access.tokens)
  return {
    refusalOf({ rawHeaders, headers, url }) {
      if (hasRepeated(rawHeaders)) return 'field_repeated'
      const host = (authorityOf(url) ?? headers.host)?.toLowerCase()
      if (host === undefined || !(anyHost || hosts.has(host))) return 'host_unknown'
      return headers.origin === undefined || origins.has(headers.origin) ? undefined : 'origin_unknown'
    },
    callerOf({ headers, socket }) {
      if (headers.authorization === undefined) return access.tls?.clientCa === undefined ? undefined : certified(socket)
      const found = find(bearerOf(headers.authorization))
      return found ? { name: found.name, may: found.may } : 'token_wrong'
    },
  }
}

/** Of a request that names the whole address; it counts instead of `Host`. Source: RFC 9112 §3.2.2. */
function authorityOf(url: string | undefined): string | undefined {
  return url === undefined || url.startsWith('/') ? undefined : /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1]
}

function hostsOf({ host }: ListenAddress, port: number, extra: readonly string[]): ReadonlySet<string> {
  const bracketed = isIPv6(host) ? `[${host}]` : host
  const names = isLoopback(host) ? [...LOCAL_NAMES, bracketed] : [bracketed]
  return new Set([...names.map((name) => `${name}:${port}`), ...extra].map((name) => name.toLowerCase()))
}

function hasRepeated(rawHeaders: readonly string[]): boolean {
  const names = rawHeaders.filter((_, n) => n % 2 === 0).map((name) => name.toLowerCase())
  return names.some((name, n) => ONCE.has(name) && names.indexOf(name) !== n)
}

/** The bearer of a verified client certificate. */
function certified(socket: IncomingMessage['socket']): Caller | undefined {
  const certificate = certificateOf(socket)
  return certificate && { name: certificate.name ?? 'certificate', may: 'report' }
}
