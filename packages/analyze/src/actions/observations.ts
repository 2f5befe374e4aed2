/**
 * Which entries are about one tool call that several saw: a hook and the proxy, an adapter and a span.
 *
 * Each observer has a correlation_id of its own. Two observers mean one action when they name the same call in the same
 * session (`metadata.call_id`), or when one sees a call of the same tool with the same arguments begin while the other's is
 * open. One source never sees a call twice: its equal calls are calls of their own. Pure and bounded: the last MAX_FOLLOWED
 * observations are followed, up to as many again are, and what older ones see counts for itself. Source: capture.md §6,
 * events.md §1.
 * @module
 */
import { hash } from 'node:crypto'
import type { Entry } from '../reading/entry.ts'

export interface Observed {
  /** The correlation_id of whoever saw the action first. */
  readonly action: string
  /** False: another observer's entries are about it too, and began before. */
  readonly first: boolean
  /** The first entry of this observer about it. */
  readonly begins: boolean
  /** Another observer said the same: a decision that is no stricter, an end after an end. Counts leave it out. */
  readonly repeats: boolean
  /** Refuses what another observer allowed. */
  readonly overrules: boolean
  /** Refused with this entry, and not before. */
  readonly refuses: boolean
}

export interface Observations {
  /** What an entry is about; undefined: no tool call, or one without an id that can be followed. In the order of the ledger. */
  observe(entry: Omit<Entry, 'seq'>): Observed | undefined
  /** Plain JSON. */
  stored(): StoredObservations
}

interface StoredGeneration {
  /** The id, the place of its action, whether it saw it first, and whether it is open. */
  readonly followed: readonly (readonly [string, number, boolean, boolean])[]
  readonly byKey: readonly (readonly [string, readonly number[]])[]
}

export interface StoredObservations {
  readonly actions: readonly Action[]
  /** The older one first. */
  readonly generations: readonly StoredGeneration[]
}

/** Observations that are followed at least. */
export const MAX_FOLLOWED = 2048
const MAX_ID = 200
const MAX_DEPTH = 64
const CALLS: ReadonlySet<unknown> = new Set([
  'authorization_decision',
  'approval_requested',
  'tool_call_start',
  'tool_call_end',
  'tool_call_error',
])
const ENDS: ReadonlySet<unknown> = new Set(['tool_call_end', 'tool_call_error'])

interface Action {
  readonly id: string
  readonly tool: string
  /** Kind and name of every source that sees it. */
  readonly seenBy: string[]
  /** Observers that did not see its end yet. */
  open: number
  decision?: unknown
  /** The observer that saw its end, or refused it after another allowed it. */
  endedBy?: string | undefined
}

interface Observation {
  readonly action: Action
  readonly first: boolean
  open: boolean
}

/** What is forgotten together: a map that is added to and deleted from for long keeps its old tables from being collected. */
interface Generation {
  readonly followed: Map<string, Observation>
  readonly byKey: Map<string, Action[]>
}

const createGeneration = (): Generation => ({ followed: new Map(), byKey: new Map() })

/** @param known what `stored` said, out of JSON; absent: nothing. @throws TypeError where it is none */
export function createObservations(known?: unknown): Observations {
  const stored = known as StoredObservations | undefined // looked at member by member
  const actions = stored?.actions.map((action) => ({ ...action, seenBy: [...action.seenBy] })) ?? []
  const restored = stored?.generations.map((generation) => restore(generation, actions)) ?? []
  let [before = createGeneration(), now = createGeneration()] = restored

  function find(keys: readonly string[], tool: string, source: string): Action | undefined {
    const fits = (action: Action, key: string) => !action.seenBy.includes(source) && isSameTool(action.tool, tool) && mayMeet(action, key)
    for (const key of keys) {
      for (const { byKey } of [before, now]) {
        const found = byKey.get(key)?.find((action) => fits(action, key))
        if (found) return found
      }
    }
    return undefined
  }

  function follow(id: string, entry: Omit<Entry, 'seq'>): Observation {
    const { source, tool, keys } = marksOf(entry)
    const known = source === undefined ? undefined : find(keys, tool, source)
    const action: Action = known ?? { id, tool, seenBy: [], open: 0, decision: undefined, endedBy: undefined }
    const observation = { action, first: known === undefined, open: true }
    if (source !== undefined) action.seenBy.push(source)
    action.open++
    if (now.followed.size >= MAX_FOLLOWED) [before, now] = [now, createGeneration()]
    for (const key of keys) remember(action, key)
    now.followed.set(id, observation)
    return observation
  }

  function remember(action: Action, key: string): void {
    const under = now.byKey.get(key)
    if (!under) now.byKey.set(key, [action])
    else if (!under.includes(action)) under.push(action)
  }

  return {
    observe(entry) {
      const { event_type: type, correlation_id: id } = entry
      if (!CALLS.has(type) || typeof id !== 'string' || id.length > MAX_ID) return undefined
      const known = now.followed.get(id) ?? before.followed.get(id)
      const observation = known ?? follow(id, entry)
      const { action, first } = observation
      const said = type === 'authorization_decision' ? decide(observation, id, entry.decision) : NOTHING
      const again = ENDS.has(type) && end(observation, id, entry)
      return {
        action: action.id,
        first,
        begins: known === undefined,
        overrules: said.overrules,
        refuses: said.refuses,
        repeats: said.repeats || again,
      }
    },
    stored: () => store([before, now]),
  }
}

function store(generations: readonly Generation[]): StoredObservations {
  const actions = new Map<Action, number>()
  const placeOf = (action: Action) => {
    if (!actions.has(action)) actions.set(action, actions.size)
    return actions.get(action)!
  }
  const kept = generations.map(({ followed, byKey }) => ({
    followed: [...followed].map(([id, { action, first, open }]) => [id, placeOf(action), first, open] as const),
    byKey: [...byKey].map(([key, under]) => [key, under.map(placeOf)] as const),
  }))
  return { actions: [...actions.keys()].map((action) => ({ ...action, seenBy: [...action.seenBy] })), generations: kept }
}

/** @param actions shared by the generations */
function restore({ followed, byKey }: StoredGeneration, actions: readonly Action[]): Generation {
  const actionAt = (place: number): Action => {
    const action = actions[place]
    if (typeof action?.tool !== 'string') throw new TypeError('an action was expected')
    return action
  }
  return {
    followed: new Map(followed.map(([id, place, first, open]) => [id, { action: actionAt(place), first, open }])),
    byKey: new Map(byKey.map(([key, places]) => [key, places.map(actionAt)])),
  }
}

const NOTHING = { repeats: false, overrules: false, refuses: false }

function decide({ action, first }: Observation, id: string, decision: unknown): typeof NOTHING {
  const before = action.decision
  const refuses = decision === 'deny' && before !== 'deny'
  if (first || before === undefined) {
    action.decision = decision
    return { ...NOTHING, refuses }
  }
  if (!refuses) return { ...NOTHING, repeats: true }
  action.decision = decision
  action.endedBy = id
  return { repeats: false, overrules: true, refuses }
}

/** True when another observer saw the end. */
function end(observation: Observation, id: string, { error_type: error }: Omit<Entry, 'seq'>): boolean {
  const { action } = observation
  if (observation.open) action.open--
  observation.open = false
  if (error !== 'outcome_unknown') action.endedBy ??= id
  return action.endedBy !== undefined && action.endedBy !== id
}

/** A name of the call holds for as long as it is known; equal arguments only while somebody has not seen the end. */
function mayMeet({ open }: Action, key: string): boolean {
  return key.startsWith('call ') || open > 0
}

/** Clients put the server before the tool: `mcp__files__read`, `files_read`. */
function isSameTool(a: string, b: string): boolean {
  return a === b || a.endsWith(`_${b}`) || b.endsWith(`_${a}`)
}

interface Marks {
  /** Undefined: an entry that does not say who saw it meets no other. */
  readonly source: string | undefined
  readonly tool: string
  readonly keys: readonly string[]
}

function marksOf({ source, tool, session_id: session, metadata, arguments: given, arguments_hash: hashed }: Omit<Entry, 'seq'>): Marks {
  const { kind, name } = membersOf(source)
  const { call_id: call } = membersOf(metadata)
  const args = typeof hashed === 'string' ? hashed : given === undefined ? undefined : digest(given)
  return {
    source: typeof kind === 'string' ? `${kind} ${typeof name === 'string' ? name : ''}`.slice(0, MAX_ID) : undefined,
    tool: typeof tool === 'string' ? tool.slice(-MAX_ID) : '', // clients put something before it
    keys: [
      ...(typeof call === 'string' && typeof session === 'string' ? [`call ${digest([session, call])}`] : []),
      ...(args === undefined ? [] : [`arguments ${args}`]),
    ],
  }
}

/** Of the value, whatever the order of its members. */
function digest(value: unknown): string {
  return hash('sha256', JSON.stringify(sorted(value, 0)), 'base64url')
}

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1))
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return members.map(([name, member]) => [name, sorted(member, depth + 1)]) // as pairs: no name is special
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // any object: members are unknown
}
