/**
 * From what a check found to what is recorded and what the client is told.
 *
 * `reason` is for the record and may name a path; `rpcError` is for the client and never does, nor any
 * value. Source: spec policy §6.6, spec events §3.
 * @module
 */
import type { Gate, Verdict, VerdictReason } from '@sworn/recorder'
import type { Policy } from '../policy/types.ts'

export const RPC_PROFILE = 'aip-v1alpha'

/** JSON-RPC code and message per refusal; the messages are AIP's. */
export const RPC = {
  forbidden: [-32001, 'Forbidden'],
  arguments: [-32001, 'Argument validation failed'],
  rate: [-32002, 'Rate limit exceeded'],
  userDenied: [-32004, 'User denied'],
  userTimeout: [-32005, 'User approval timeout'],
  method: [-32006, 'Method not allowed'],
  path: [-32007, 'Access denied: protected path'],
  tokenRequired: [-32008, 'Token required'],
  tokenInvalid: [-32009, 'Token invalid'],
  signature: [-32010, 'Policy signature invalid'],
  tokenRevoked: [-32011, 'Token revoked'],
  audience: [-32012, 'Audience mismatch'],
  schema: [-32013, 'Schema mismatch'],
} as const

export interface Refusal {
  readonly rpc: keyof typeof RPC
  readonly reasonCode: string
  /** For the record. */
  readonly reason: string
  readonly matchedRule?: string
  /** What was to be written and records or governs the agent. */
  readonly tamperedWith?: string
  /** For the client, beside the tool's or method's name. */
  readonly data?: Readonly<Record<string, unknown>>
}

export interface Subject {
  readonly policy: Policy | undefined
  /** What was called, as sent; cut to 200 characters where it is repeated. */
  readonly called: { readonly tool: string } | { readonly method: string }
}

const MAX_NAME = 200

export function describePolicy(policy: Policy | undefined): Gate['policy'] {
  if (!policy) return {}
  const { name, version, hash, mode } = policy
  return { name, ...(version !== undefined && { version }), hash, mode }
}

function policyMembers(policy: Policy | undefined): Partial<VerdictReason> {
  if (!policy) return {}
  return {
    policyName: policy.name,
    ...(policy.version !== undefined && { policyVersion: policy.version }),
    policyHash: policy.hash,
    policyMode: policy.mode,
  }
}

export function allow({ policy }: Subject, reasonCode: string, reason: string, matchedRule?: string): Verdict {
  return {
    decision: 'allow',
    reason,
    reasonCode,
    ...(matchedRule !== undefined && { matchedRule }),
    violation: false,
    ...policyMembers(policy),
  }
}

/** Monitor mode: recorded as a violation, and let through. */
export function allowViolation({ policy }: Subject, { reason, matchedRule }: Refusal): Verdict {
  return {
    decision: 'allow',
    reason: `monitor: ${reason}`,
    reasonCode: 'monitor_only',
    ...(matchedRule !== undefined && { matchedRule }),
    violation: true,
    enforced: false,
    ...policyMembers(policy),
  }
}

export function deny(subject: Subject, refusal: Refusal): Verdict {
  const { reason, reasonCode, matchedRule, tamperedWith } = refusal
  return {
    decision: 'deny',
    reason,
    reasonCode,
    ...(matchedRule !== undefined && { matchedRule }),
    ...(tamperedWith !== undefined && { tamperedWith }),
    violation: true,
    enforced: true,
    rpcError: toRpcError(subject, refusal),
    ...policyMembers(subject.policy),
  }
}

/** Carries the error that the client gets when nobody approves. */
export function ask(subject: Subject, reason: string, matchedRule: string): Verdict {
  const data = { reason: 'Approval is required and was not given' }
  return {
    decision: 'ask',
    reason,
    reasonCode: 'matched_rule',
    matchedRule,
    violation: false,
    rpcError: toRpcError(subject, { rpc: 'userDenied', reasonCode: 'matched_rule', reason, data }),
    ...policyMembers(subject.policy),
  }
}

function toRpcError({ called }: Subject, { rpc, data }: Refusal): NonNullable<VerdictReason['rpcError']> {
  const [code, message] = RPC[rpc]
  const named = Object.fromEntries(Object.entries(called).map(([kind, name]) => [kind, name.slice(0, MAX_NAME)]))
  return { code, message, data: { ...named, ...data }, profile: RPC_PROFILE }
}
