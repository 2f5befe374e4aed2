/**
 * What an endpoint answers, with the events that are on disk before the answer goes out.
 * Source: AIP v1alpha2 §6; issue "Govern".
 * @module
 */
import type { AuditEvent, ReasonCode } from '@sworn/recorder'

export interface Answer {
  readonly status: number
  /** JSON, or the text of metrics. */
  readonly body: Readonly<Record<string, unknown>> | string
  readonly headers?: Readonly<Record<string, string>>
  /** Never empty, unless what happened was recorded by whoever did it. */
  readonly events: readonly AuditEvent[]
}

/** Which endpoint was asked. `name` is ours, never the caller's path. */
export interface Asked {
  readonly endpoint: string
  readonly method: string
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Members that every event about an answer carries. */
export function aboutAnswer({ endpoint, method }: Asked, status: number): { readonly metadata: Readonly<Record<string, unknown>> } {
  return { metadata: { endpoint, http_method: METHODS.has(method) ? method : 'other', http_status: status } }
}

/** Something was told that decides nothing: health, keys, metrics. */
export function tell(asked: Asked, body: Answer['body'], headers: Readonly<Record<string, string>> = {}, status = 200): Answer {
  const event: AuditEvent = { event_type: 'endpoint_answered', severity: 'debug', ...aboutAnswer(asked, status) }
  return { status, body, headers, events: [event] }
}

/** A request that cannot be obeyed. `reason` is ours, and holds nothing of the request. */
export function refuse(asked: Asked, refusal: { status: number; error: string; reason: string }): Answer {
  const { status, error, reason } = refusal
  const code: ReasonCode = status < 500 ? 'malformed_request' : 'policy_invalid' // beyond 499 it was us: nothing could judge
  const event: AuditEvent = { event_type: 'method_blocked', decision: 'deny', reason, reason_code: code, ...aboutAnswer(asked, status) }
  return { status, body: { error, reason }, events: [event] }
}

/** A request of nobody that we know. */
export function refuseCaller(asked: Asked, error: 'token_required' | 'unauthorized', reason: string): Answer {
  const event: AuditEvent = { event_type: 'auth_failure', severity: 'warning', reason, ...aboutAnswer(asked, 401) }
  return { status: 401, body: { error, reason }, headers: { 'www-authenticate': 'Bearer' }, events: [event] }
}

export function toResponse({ status, body, headers = {} }: Answer): Response {
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers }
  if (typeof body === 'string') return new Response(body, { status, headers: common })
  return Response.json(body, { status, headers: common })
}
