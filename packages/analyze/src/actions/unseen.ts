/**
 * What an observer saw begin and nobody saw go on: calls without an end, and calls that a model asked for without a record.
 *
 * A call is a finding when its end was recorded as unknown, when the turn or the session that it belongs to is over, or when a
 * quarter of an hour went by in the ledger; until then it may be under way. A tool call in an answer of a model
 * (`result.tool_calls`) is met by the record with its id, where one of the two has none by the next of the same tool, in the
 * same session; a proxy does not know the agent's session, so its records meet those of any. Pure and bounded: of MAX_WAITING
 * the oldest are let go and counted as not followed. Source: events.md §2 rule 2, capture.md §4 (the holes).
 * @module
 */
import type { Entry } from '../reading/entry.ts'
import { createObservations, type Observed } from './observations.ts'
import { createPool } from './pool.ts'

export interface UnseenCall {
  readonly finding: 'no_outcome' | 'announced_not_recorded'
  /** Of the entry that began or announced it. */
  readonly seq: number
  readonly tool: string | null
  readonly session_id: string | null
  readonly timestamp: string | null
}

export interface Unseen {
  readonly no_outcome: number
  readonly announced_not_recorded: number
  /** Begun or announced lately: nothing is wrong yet. */
  readonly under_way: number
  readonly not_followed: number
  /** At most 20, oldest first. */
  readonly newest: readonly UnseenCall[]
}

export interface UnseenBuilder {
  /** In the order of the ledger. @param observed of the same entry, where the caller asked already */
  add(entry: Entry, observed?: Observed): void
  done(): Unseen
}

/** Of calls that began, that were announced, and that were recorded before they were announced. */
export const MAX_WAITING = 4096
const MAX_SHOWN = 20
const MAX_NAME = 200
const LATE_MS = 15 * 60_000

interface Waiting extends UnseenCall {
  readonly call: string | undefined
  /** Milliseconds; 0 when the entry says none. */
  readonly time: number
}

export function createUnseen(): UnseenBuilder {
  const observations = createObservations()
  const begun = createPool<Waiting>(MAX_WAITING)
  const announced = createPool<Waiting>(MAX_WAITING)
  const recorded = createPool<{ readonly call: string | undefined }>(MAX_WAITING)
  const counts = { no_outcome: 0, announced_not_recorded: 0 }
  const newest: UnseenCall[] = []
  let now = 0

  function report({ finding, seq, tool, session_id, timestamp }: Waiting): void {
    counts[finding]++
    newest.push({ finding, seq, tool, session_id, timestamp })
    if (newest.length > MAX_SHOWN) newest.shift()
  }

  function addCall(entry: Entry, observed: Observed): void {
    const { event_type: type, decision, reason_code: code } = entry
    const own = `action ${observed.action}`
    if (!begun.has(own) && isIntent(entry)) begun.add(waitingOf('no_outcome', entry, entry.tool), [own, ...endsOf(entry)])
    if (type === 'tool_call_end' || type === 'tool_call_error') {
      const open = begun.take(own)
      if (open && entry.error_type === 'outcome_unknown') report(open)
    }
    if (decision === 'deny' || code === 'dry_run') begun.take(own)
    if (observed.begins) meetAnnouncement(entry, observed.first)
  }

  /** A second observer of a call meets what the first did not, and only by its id. */
  function meetAnnouncement(entry: Entry, first: boolean): void {
    const call = callOf(entry)
    const keys = keysOf(entry, call, first ? entry.tool : undefined, isProxy(entry))
    if (keys.some((key) => announced.take(key, isSameCall(call)))) return
    if (first) recorded.add({ call }, keys)
  }

  function addAnswer(entry: Entry): void {
    for (const { id, name } of announcedIn(entry.result)) {
      const keys = keysOf(entry, id, name, true)
      if (keys.some((key) => recorded.take(key, isSameCall(id)))) continue
      announced.add({ ...waitingOf('announced_not_recorded', entry, name), call: id }, [...keys, ...endsOf(entry)])
    }
  }

  /** What the agent begins from here on is of another turn; a model is asked again when what it announced is done. */
  function endTurn({ event_type: type, session_id: session, agent_id: agent }: Entry): void {
    if (typeof session !== 'string') return
    const key = type === 'session_end' ? sessionKey(session) : turnKey(session, agent)
    if (OVER.has(type)) for (const one of begun.takeAll(key)) report(one)
    if (OVER.has(type) || type === 'model_request') for (const one of announced.takeAll(key)) report(one)
  }

  return {
    add(entry, observed = observations.observe(entry)) {
      now = Math.max(now, timeOf(entry))
      if (observed) addCall(entry, observed)
      else if (entry.event_type === 'model_response') addAnswer(entry)
      else endTurn(entry)
    },
    done() {
      const waiting = [...begun.values(), ...announced.values()].toSorted((a, b) => a.seq - b.seq)
      const late = waiting.filter(({ time }) => now - time >= LATE_MS)
      const found = { ...counts }
      for (const { finding } of late) found[finding]++
      const shown = [...newest, ...late.map(shownOf)].toSorted((a, b) => a.seq - b.seq).slice(-MAX_SHOWN)
      const notFollowed = begun.dropped() + announced.dropped()
      return { ...found, under_way: waiting.length - late.length, not_followed: notFollowed, newest: shown }
    },
  }
}

const OVER: ReadonlySet<unknown> = new Set(['session_end', 'turn_end', 'subagent_end'])

function isIntent({ event_type: type, decision, reason_code: code }: Entry): boolean {
  return type === 'tool_call_start' || (type === 'authorization_decision' && decision === 'allow' && code !== 'dry_run')
}

/** Two ids differ, or one of the two has none. */
function isSameCall(call: string | undefined): (other: { readonly call: string | undefined }) => boolean {
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

function waitingOf(finding: UnseenCall['finding'], entry: Entry, tool: unknown): Waiting {
  const { seq, session_id: session, timestamp } = entry
  const about = { tool: textOf(tool) ?? null, session_id: textOf(session) ?? null, timestamp: textOf(timestamp) ?? null }
  return { finding, seq, ...about, call: undefined, time: timeOf(entry) }
}

function shownOf({ finding, seq, tool, session_id, timestamp }: Waiting): UnseenCall {
  return { finding, seq, tool, session_id, timestamp }
}

function announcedIn(result: unknown): readonly { readonly id: string | undefined; readonly name: unknown }[] {
  const { tool_calls: calls } = membersOf(result)
  return Array.isArray(calls) ? calls.map(membersOf).map(({ id, name }) => ({ id: textOf(id), name })) : []
}

function callOf({ metadata }: Entry): string | undefined {
  return textOf(membersOf(metadata).call_id)
}

function timeOf({ timestamp }: Entry): number {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(time) ? 0 : time
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 ? value.slice(0, MAX_NAME).toWellFormed() : undefined
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // any object: members are unknown
}
