/**
 * What a tool call must pass, in order. Each check is one function of the case; the first that speaks decides.
 *
 * `hard` refusals hold in monitor mode too. Source: spec policy §6.2.
 * @module
 */
import type { Reservation } from '@sworn/recorder'
import { type ArgumentFault, findMismatch, findUndeclared } from '../arguments.ts'
import type { PathGuard } from '../paths/guard.ts'
import type { Policy, ToolRule } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import { judgeMethodName } from './methods.ts'
import type { Refusal } from './verdicts.ts'

export interface Setup {
  readonly policy: Policy | undefined
  readonly profile: Profile
  readonly paths: PathGuard
  /** What a block rule does in monitor mode. */
  readonly blockInMonitor: boolean
}

/** One tool call, its names normalised. `reservation` is absent when no rate was asked for. */
export interface Case {
  readonly setup: Setup
  readonly tool: string
  readonly rule: ToolRule | undefined
  readonly method: string
  readonly input: unknown
  readonly reservation: Reservation | 'unavailable' | undefined
}

export interface Ruling {
  readonly refusal: Refusal
  readonly hard: boolean
}

export type StepName =
  | 'method'
  | 'rate_limit'
  | 'protected_path'
  | 'denied_tools'
  | 'block_rule'
  | 'allowed_tools'
  | 'allow_args'
  | 'strict_args'

type Check = (call: Case) => Ruling | undefined

/** In the order of evaluation. */
export const CHECKS: readonly (readonly [StepName, Check])[] = [
  ['method', checkMethod],
  ['rate_limit', checkRate],
  ['protected_path', checkPaths],
  ['denied_tools', checkDenied],
  ['block_rule', checkBlocked],
  ['allowed_tools', checkAllowed],
  ['allow_args', checkArguments],
  ['strict_args', checkUndeclared],
]

const ruleName = (rule: ToolRule): string => `tool_rules.${rule.index}`

function checkMethod({ setup: { policy, profile }, method }: Case): Ruling | undefined {
  const { allowed, rule } = judgeMethodName(method, policy, profile)
  return allowed ? undefined : { hard: true, refusal: methodRefusal(rule) }
}

export function methodRefusal(matchedRule: string): Refusal {
  const reason = matchedRule === 'denied_methods' ? 'Method is in denied_methods' : 'Method not in allowed_methods list'
  return { rpc: 'method', reasonCode: 'method_not_allowed', reason, matchedRule, data: { reason } }
}

function checkRate({ rule, reservation }: Case): Ruling | undefined {
  if (!rule || reservation === undefined) return undefined
  const matchedRule = `${ruleName(rule)}.rate_limit`
  if (reservation === 'unavailable') {
    const reason = 'The rate counter did not answer'
    return { hard: true, refusal: { rpc: 'forbidden', reasonCode: 'audit_unavailable', reason, matchedRule, data: { reason } } }
  }
  if (reservation.granted) return undefined
  const reason = 'Rate limit exceeded'
  const data = { reason, retry_after_ms: reservation.retryAfterMs }
  return { hard: true, refusal: { rpc: 'rate', reasonCode: 'rate_limited', reason, matchedRule, data } }
}

function checkPaths({ setup, input }: Case): Ruling | undefined {
  const refusal = pathRefusal(setup.paths, input)
  return refusal && { hard: true, refusal }
}

/** The record names path and place; the client learns neither. */
export function pathRefusal(paths: PathGuard, input: unknown): Refusal | undefined {
  const hit = paths.find(input)
  if (!hit) return undefined
  return {
    rpc: 'path',
    reasonCode: 'protected_path',
    reason: `protected path ${hit.path} is named at ${hit.pointer || 'the top'}`,
    matchedRule: hit.rule,
    data: { reason: 'Protected path' },
  }
}

function checkDenied({ setup: { policy }, tool }: Case): Ruling | undefined {
  if (!policy?.deniedTools.has(tool)) return undefined
  const reason = 'Tool is in denied_tools list'
  return { hard: false, refusal: { rpc: 'forbidden', reasonCode: 'tool_denied', reason, matchedRule: 'denied_tools', data: { reason } } }
}

function checkBlocked({ setup, rule }: Case): Ruling | undefined {
  if (rule?.action !== 'block') return undefined
  const reason = 'Tool is blocked by a rule'
  const refusal = { rpc: 'forbidden', reasonCode: 'tool_blocked', reason, matchedRule: ruleName(rule), data: { reason } } as const
  return { hard: setup.blockInMonitor, refusal }
}

/** A rule for a tool adds the tool, whatever its action. */
function checkAllowed({ setup: { policy, profile }, tool, rule }: Case): Ruling | undefined {
  if (rule || policy?.allowedTools.has(tool) || (!policy && profile === 'strict')) return undefined
  const reason = policy ? 'Tool not in allowed_tools list' : 'No policy is loaded'
  return { hard: false, refusal: { rpc: 'forbidden', reasonCode: 'tool_not_allowed', reason, data: { reason } } }
}

function checkArguments({ setup: { profile }, rule, input }: Case): Ruling | undefined {
  const fault = rule && findMismatch(rule, input, profile)
  return fault && argumentRuling(fault, rule, profile)
}

function checkUndeclared({ setup: { policy, profile }, rule, input }: Case): Ruling | undefined {
  const fault = policy && findUndeclared(rule, policy.strictArgsDefault, input, profile)
  return fault && argumentRuling(fault, rule, profile)
}

/** Before an approval is asked for, arguments must hold: monitor mode does not soften that. */
function argumentRuling({ code, reason, arg, pattern }: ArgumentFault, rule: ToolRule | undefined, profile: Profile): Ruling {
  const key = code === 'argument_mismatch' ? `allow_args.${arg}` : 'strict_args'
  const shown = { reason, ...(arg !== undefined && { arg }), ...(profile === 'aip-compat' && pattern !== undefined && { pattern }) }
  const matchedRule = rule ? `${ruleName(rule)}.${key}` : 'strict_args_default'
  return { hard: rule?.action === 'ask', refusal: { rpc: 'arguments', reasonCode: code, reason, matchedRule, data: shown } }
}
