/**
 * Who may come in: address, name, origin, secret. Decided before a byte of the body is read.
 *
 * A page in a browser on this machine reaches a loopback port, under a name of its choice (DNS rebinding): so
 * `Host` has to be ours and `Origin`, when there is one, allowed.
 * Source: MCP "Streamable HTTP" security, RFC 9110 §7.2, RFC 6750.
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { SwornError } from '@sworn/recorder'
import { bearerOf, certificateOf, createBearerCheck, isLoopback } from '@sworn/recorder/http'
import { fieldOf, findRepeated } from './headers.ts'
import type { Access, Claims, ListenAddress } from './options.ts'

/** Whoever stands behind a request. */
export interface Principal {
  /** Same key: same rights. Not a secret, not recorded. */
  readonly key: string
  readonly user?: string
  /** Their `Authorization` was for us and stays here. */
  readonly consumed: boolean
  /** What their token claims, where `Access.check` knew it. */
  readonly claims?: Claims
}

export type Admission =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly status: number; readonly reason: string; readonly challenge?: string }

const ANYONE: Principal = { key: '', consumed: false }
const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws SwornError CONFIG_INVALID when others could reach the address and nothing keeps them out */
export function checkAccess({ host }: ListenAddress, { tokens = [], check, tls }: Access): void {
  if (tokens.some(({ token }) => token.length < 16))
    throw new SwornError('CONFIG_INVALID', 'a token of at least 16 characters was expected', 'access.tokens')
  if (isLoopback(host) || tokens.length > 0 || check !== undefined || tls?.clientCa !== undefined) return
  throw new SwornError('CONFIG_INVALID', 'an address that others can reach needs a token or client certificates', 'listen')
}

function hostsOf({ host }: ListenAddress, port: number, extra: readonly string[]): ReadonlySet<string> {
  const bracketed = isIPv6(host) ? `[${host}]` : host
  const names = isLoopback(host) ? [...LOCAL_NAMES, bracketed] : [bracketed]
  return new Set([...names.flatMap((name) => [name, `${name}:${port}`]), ...extra].map((name) => name.toLowerCase()))
}

/** Answers for one listener. `port` is the one that was bound. */
export function createAdmission(listen: ListenAddress, access: Access, port: number): (request: IncomingMessage) => Promise<Admission> {
  const hosts = hostsOf(listen, port, access.hosts ?? [])
  const local = isLoopback(listen.host)
  /** Behind a secret, and with no names given, a wildcard address answers to any name. */
  const anyHost = !local && (access.hosts ?? []).length === 0
  const origins = new Set(access.origins ?? [])
  const known = (access.tokens ?? []).map((one, n) => ({ ...one, key: `token ${n}` }))
  const find = createBearerCheck(known)

  function isOriginAllowed(origin: string): boolean {
    if (origins.has(origin)) return true
    return local && URL.canParse(origin) && LOCAL_NAMES.has(new URL(origin).hostname)
  }

  async function findBearer(value: string | undefined): Promise<Omit<Principal, 'consumed'> | undefined> {
    const bearer = bearerOf(value)
    if (bearer === undefined) return undefined
    const found = find(bearer)
    if (found) return { key: found.key, ...(found.user === undefined ? {} : { user: found.user }) }
    const claims = await access.check?.(bearer)
    return claims && claimant(claims)
  }

  async function identify(request: IncomingMessage): Promise<Principal | undefined> {
    const peer = access.tls?.clientCa === undefined ? ANYONE : certified(request)
    if ((known.length === 0 && access.check === undefined) || peer === undefined) return peer
    const proxied = await findBearer(fieldOf(request.headers, 'proxy-authorization'))
    if (proxied !== undefined) return { ...peer, ...proxied, consumed: false }
    const own = await findBearer(request.headers.authorization)
    return own && { ...peer, ...own, consumed: true }
  }

  return async (request) => {
    const repeated = findRepeated(request.rawHeaders)
    if (repeated !== undefined) return { ok: false, status: 400, reason: `the field ${repeated} stands twice` }
    const host = fieldOf(request.headers, 'host')?.toLowerCase()
    if (host === undefined || !(anyHost || hosts.has(host))) return { ok: false, status: 403, reason: 'Host is not ours' }
    const { origin } = request.headers
    if (origin !== undefined && !isOriginAllowed(origin)) return { ok: false, status: 403, reason: 'Origin is not allowed' }
    const principal = await identify(request)
    return principal ? { ok: true, principal } : { ok: false, status: 401, reason: 'a token is missing or wrong', challenge: 'Bearer' }
  }
}

/** Sessions belong to a subject of an issuer, whichever of its tokens comes; what the newest one claims holds. */
function claimant(claims: Claims): Omit<Principal, 'consumed'> {
  const { iss, sub } = claims
  return { key: `subject ${JSON.stringify([iss, sub])}`, ...(typeof sub === 'string' ? { user: sub.slice(0, 256) } : {}), claims }
}

/** The bearer of a verified client certificate. */
function certified({ socket }: IncomingMessage): Principal | undefined {
  const { name: user, fingerprint } = certificateOf(socket) ?? {}
  return fingerprint === undefined ? undefined : { key: `certificate ${fingerprint}`, ...(user !== undefined && { user }), consumed: false }
}
