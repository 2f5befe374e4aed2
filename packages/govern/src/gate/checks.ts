/**
 * What a tool call must pass, in order. Each check is one function of the case; the first that speaks decides.
 *
 * `hard` refusals hold in monitor mode too. Source: spec policy §6.2.
 * @module
 */
import type { Reservation } from '@sworn/recorder'
import { type ArgumentFault, findMismatch, findUndeclared } from '../arguments.ts'
import type { CallUse, PathGuard } from '../paths/guard.ts'
import type { Platform } from '../paths/place.ts'
import type { SelfGuard } from '../paths/self-guard.ts'
import type { Policy, ToolRule } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'
import type { RoleCase } from '../roles/judge.ts'
import { matchesTool } from '../tool-globs.ts'
import { type JudgedCommand, toCommandPaths } from './commands.ts'
import { judgeMethodName } from './methods.ts'
import { isReader, takesAll } from './readers.ts'
import type { Refusal } from './verdicts.ts'

export interface Setup {
  readonly policy: Policy | undefined
  readonly profile: Profile
  readonly platform: Platform
  readonly paths: PathGuard
  /** The same places as `paths` protects without the policy, against commands. */
  readonly self: SelfGuard
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
  /** What the checks of this call see of the disk. */
  readonly disk: Platform
  /** Hashes of the tool as its server describes it. */
  readonly described: readonly string[] | undefined
  /** The server describes the tool differently than when it was first seen. */
  readonly redescribed: boolean
  readonly reservation: Reservation | 'unavailable' | undefined
  /** Set for a tool that runs commands. */
  readonly command: JudgedCommand | undefined
  /** Set where roles are. */
  readonly role: RoleCase | undefined
}

/** What of a call is about how its tool is described. */
export type SchemaCase = Pick<Case, 'setup' | 'rule' | 'described' | 'redescribed'>

export interface Ruling {
  readonly refusal: Refusal
  readonly hard: boolean
}

export type StepName =
  | 'method'
  | 'rate_limit'
  | 'protected_path'
  | 'role'
  | 'command'
  | 'role_path'
  | 'denied_tools'
  | 'block_rule'
  | 'allowed_tools'
  | 'schema_hash'
  | 'allow_args'
  | 'strict_args'

type Check = (call: Case) => Ruling | undefined

/** In the order of evaluation. */
export const CHECKS: readonly (readonly [StepName, Check])[] = [
  ['method', checkMethod],
  ['rate_limit', checkRate],
  ['protected_path', checkPaths],
  ['role', ({ role }) => always(role?.tool())],
  ['command', ({ role }) => always(role?.command())],
  ['role_path', ({ role }) => always(role?.paths())],
  ['denied_tools', checkDenied],
  ['block_rule', checkBlocked],
  ['allowed_tools', checkAllowed],
  ['schema_hash', checkSchema],
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

/** Monitor mode is about the policy: what a role forbids stays forbidden. */
function always(refusal: Refusal | undefined): Ruling | undefined {
  return refusal && { hard: true, refusal }
}

function checkPaths({ setup, input, tool, command, disk }: Case): Ruling | undefined {
  const found = pathRefusal(setup.paths, input, disk, { takesAll: takesAll(tool) })
  const onlyReads = command ? command.judgement.verdict === 'safe' : isReader(tool)
  if (found) return always(onlyReads ? withoutTampering(found) : found)
  const written = command && setup.self.findWritten(toCommandPaths(command), disk)
  return always(written === undefined ? undefined : selfRefusal(written, 'the command'))
}

/** Only read. */
export function withoutTampering({ tamperedWith: _path, ...refusal }: Refusal): Refusal {
  return refusal
}

function selfRefusal(path: string, where: string): Refusal {
  const reason = `protected path ${path} is named at ${where}`
  return { rpc: 'path', reasonCode: 'protected_path', reason, matchedRule: 'self', tamperedWith: path, data: { reason: 'Protected path' } }
}

/** The record names path and place; the client learns neither. */
export function pathRefusal(paths: PathGuard, input: unknown, disk: Platform, use?: CallUse): Refusal | undefined {
  const hit = paths.find(input, disk, use)
  if (!hit) return undefined
  if (hit.rule === 'self') return selfRefusal(hit.path, hit.pointer || 'the top')
  return {
    rpc: 'path',
    reasonCode: 'protected_path',
    reason: `protected path ${hit.path} is named at ${hit.pointer || 'the top'}`,
    matchedRule: hit.rule,
    data: { reason: 'Protected path' },
  }
}

function checkDenied({ setup: { policy }, tool }: Case): Ruling | undefined {
  if (!policy?.deniedTools.has(tool) && !policy?.deniedToolGlobs.some((glob) => matchesTool(glob, tool))) return undefined
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

/** The client learns that the tool is not what the policy knows, not which hash would do. A hash that holds answers for a change. */
export function checkSchema({ setup, rule, described, redescribed }: SchemaCase): Ruling | undefined {
  const { policy, profile } = setup
  if (rule?.schemaHash === undefined) {
    if (!redescribed || !policy || profile === 'aip-compat') return undefined
    const reason = 'The server describes the tool differently than before'
    return { hard: rule?.action === 'ask', refusal: { rpc: 'schema', reasonCode: 'schema_mismatch', reason, data: { reason } } }
  }
  if (described?.includes(rule.schemaHash)) return undefined
  if (!described && profile === 'aip-compat') return undefined
  const reason = described ? 'The server describes another tool than the policy names' : 'The server has not described the tool'
  const matchedRule = `${ruleName(rule)}.schema_hash`
  return { hard: rule.action === 'ask', refusal: { rpc: 'schema', reasonCode: 'schema_mismatch', reason, matchedRule, data: { reason } } }
}

function checkArguments({ setup: { profile }, rule, input, disk }: Case): Ruling | undefined {
  const fault = rule && findMismatch(rule, input, profile, disk.checkTime)
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
