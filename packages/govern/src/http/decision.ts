/**
 * From a verdict to what a client of /v1/validate reads and what is recorded. Pure.
 *
 * `strict` tells no pattern and no path; `aip-compat` tells what AIP's vectors ask for.
 * Source: AIP v1alpha2 §6.2.2; spec events §2, §3.
 * @module
 */
import { type AuditEvent, budgetMembers, type DlpMatch, REASON_CODES, type ReasonCode, type Verdict } from '@sworn/recorder'
import { aboutToken } from '../identity/events.ts'
import type { TokenFacts } from '../identity/index.ts'
import type { Profile } from '../profiles.ts'
import { type Answer, type Asked, aboutAnswer } from './answers.ts'

export interface Judged {
  readonly tool: string
  readonly input: unknown
  readonly verdict: Verdict
  readonly matches: readonly DlpMatch[]
  readonly facts?: TokenFacts
  readonly client?: string
}

interface Violation {
  readonly type: string
  readonly field?: string
  readonly message: string
}

const TYPES: Readonly<Record<string, string>> = { argument_mismatch: 'argument_validation', argument_undeclared: 'argument_validation' }

/** @param expiresInMs of the token that was presented */
export function toAnswer(asked: Asked, judged: Judged, profile: Profile, expiresInMs?: number): Answer {
  const { verdict } = judged
  if (verdict.reasonCode === 'rate_limited') return rateLimited(asked, judged)
  const body = {
    decision: { allow: 'allow', deny: 'block', ask: 'ask' }[verdict.decision],
    reason: toldReason(verdict),
    violations: violationsOf(judged, profile),
    ...(expiresInMs !== undefined && { token_status: { valid: true, expires_in: Math.ceil(expiresInMs / 1000) } }),
  }
  return { status: 200, body, events: toEvents(asked, judged, 200) }
}

function rateLimited(asked: Asked, judged: Judged): Answer {
  const waitMs = Number(judged.verdict.rpcError?.data?.retry_after_ms ?? 0)
  const retry = Math.max(1, Math.ceil(waitMs / 1000))
  const headers = Number.isFinite(retry) ? { 'retry-after': String(retry) } : {}
  return { status: 429, body: { error: 'rate_limited', reason: toldReason(judged.verdict) }, headers, events: toEvents(asked, judged, 429) }
}

/** What the client may read: a refusal's own words for clients, never those for the record. */
function toldReason({ reason, rpcError, violation }: Verdict): string {
  const told = rpcError?.data?.reason
  return typeof told === 'string' ? told : violation ? 'The policy is violated' : reason
}

function violationsOf({ verdict, matches }: Judged, profile: Profile): readonly Violation[] {
  const found = matches.map(({ pattern }) => ({ type: 'dlp', message: `Sensitive data: ${pattern}` }))
  if (!verdict.violation || verdict.reasonCode === 'dlp_blocked') return found
  const { arg, pattern } = verdict.rpcError?.data ?? {}
  const field = typeof arg === 'string' ? arg : profile === 'aip-compat' ? namedField(verdict) : undefined
  const shown = profile === 'aip-compat' && typeof pattern === 'string' ? `Value does not match pattern: ${pattern}` : toldReason(verdict)
  const type = TYPES[verdict.reasonCode] ?? verdict.reasonCode
  return [{ type, ...(field !== undefined && { field }), message: shown }, ...found]
}

/** The argument in which the gate found a protected path: the reason for the record ends with its pointer. */
function namedField({ reason, reasonCode }: Verdict): string | undefined {
  return reasonCode === 'protected_path' ? / is named at \/([^/]+)[^ ]*$/.exec(reason)?.[1] : undefined
}

function toEvents(asked: Asked, judged: Judged, status: number): readonly AuditEvent[] {
  const { verdict, tool, client, facts, matches } = judged
  const about = { tool, ...aboutToken(facts), ...(client !== undefined && { user: client, user_source: 'token' as const }) }
  const found = matches.map(({ pattern, matchCount, redacted, direction, dlpAction }) => ({
    event_type: 'dlp_match',
    ...about,
    pattern,
    match_count: matchCount,
    redacted,
    direction,
    dlp_action: dlpAction,
  }))
  const decided = verdict.decision === 'ask' ? 'approval_requested' : 'authorization_decision'
  const { metadata } = aboutAnswer(asked, status)
  return [...found, { event_type: decided, ...about, ...decisionMembers(judged), metadata: { ...metadata, ...spentOf(verdict) } }]
}

/** A call that somebody else asks a person about is counted: nobody tells what came of it. */
function spentOf(verdict: Verdict): object {
  return budgetMembers(verdict.decision === 'ask' ? { ...verdict, decision: 'allow' } : verdict)
}

/** `ask`: whoever called asks a person; what came of that is theirs to record. */
function decisionMembers({ verdict, input }: Judged): Partial<AuditEvent> {
  const { decision, reason, reasonCode, matchedRule, policyName, policyVersion, policyHash, policyMode, violation, enforced, rpcError } =
    verdict
  const members = {
    arguments: input,
    decision,
    reason,
    reason_code: isReasonCode(reasonCode) ? reasonCode : undefined,
    matched_rule: matchedRule,
    policy_name: policyName,
    policy_version: policyVersion,
    policy_hash: policyHash,
    policy_mode: policyMode,
    violation,
    enforced,
    error_code: decision === 'deny' ? rpcError?.code : undefined,
    error_profile: decision === 'deny' ? rpcError?.profile : undefined,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

const isReasonCode = (code: string): code is ReasonCode => (REASON_CODES as readonly string[]).includes(code)
