/**
 * Which JSON-RPC methods pass. Always enforced, in monitor mode too.
 * Source: spec policy §6.1, §6.2 step 0.
 * @module
 */
import { normalizeName } from '../names.ts'
import type { Policy } from '../policy/types.ts'
import type { Profile } from '../profiles.ts'

/** AIP's default list. */
const AIP_METHODS = [
  'initialize',
  'initialized',
  'ping',
  'tools/call',
  'tools/list',
  'completion/complete',
  'notifications/initialized',
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'cancelled',
]

/** What MCP needs besides to work at all: cancelling, roots that changed, and discovery in place of initialize. */
const MCP_METHODS = ['notifications/cancelled', 'notifications/roots/list_changed', 'server/discover']

/** Of a policy that names none. */
export const DEFAULTS: Readonly<Record<Profile, ReadonlySet<string>>> = {
  strict: new Set([...AIP_METHODS, ...MCP_METHODS]),
  'aip-compat': new Set(AIP_METHODS),
}

export interface MethodRuling {
  readonly allowed: boolean
  readonly rule: 'denied_methods' | 'allowed_methods' | 'default_methods'
}

/** Hostile input: the method as sent. Without a policy `strict` passes all, `aip-compat` the default list. */
export function judgeMethodName(method: string, policy: Policy | undefined, profile: Profile): MethodRuling {
  if (!policy && profile === 'strict') return { allowed: true, rule: 'default_methods' }
  const name = normalizeName(method, profile)
  if (policy?.deniedMethods.has(name)) return { allowed: false, rule: 'denied_methods' }
  const listed = policy?.allowedMethods
  if (!listed) return { allowed: DEFAULTS[profile].has(name), rule: 'default_methods' }
  return { allowed: listed.has('*') || listed.has(name), rule: 'allowed_methods' }
}
