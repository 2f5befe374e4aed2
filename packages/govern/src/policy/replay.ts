/**
 * A policy and roles over what was recorded: which verdicts would be others.
 *
 * Rates, days and budgets are counted from the beginning by the recorded times, sessions and users: a call that the policy
 * lets through counts, one that it asks about counts when it happened then, and tokens and money are those that outcomes
 * recorded. Paths are resolved on the disk as it is now, arguments are judged as they were recorded, and where roles come
 * from the environment or a token they are those of the record. Source: docs/reference/policy.md.
 * @module
 */
import type { Action, ActionIds, Verdict } from '@sworn/recorder'
import type { GateOptions } from '../gate/setup.ts'
import { createGate } from '../gate.ts'
import { createMemoryCounters } from '../rate.ts'
import type { Provider } from '../roles/types.ts'
import {
  createCallReader,
  isRedacted,
  type RecordedCall,
  type RecordedEntry,
  type RecordedWho,
  timeOf,
  usageOf,
  whoOf,
} from './recorded.ts'
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
  { roles, ...options }: Omit<GateOptions, 'policy' | 'now' | 'clock' | 'reserve'> = {},
): (entry: RecordedEntry) => Promise<Replayed | undefined> {
  let nowMs = 0
  const counters = createMemoryCounters(() => nowMs)
  const env: Record<string, string | undefined> = {}
  const timed = { now: () => nowMs, clock: () => nowMs, reserve: counters.reserve }
  const gate = createGate({ ...options, ...timed, policy, ...(roles && { roles: { ...roles, env } }) })
  const read = createCallReader()
  const idsOf = (who: RecordedWho) => reenact(roles?.directory.provider, env, who)
  return async (entry) => {
    nowMs = Math.max(nowMs, timeOf(entry))
    const usage = usageOf(entry)
    const charged = usage && gate.charge?.(idsOf(whoOf(entry)), usage)
    for (const { counter, amount } of charged ?? []) counters.move(counter, amount)
    const call = read(entry)
    if (!call) return undefined
    const { input } = call
    const verdict = await gate.judge(toAction(call, idsOf(call)))
    if (verdict.decision === 'ask' && !call.happened) for (const { counter, amount } of verdict.spent ?? []) counters.move(counter, -amount)
    return { call, verdict, changed: verdict.decision !== call.decision, redacted: isRedacted(input) }
  }
}

/** A method is judged by its name, and by what it named where the record says it. */
function toAction({ kind, name, target = name, input = {} }: RecordedCall, ids: ActionIds): Action {
  return kind === 'method'
    ? { kind: 'resource', name: target, input, ids, rpc: { method: name } }
    : { kind: 'tool', name, input, ids, rpc: { method: 'tools/call' } }
}

/** Puts the recorded user and role where the directory looks for them. */
function reenact(provider: Provider | undefined, env: Record<string, string | undefined>, who: RecordedWho): ActionIds {
  const { session, user, role, orgUnit } = who
  const ids = { ...(session !== undefined && { session }), ...(user !== undefined && { user }) }
  if (!provider || provider.kind === 'local') return ids
  const told = { [provider.user]: user, [provider.role]: role, [provider.orgUnit]: orgUnit }
  if (provider.kind === 'token') return { ...ids, claims: told }
  Object.assign(env, told)
  return ids
}
