/** A policy in words, for `sworn policy check|explain`. @module */
import { type DlpRules, rulesOf } from './dlp/rules.ts'
import type { ServerRules } from './http/rules.ts'
import type { IdentityRules } from './identity/types.ts'
import type { Policy, ToolRule } from './policy/types.ts'

/** One line per fact, in the order of evaluation. Texts come from the policy: escape them for a terminal. */
export function explainPolicy(policy: Policy): readonly string[] {
  const { allowedMethods, deniedMethods, deniedTools, rules, allowedTools, protectedPaths, dlp } = policy
  return [
    `policy ${policy.name}${policy.version === undefined ? '' : ` ${policy.version}`}, ${policy.mode}, read as ${policy.profile}`,
    `hash ${policy.hash}`,
    ...(policy.identity ? [`identity: ${describeIdentity(policy.identity)}`] : []),
    ...(policy.server ? describeServer(policy.server) : []),
    `methods: ${allowedMethods ? listed(allowedMethods) : 'the default list'}; denied: ${listed(deniedMethods)}`,
    `protected paths: ${listed(protectedPaths)}`,
    `denied tools: ${listed(deniedTools)}`,
    ...Array.from(rules.values(), describeRule),
    `allowed tools: ${listed(allowedTools)}`,
    `undeclared arguments: ${policy.strictArgsDefault ? 'refused unless a rule says otherwise' : 'pass unless a rule says otherwise'}`,
    `data loss prevention: ${dlp ? describeDlp(dlp) : 'none'}`,
    'every other tool: blocked',
    ...policy.warnings.map((warning) => `warning: ${warning}`),
  ]
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ') || 'none'
}

function describeIdentity({ requireToken, tokenTtlMs, binding, audience }: IdentityRules): string {
  const required = requireToken ? 'a token is required' : 'a token is checked when presented'
  return `${required}, once, within ${tokenTtlMs / 1000} s, bound by ${binding}, for ${audience}`
}

/** The gate of a policy answers by itself: what to do without an answer is for those who ask a server. */
function describeServer({ host, port, tls, failoverMode, timeoutMs }: ServerRules): readonly string[] {
  return [
    `server: listens on ${host || '[::]'}:${port}${tls ? ' with TLS' : ''}`,
    `failover: ${failoverMode}, for a client that asks a policy server (sworn proxy --validator) and has no answer within ${timeoutMs} ms; a gate that judges here does not act on it, and denies what it cannot judge`,
  ]
}

function describeRule({ index, tool, action, rate, schemaHash, allowArgs, strictArgs }: ToolRule): string {
  const parts = [
    ...(rate ? [`at most ${rate.limit} per ${rate.perMs / 1000} s`] : []),
    ...(schemaHash === undefined ? [] : [`described as ${schemaHash}`]),
    ...Array.from(allowArgs, ([arg, pattern]) => `${arg} matches ${pattern.pattern()}`),
    ...(strictArgs === undefined ? [] : [strictArgs ? 'no other argument' : 'other arguments pass']),
  ]
  return `tool_rules.${index}: ${action} ${tool}${parts.length > 0 ? `; ${parts.join('; ')}` : ''}`
}

function describeDlp(dlp: DlpRules): string {
  const where = [
    ...(dlp.scanRequests ? [`requests (${dlp.onRequestMatch})`] : []),
    ...(dlp.scanResponses ? ['responses (mask)'] : []),
    ...(dlp.filterStderr ? ['stderr (mask)'] : []),
  ]
  const names = rulesOf(dlp).map(({ name, action }) => (action ? `${name} (${action})` : name))
  return `${listed(where)}; patterns: ${listed(names)}`
}
