/**
 * A policy over what was recorded: which verdicts would be others.
 *
 * Rates are counted by the recorded times, paths are resolved on the disk as it is now, arguments are judged as they
 * were recorded. Budgets and roles are not replayed. Source: docs/reference/policy.md.
 * @module
 */
import type { Verdict } from '@sworn/recorder'
import type { GateOptions } from '../gate/setup.ts'
import { createGate } from '../gate.ts'
import { createCallReader, isRedacted, type RecordedCall, type RecordedEntry } from './recorded.ts'
import type { Policy } from './types.ts'

export interface Replayed {
  readonly call: RecordedCall
  readonly verdict: Verdict
  readonly changed: boolean
  /** The arguments are not those that were called. */
  readonly redacted: boolean
}

/** Takes entries in the order of the ledger; gives undefined for those that tell of no call. */
export function createReplay(
  policy: Policy,
  options: Omit<GateOptions, 'policy' | 'now'> = {},
): (entry: RecordedEntry) => Promise<Replayed | undefined> {
  let nowMs = 0
  const gate = createGate({ ...options, policy, now: () => nowMs })
  const read = createCallReader()
  return async (entry) => {
    const call = read(entry)
    if (!call) return undefined
    nowMs = Math.max(nowMs, call.atMs)
    const { name, input, session, user } = call
    const ids = { ...(session !== undefined && { session }), ...(user !== undefined && { user }) }
    const action = { kind: 'tool', name, input: input ?? {}, ids, rpc: { method: 'tools/call' } } as const
    const verdict = call.kind === 'method' ? gate.judgeMethod(name) : await gate.judge(action)
    return { call, verdict, changed: verdict.decision !== call.decision, redacted: isRedacted(input) }
  }
}
