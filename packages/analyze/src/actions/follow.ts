/**
 * Follows what an observer saw begin, and what a model asked for, until somebody sees it go on.
 *
 * A call is found when its end was recorded as unknown, when the turn or the session that it belongs to is over, or when its
 * time is up; until then it may be under way. A tool call in an answer of a model (`result.tool_calls`) is met by the record
 * with its id, where one of the two has none by the next of the same tool, in the same session; a proxy does not know the
 * agent's session, so its records meet those of any. Pure and bounded: of MAX_WAITING the oldest are let go and counted. Its
 * state is plain JSON. Source: events.md §2 rule 2, capture.md §4 (the holes).
 * @module
 */
import type { Entry } from '../reading/entry.ts'
import type { Observed } from './observations.ts'
import { createPool, type StoredPool } from './pool.ts'

export interface Followed {
  readonly finding: 'no_outcome' | 'announced_not_recorded'
  /** Of the entry that began or announced it. */
  readonly seq: number
  readonly entry_hash: string
  readonly tool: string | null
  readonly session_id: string | null
  readonly timestamp: string | null
  /** When it began to wait, as its caller said. */
  readonly time: number
}

export interface StoredFollower {
  readonly begun: StoredPool<Waiting>
  readonly announced: StoredPool<Waiting>
  readonly recorded: StoredPool<Recorded>
}

export interface Follower {
  /** In the order of the ledger. @param observed of the same entry. @param time milliseconds. @returns what is found with it */
  add(entry: Entry, observed: Observed | undefined, time: number): readonly Followed[]
  /** What waits since `since` or before, taken out: in the order of the ledger, up to the first that is younger. */
  late(since: number): readonly Followed[]
  /** All that wait. */
  waiting(): readonly Followed[]
  dropped(): number
  stored(): StoredFollower
}

interface Waiting extends Followed {
  readonly call?: string | undefined
}

interface Recorded {
  readonly call?: string | undefined
}

/** Of calls that began, that were announced, and that were recorded before they were announced. */
export const MAX_WAITING = 4096
const MAX_NAME = 200

export function createFollower(stored?: StoredFollower): Follower {
  const begun = createPool<Waiting>(MAX_WAITING, stored?.begun)
  const announced = createPool<Waiting>(MAX_WAITING, stored?.announced)
  const recorded = createPool<Recorded>(MAX_WAITING, stored?.recorded)

  function addCall(entry: Entry, observed: Observed, time: number): readonly Followed[] {
    const { event_type: type, decision, reason_code: code } = entry
    const own = `action ${observed.action}`
    if (!begun.has(own) && isIntent(entry)) begun.add(waitingOf('no_outcome', entry, { tool: entry.tool, time }), [own, ...endsOf(entry)])
    const isEnd = type === 'tool_call_end' || type === 'tool_call_error'
    const over = isEnd || decision === 'deny' || code === 'dry_run' ? begun.take(own) : undefined
    if (observed.begins) meetAnnouncement(entry, observed.first)
    return over && isEnd && entry.error_type === 'outcome_unknown' ? [over] : []
  }

  /** A second observer of a call meets what the first did not, and only by its id. */
  function meetAnnouncement(entry: Entry, first: boolean): void {
    const call = callOf(entry)
    const keys = keysOf(entry, call, first ? entry.tool : undefined, isProxy(entry))
    if (keys.some((key) => announced.take(key, isSameCall(call)))) return
    if (first) recorded.add({ call }, keys)
  }

  function addAnswer(entry: Entry, time: number): void {
    for (const { id, name } of announcedIn(entry.result)) {
      const keys = keysOf(entry, id, name, true)
      if (keys.some((key) => recorded.take(key, isSameCall(id)))) continue
      announced.add({ ...waitingOf('announced_not_recorded', entry, { tool: name, time }), call: id }, [...keys, ...endsOf(entry)])
    }
  }

  /** What the agent begins from here on is of another turn; a model is asked again when what it announced is done. */
  function endTurn({ event_type: type, session_id: session, agent_id: agent }: Entry): readonly Followed[] {
    if (typeof session !== 'string') return []
    const key = type === 'session_end' ? sessionKey(session) : turnKey(session, agent)
    return [...(OVER.has(type) ? begun.takeAll(key) : []), ...(OVER.has(type) || type === 'model_request' ? announced.takeAll(key) : [])]
  }

  return {
    add(entry, observed, time) {
      if (observed) return addCall(entry, observed, time)
      if (entry.event_type !== 'model_response') return endTurn(entry)
      addAnswer(entry, time)
      return []
    },
    late: (since) => [begun, announced].flatMap((pool) => pool.takeWhile(({ time }) => time <= since)).toSorted(bySeq),
    waiting: () => [...begun.values(), ...announced.values()].toSorted(bySeq),
    dropped: () => begun.dropped() + announced.dropped(),
    stored: () => ({ begun: begun.stored(), announced: announced.stored(), recorded: recorded.stored() }),
  }
}

const bySeq = (a: Followed, b: Followed) => a.seq - b.seq

const OVER: ReadonlySet<unknown> = new Set(['session_end', 'turn_end', 'subagent_end'])

function isIntent({ event_type: type, decision, reason_code: code }: Entry): boolean {
  return type === 'tool_call_start' || (type === 'authorization_decision' && decision === 'allow' && code !== 'dry_run')
}

/** Two ids differ, or one of the two has none. */
function isSameCall(call: string | undefined): (other: Recorded) => boolean {
  return (other) => call === undefined || other.call === undefined || other.call === call
}

function isProxy({ source }: Entry): boolean {
  const { kind } = membersOf(source)
  return kind === 'mcp_stdio' || kind === 'mcp_http'
}

/** Under which an announcement and a record meet, the surest first. @param anywhere in any session too */
function keysOf({ session_id: session }: Entry, call: string | undefined, tool: unknown, anywhere: boolean): string[] {
  const name = textOf(tool)?.split('__').at(-1) // clients put the server before it
  const byCall = call === undefined ? [] : [JSON.stringify(['call', textOf(session), call])]
  if (name === undefined) return byCall
  return [...byCall, JSON.stringify(['tool', textOf(session), name]), ...(anywhere ? [JSON.stringify(['any', name])] : [])]
}

const sessionKey = (session: unknown) => JSON.stringify(['session', textOf(session)])
const turnKey = (session: unknown, agent: unknown) => JSON.stringify(['turn', textOf(session), textOf(agent)])

/** Under which a call is found when its turn or its session is over. */
function endsOf({ session_id: session, agent_id: agent }: Entry): string[] {
  return typeof session === 'string' ? [sessionKey(session), turnKey(session, agent)] : []
}

function waitingOf(finding: Followed['finding'], entry: Entry, { tool, time }: { tool: unknown; time: number }): Waiting {
  const { seq, session_id: session, timestamp, entry_hash: hash } = entry
  const about = { tool: textOf(tool) ?? null, session_id: textOf(session) ?? null, timestamp: textOf(timestamp) ?? null }
  return { finding, seq, ...about, entry_hash: textOf(hash) ?? '', call: undefined, time }
}

function announcedIn(result: unknown): readonly { readonly id: string | undefined; readonly name: unknown }[] {
  const { tool_calls: calls } = membersOf(result)
  return Array.isArray(calls) ? calls.map(membersOf).map(({ id, name }) => ({ id: textOf(id), name })) : []
}

function callOf({ metadata }: Entry): string | undefined {
  return textOf(membersOf(metadata).call_id)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 ? value.slice(0, MAX_NAME).toWellFormed() : undefined
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // any object: members are unknown
}
