/** Gates for tests: they decide from a list, not from a policy. @module */
import type { Gate, Inspected, Verdict } from '@sworn/recorder'

const ALLOW: Verdict = { decision: 'allow', reason: 'not on the list', reasonCode: 'default_allow', policyName: 'test' }

/** Denies the named tools and methods as the aip-v1alpha profile does. */
export function denyingGate(tools: readonly string[], methods: readonly string[] = [], rest: Partial<Gate> = {}): Gate {
  const rpc = (code: number, message: string, data: Record<string, unknown>) => ({ code, message, data, profile: 'aip-v1alpha' })
  return {
    policy: { name: 'test' },
    judgeMethod: (method) =>
      methods.includes(method)
        ? {
            decision: 'deny',
            reason: 'on the list',
            reasonCode: 'method_not_allowed',
            rpcError: rpc(-32006, 'Method not allowed', { method, reason: 'method' }),
          }
        : ALLOW,
    judge: async ({ name: tool }) =>
      tools.includes(tool)
        ? {
            decision: 'deny',
            reason: 'on the list',
            reasonCode: 'tool_not_allowed',
            rpcError: rpc(-32001, 'Forbidden', { tool, reason: 'Tool not in allowed_tools list' }),
          }
        : ALLOW,
    inspect: (value) => ({ value, matches: [], blocked: false }),
    ...rest,
  }
}

/** Replaces a word in every string of the data, or blocks when it stands there. */
export function maskingGate(word: string, dlpAction: 'mask' | 'block', direction: 'request' | 'response' = 'response'): Gate {
  const inspect = (value: unknown, where: 'request' | 'response'): Inspected => {
    const text = JSON.stringify(value)
    if (where !== direction || !text.includes(word)) return { value, matches: [], blocked: false }
    const match = { pattern: 'word', matchCount: text.split(word).length - 1, direction: where, dlpAction, redacted: dlpAction === 'mask' }
    return {
      value: dlpAction === 'mask' ? JSON.parse(text.replaceAll(word, '[REDACTED:word]')) : value,
      matches: [match],
      blocked: dlpAction === 'block',
    }
  }
  return denyingGate([], [], { inspect })
}
