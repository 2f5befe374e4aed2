/**
 * A gate whose verdicts on tool calls come from a validation server.
 *
 * Promise: what protects itself here (ledger, keys, policy, configuration) is protected whatever the server says, and
 * methods, lists and data are judged here as ever. Roles and budgets are the server's. Source: AIP v1alpha2 §3.8.
 * @module
 */
import type { Gate, Verdict } from '@sworn/recorder'
import type { RemoteValidator } from './remote.ts'
import { DEFAULT_ENDPOINTS, type ServerRules } from './rules.ts'

/** What a client does where its policy says nothing: no answer is a denial. */
export const DEFAULT_CLIENT_RULES: Pick<ServerRules, 'endpoints' | 'failoverMode' | 'timeoutMs'> = {
  endpoints: DEFAULT_ENDPOINTS,
  failoverMode: 'fail_closed',
  timeoutMs: 5000,
}

export interface RemoteGateOptions {
  /** Judges methods, lists and data. */
  readonly local: Gate
  /** Protects what is ours, and has no policy. */
  readonly own: Gate
  readonly validator: RemoteValidator
}

export function createRemoteGate({ local, own, validator }: RemoteGateOptions): Gate {
  const { policy, judgeMethod, judgeListed, inspect, inspectLog } = local
  return {
    policy,
    judgeMethod,
    inspect,
    ...(judgeListed && { judgeListed }),
    ...(inspectLog && { inspectLog }),
    async judge(action) {
      if (action.kind !== 'tool') return local.judge(action)
      const first = await own.judge(action)
      return first.decision === 'deny' ? first : stricter(first, await validator.judge(action))
    },
  }
}

/** What a person is to be asked about here is not let through because the server allows it. */
function stricter(first: Verdict, told: Verdict): Verdict {
  return first.decision === 'ask' && told.decision === 'allow' ? first : told
}
