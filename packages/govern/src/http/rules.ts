/**
 * `spec.server` to rules, and what cannot hold refused: a listener that others reach needs TLS, and in `strict`
 * failing open needs its bounds. Source: AIP v1alpha2 §3.8.
 * @module
 */
import { parseDuration } from '../identity/durations.ts'
import type { IdentityDocument } from '../identity/schema.ts'
import { normalizeName } from '../names.ts'
import type { Profile } from '../profiles.ts'
import type { ServerDocument } from './schema.ts'

export interface Endpoints {
  readonly validate: string
  readonly revoke: string
  readonly jwks: string
  readonly health: string
  readonly metrics: string
}

/** Absent members do not bound. */
export interface FailOpenRules {
  /** Normalised. */
  readonly allowedTools?: ReadonlySet<string>
  readonly maxDurationMs?: number
  readonly maxRequests?: number
  readonly alertWebhook?: string
  readonly requireLocalPolicy: boolean
}

/** `spec.server`, read. Present only when it is enabled. */
export interface ServerRules {
  readonly host: string
  readonly port: number
  readonly failoverMode: 'fail_closed' | 'fail_open' | 'local_policy'
  readonly timeoutMs: number
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly endpoints: Endpoints
  readonly failOpen?: FailOpenRules
}

/** The paths of a server that no policy names. */
export const DEFAULT_ENDPOINTS: Endpoints = {
  validate: '/v1/validate',
  revoke: '/v1/revoke',
  jwks: '/v1/jwks',
  health: '/health',
  metrics: '/metrics',
}

/** What is wrong and at which member of `spec.server`. */
type Refuse = (message: string, member: string) => Error

/**
 * @returns undefined when the server is not enabled
 * @throws what `refuse` makes
 */
export function compileServer(
  document: ServerDocument,
  identity: IdentityDocument | undefined,
  profile: Profile,
  refuse: Refuse,
): ServerRules | undefined {
  const { host, port } = readListen(document, refuse)
  const timeoutMs = parseDuration(document.timeout)
  if (timeoutMs < 10 || timeoutMs > 60_000) throw refuse('10ms to 60s was expected', 'timeout')
  const endpoints = readEndpoints(document, identity, refuse)
  const failOpen = document.fail_open_constraints && readConstraints(document.fail_open_constraints, profile)
  if (profile === 'strict' && document.failover_mode === 'fail_open') checkBounds(failOpen, refuse)
  if (!document.enabled) return undefined
  const { failover_mode: failoverMode, tls } = document
  return { host, port, failoverMode, timeoutMs, ...(tls && { tls }), endpoints, ...(failOpen && { failOpen }) }
}

function readListen({ listen, tls }: ServerDocument, refuse: Refuse): { host: string; port: number } {
  const split = listen.lastIndexOf(':')
  const host = listen.slice(0, split)
  const port = Number(listen.slice(split + 1))
  if (port < 1 || port > 65_535) throw refuse('a port from 1 to 65535 was expected', 'listen')
  const local = ['127.0.0.1', '[::1]', 'localhost'].includes(host.toLowerCase())
  if (!local && !tls) throw refuse('tls is needed when others than this machine can connect', 'listen')
  return { host, port }
}

function readEndpoints({ endpoints }: ServerDocument, identity: IdentityDocument | undefined, refuse: Refuse): Endpoints {
  const jwks = endpoints.jwks ?? identity?.keys.jwks_endpoint ?? DEFAULT_ENDPOINTS.jwks
  const all = { ...endpoints, jwks }
  if (new Set(Object.values(all)).size < Object.keys(all).length) throw refuse('a path for each endpoint was expected', 'endpoints')
  return all
}

function readConstraints(document: NonNullable<ServerDocument['fail_open_constraints']>, profile: Profile): FailOpenRules {
  const { allowed_tools: tools, max_duration: duration, max_requests: requests, alert_webhook: webhook } = document
  return {
    ...(tools && { allowedTools: new Set(tools.map((tool) => normalizeName(tool, profile))) }),
    ...(duration !== undefined && { maxDurationMs: parseDuration(duration) }),
    ...(requests !== undefined && { maxRequests: requests }),
    ...(webhook !== undefined && { alertWebhook: webhook }),
    requireLocalPolicy: document.require_local_policy,
  }
}

/** Failing open without end is no policy. */
function checkBounds(rules: FailOpenRules | undefined, refuse: Refuse): void {
  const bounded = rules?.allowedTools && rules.maxDurationMs !== undefined && rules.maxRequests !== undefined
  if (!bounded) throw refuse('allowed_tools, max_duration and max_requests are needed to fail open', 'fail_open_constraints')
}
