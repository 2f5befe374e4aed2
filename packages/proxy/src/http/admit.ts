/**
 * Who may come in: address, name, origin, secret. Decided before a byte of the body is read.
 *
 * A page in a browser on this machine reaches a loopback port, under a name of its choice (DNS rebinding): so
 * `Host` has to be ours and `Origin`, when there is one, allowed.
 * Source: MCP "Streamable HTTP" security, RFC 9110 §7.2, RFC 6750.
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SwornError } from '@sworn/recorder'
import { fieldOf, findRepeated } from './headers.ts'
import type { Access, ListenAddress } from './options.ts'

/** Whoever stands behind a request. */
export interface Principal {
  /** Same key: same rights. Not a secret, not recorded. */
  readonly key: string
  readonly user?: string
  /** Their `Authorization` was for us and stays here. */
  readonly consumed: boolean
}

export type Admission =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly status: number; readonly reason: string; readonly challenge?: string }

const ANYONE: Principal = { key: '', consumed: false }
const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'))
}

/** @throws SwornError CONFIG_INVALID when others could reach the address and nothing keeps them out */
export function checkAccess({ host }: ListenAddress, { tokens = [], tls }: Access): void {
  if (tokens.some(({ token }) => token.length < 16))
    throw new SwornError('CONFIG_INVALID', 'a token of at least 16 characters was expected', 'access.tokens')
  if (isLoopback(host) || tokens.length > 0 || tls?.clientCa !== undefined) return
  throw new SwornError('CONFIG_INVALID', 'an address that others can reach needs a token or client certificates', 'listen')
}

function hostsOf({ host }: ListenAddress, port: number, extra: readonly string[]): ReadonlySet<string> {
  const bracketed = isIPv6(host) ? `[${host}]` : host
  const names = isLoopback(host) ? [...LOCAL_NAMES, bracketed] : [bracketed]
  return new Set([...names.flatMap((name) => [name, `${name}:${port}`]), ...extra].map((name) => name.toLowerCase()))
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function bearerOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : /^Bearer ([\x21-\x7e]+)$/i.exec(value)?.[1]
}

/** Answers for one listener. `port` is the one that was bound. */
export function createAdmission(listen: ListenAddress, access: Access, port: number): (request: IncomingMessage) => Admission {
  const hosts = hostsOf(listen, port, access.hosts ?? [])
  const local = isLoopback(listen.host)
  /** Behind a secret, and with no names given, a wildcard address answers to any name. */
  const anyHost = !local && (access.hosts ?? []).length === 0
  const origins = new Set(access.origins ?? [])
  const known = (access.tokens ?? []).map(({ token, user }, n) => ({ digest: digestOf(token), user, key: `token ${n}` }))

  function isOriginAllowed(origin: string): boolean {
    if (origins.has(origin)) return true
    return local && URL.canParse(origin) && LOCAL_NAMES.has(new URL(origin).hostname)
  }

  function findToken(value: string | undefined): Omit<Principal, 'consumed'> | undefined {
    const bearer = bearerOf(value)
    if (bearer === undefined) return undefined
    const digest = digestOf(bearer)
    const found = known.filter((entry) => timingSafeEqual(entry.digest, digest))[0] // every entry is compared
    return found && { key: found.key, ...(found.user === undefined ? {} : { user: found.user }) }
  }

  function identify(request: IncomingMessage): Principal | undefined {
    const peer = access.tls?.clientCa === undefined ? ANYONE : certified(request)
    if (known.length === 0 || peer === undefined) return peer
    const proxied = findToken(fieldOf(request.headers, 'proxy-authorization'))
    if (proxied !== undefined) return { ...peer, ...proxied, consumed: false }
    const own = findToken(request.headers.authorization)
    return own && { ...peer, ...own, consumed: true }
  }

  return (request) => {
    const repeated = findRepeated(request.rawHeaders)
    if (repeated !== undefined) return { ok: false, status: 400, reason: `the field ${repeated} stands twice` }
    const host = fieldOf(request.headers, 'host')?.toLowerCase()
    if (host === undefined || !(anyHost || hosts.has(host))) return { ok: false, status: 403, reason: 'Host is not ours' }
    const { origin } = request.headers
    if (origin !== undefined && !isOriginAllowed(origin)) return { ok: false, status: 403, reason: 'Origin is not allowed' }
    const principal = identify(request)
    return principal ? { ok: true, principal } : { ok: false, status: 401, reason: 'a token is missing or wrong', challenge: 'Bearer' }
  }
}

/** The bearer of a verified client certificate. */
function certified({ socket }: IncomingMessage): Principal | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const { subject, fingerprint256 } = socket.getPeerCertificate()
  const name = subject?.CN
  return { key: `certificate ${fingerprint256}`, ...(typeof name === 'string' ? { user: name.slice(0, 256) } : {}), consumed: false }
}
