/**
 * A client of a validation server, and what it does when the server does not answer.
 *
 * Whatever the server says is obeyed; only silence, an answer that is none, and 5xx lead to failover_mode. An open
 * failure is bounded: so many calls of these tools within one max_duration, and after that no new one before the
 * server has answered again. Source: AIP v1alpha2 §3.8.3, §3.8.4.
 * @module
 */
import { type Action, type AuditEvent, type Gate, SwornError, type Verdict } from '@sworn/recorder'
import { allow, deny, type Refusal } from '../gate/verdicts.ts'
import { normalizeName } from '../names.ts'
import type { Profile } from '../profiles.ts'
import { parseRemote } from './remote-answer.ts'
import type { FailOpenRules, ServerRules } from './rules.ts'

export type ClientRules = Pick<ServerRules, 'endpoints' | 'failoverMode' | 'timeoutMs' | 'failOpen'>

export interface RemoteOptions {
  /** https, or this machine; without a path. */
  readonly url: string
  /** Of a policy's `spec.server`, as far as a client acts on it. */
  readonly rules: ClientRules
  readonly profile: Profile
  /** What is sent in the Authorization header: a fresh token for each call. */
  readonly token?: () => Promise<string | undefined>
  /** The gate of a policy that is loaded and valid. */
  readonly local?: Gate
  readonly fetch?: typeof fetch
  /** Takes `security_alert`, once when failing open begins. */
  readonly note?: (event: AuditEvent) => void
  /** Runs for each call that is let through without an answer. */
  readonly onFailOpen?: () => void
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number
}

export interface RemoteValidator {
  /** Never rejects. */
  judge(action: Action): Promise<Verdict>
}

/** @throws SwornError CONFIG_INVALID for an address over which tokens would travel in the clear */
export function createRemoteValidator(options: RemoteOptions): RemoteValidator {
  const url = toUrl(options)
  const failOpen = createFailOpen(options)
  return {
    async judge(action) {
      const told = await ask(url, options, action)
      if (told) failOpen.answered()
      return told ?? failOver(options, failOpen, action)
    },
  }
}

function toUrl({ url, rules }: RemoteOptions): string {
  const base = URL.canParse(url) ? new URL(url) : undefined
  const local = base !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(base.hostname)
  if (base?.protocol === 'https:' || (base?.protocol === 'http:' && local)) return new URL(rules.endpoints.validate, base).href
  throw new SwornError('CONFIG_INVALID', 'an https address was expected, or one of this machine', 'server.url')
}

/** undefined: the server did not answer. */
async function ask(url: string, { rules, token, fetch: send = fetch }: RemoteOptions, action: Action): Promise<Verdict | undefined> {
  const body = toBody(action)
  if (body === undefined) return denied(action, { rpc: 'forbidden', reasonCode: 'malformed_request', reason: 'The call cannot be sent' })
  try {
    const bearer = await token?.()
    const headers = { 'content-type': 'application/json', ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) }
    const signal = AbortSignal.timeout(rules.timeoutMs)
    return await parseRemote(await send(url, { method: 'POST', headers, body, signal, redirect: 'error' }), action)
  } catch {
    return undefined // its message may hold the address and headers
  }
}

function toBody({ name, input = {} }: Action): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  try {
    return JSON.stringify({ tool: name, arguments: input })
  } catch {
    return undefined
  }
}

function denied(action: Action, refusal: Refusal): Verdict {
  return deny({ policy: undefined, called: { tool: action.name } }, { ...refusal, data: { reason: refusal.reason } })
}

async function failOver({ rules, local, onFailOpen }: RemoteOptions, failOpen: FailOpen, action: Action): Promise<Verdict> {
  const unavailable: Refusal = {
    rpc: 'forbidden',
    reasonCode: 'policy_invalid',
    reason: 'validation_unavailable',
    matchedRule: 'server.failover_mode',
  }
  if (rules.failoverMode === 'local_policy' && local) {
    const verdict = await local.judge(action)
    return { ...verdict, reason: `validation server unavailable, local policy: ${verdict.reason}` }
  }
  if (rules.failoverMode !== 'fail_open' || !failOpen.admits(action.name)) return denied(action, unavailable)
  onFailOpen?.()
  const open = allow(
    { policy: undefined, called: { tool: action.name } },
    'default_allow',
    'fail_open: the validation server is unavailable',
  )
  return { ...open, matchedRule: 'server.failover_mode', violation: true, enforced: false }
}

interface FailOpen {
  admits(tool: string): boolean
  answered(): void
}

interface Opening {
  readonly since: number
  requests: number
  answeredSince: boolean
}

function createFailOpen(options: RemoteOptions): FailOpen {
  const { rules, profile, local, clock = () => performance.now() } = options
  const {
    allowedTools,
    maxDurationMs = Number.POSITIVE_INFINITY,
    maxRequests = Number.POSITIVE_INFINITY,
    requireLocalPolicy,
  } = rules.failOpen ?? ({ requireLocalPolicy: false } satisfies FailOpenRules)
  let opening: Opening | undefined

  function current(): Opening {
    const over = opening?.answeredSince && (clock() - opening.since > maxDurationMs || maxDurationMs === Number.POSITIVE_INFINITY)
    if (opening && !over) return opening
    alert(options)
    return (opening = { since: clock(), requests: 0, answeredSince: false })
  }

  return {
    admits(tool) {
      if (allowedTools && !allowedTools.has(normalizeName(tool, profile))) return false
      if (requireLocalPolicy && !local) return false
      const now = current()
      now.requests++
      return now.requests <= maxRequests && clock() - now.since <= maxDurationMs
    },
    answered() {
      if (opening) opening.answeredSince = true
    },
  }
}

/** Nobody waits for the webhook, and nothing of the call is sent to it. */
function alert({ rules, note, fetch: send = fetch }: RemoteOptions): void {
  note?.({ event_type: 'security_alert', severity: 'critical', reason: 'fail_open begins', metadata: { rule: 'fail_open' } })
  const webhook = rules.failOpen?.alertWebhook
  if (webhook === undefined) return
  const body = JSON.stringify({ event: 'fail_open' })
  const headers = { 'content-type': 'application/json' }
  send(webhook, { method: 'POST', headers, body, signal: AbortSignal.timeout(rules.timeoutMs), redirect: 'error' }).catch(() => {})
}
