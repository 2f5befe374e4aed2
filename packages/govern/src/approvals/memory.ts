/**
 * Approvals that still hold: for a tool in this session, or for exactly this call in this session.
 *
 * In memory only: they end with the session, and with this process. Bounded: the oldest goes first, which
 * means that a person is asked again. A changed policy, rule, user, agent or server is another key.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { type Action, type JsonValue, keyedHash, type Verdict } from '@sworn/recorder'
import type { Remembered } from './types.ts'

const MAX_REMEMBERED = 1000

export interface CallKeys {
  /** Of the tool in its session. */
  readonly tool: string
  /** Of the tool with these arguments in its session. */
  readonly call: string
}

export interface ApprovalMemory {
  keysOf(action: Action, verdict: Verdict, input: JsonValue): CallKeys
  find(keys: CallKeys): Remembered | undefined
  remember(keys: CallKeys, approval: Remembered): void
  /** Oldest first. */
  list(): readonly Remembered[]
  /** true when there was one with this id. */
  forget(id: string): boolean
  endSession(session: string): void
}

/** @param secret 32 bytes: keys are worth nothing outside this process */
export function createApprovalMemory(secret: Uint8Array = randomBytes(32)): ApprovalMemory {
  const held = new Map<string, Remembered>()
  const drop = (gone: (approval: Remembered) => boolean) => {
    const keys = [...held].filter(([, approval]) => gone(approval)).map(([key]) => key)
    for (const key of keys) held.delete(key)
    return keys.length > 0
  }
  return {
    keysOf: (action, verdict, input) => keysOf(secret, action, verdict, input),
    find: (keys) => held.get(keys.tool) ?? held.get(keys.call),
    remember(keys, approval) {
      const key = approval.scope === 'session' ? keys.tool : keys.call
      held.delete(key)
      held.set(key, approval)
      if (held.size > MAX_REMEMBERED) held.delete(held.keys().next().value ?? '')
    },
    list: () => [...held.values()],
    forget: (id) => drop((approval) => approval.id === id),
    endSession: (session) => void drop((approval) => approval.session === session),
  }
}

function keysOf(secret: Uint8Array, action: Action, verdict: Verdict, input: JsonValue): CallKeys {
  const { policyHash, matchedRule } = verdict
  const { session, user, agent } = action.ids
  const about = [policyHash, matchedRule, session, user, agent, action.server?.name, action.kind, action.name].map((part) => part ?? null)
  const tool = keyedHash(secret, about)
  return { tool, call: keyedHash(secret, [...about, { arguments: input }]) }
}
