/**
 * What stands in for a policy that is named but missing, empty or invalid: everything is blocked.
 *
 * Whether it asked for `filter_stderr` cannot be known, so what the server logs is masked, and not held back: it may say
 * why nothing works. Source: spec events §2 rule 1, spec policy §6.5.
 * @module
 */
import type { Gate, Verdict } from '@sworn/recorder'
import { builtinSource } from './dlp/builtin.ts'
import { createInspection } from './dlp/inspect.ts'
import type { DlpRules } from './dlp/rules.ts'
import { DLP_GROUPS } from './dlp/scanner.ts'
import { deny } from './gate/verdicts.ts'

/** Every secret that is known without a policy; the bounds are the defaults of a `dlp` section. */
function logRules(): DlpRules {
  return {
    scanRequests: false,
    scanResponses: false,
    detectEncoding: true,
    filterStderr: true,
    maxScanChars: 1 << 20,
    maxMs: 1500,
    onRequestMatch: 'block',
    onFailure: 'block',
    allow: [],
    sources: [builtinSource(DLP_GROUPS.secrets.map((name) => ({ name, scope: 'all', mask: 'full' })))],
  }
}

/**
 * @param reasonCode recorded on every decision
 * @param reason for the record; the client is told only that there is no valid policy
 * @param options.signature the fault is one of the signature (`isSignatureFault`): the client is told -32010
 */
export function blockingGate(reasonCode: 'policy_invalid', reason: string, options: { signature?: boolean } = {}): Gate {
  const told = options.signature ? 'The policy signature does not hold' : 'The policy is not valid'
  const refuse = (rpc: 'forbidden' | 'method', called: { tool: string } | { method: string }): Verdict =>
    deny({ policy: undefined, called }, { rpc: options.signature ? 'signature' : rpc, reasonCode, reason, data: { reason: told } })
  return {
    ...createInspection({ rules: logRules(), profile: 'strict', now: undefined, key: undefined }),
    policy: {},
    judgeMethod: (method) => refuse('method', { method: String(method) }),
    judge: async (action) => refuse('forbidden', { tool: String(action.name) }),
    inspect: (value) => ({ value, matches: [], blocked: true }),
  }
}
