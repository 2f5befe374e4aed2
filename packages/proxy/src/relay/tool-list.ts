/**
 * What the server says its tools are, watched: a description that changes after it was approved is how a tool is poisoned.
 *
 * Every answer to `tools/list` is hashed as the server gives it, each page by itself. The newest hashes go to the gate with
 * each call. A tool that the policy does not know so, or that is described differently than when it was seen first, in this
 * session or an earlier one, is recorded as an alert, and where the gate says so the client does not see it. What was first
 * seen is kept until the gate lets another description pass. Hostile input.
 * Source: policy.md §6.1 (`schema_hash`), §6.6 (−32013).
 * @module
 */
import { hashTool } from '@sworn/govern'
import type { ListedTool, Verdict } from '@sworn/recorder'
import { findImitation, LIST, TOOL } from '../frames/names.ts'
import { isMembers, type Members, memberOf } from '../frames/read.ts'
import type { ToolPins } from './options.ts'
import { membersOf, type Pending, remember, type Session } from './session.ts'

const MAX_TOOLS = 10_000
const MAX_NAME = 1024

/** Pins of one session. What is pinned stays: a server with endless tools does not push it out. */
export function memoryPins(): ToolPins {
  const pins = new Map<string, string>()
  return {
    find: (tool) => pins.get(tool),
    keep(tool, hash) {
      if (pins.size < MAX_TOOLS || pins.has(tool)) pins.set(tool, hash)
    },
  }
}

/** True when clients could read other tools, or other descriptions, than we do. */
export function isAmbiguousList(result: Members): boolean {
  const tools = memberOf(result, 'tools')
  return (
    findImitation(result, LIST) !== undefined ||
    (Array.isArray(tools) && tools.some((tool) => isMembers(tool) && findImitation(tool, TOOL) !== undefined))
  )
}

/** Takes the result of a `tools/list`, one page of it: the places of the tools that the client must not see. Never throws. */
export function learnTools(session: Session, call: Pending, result: unknown): ReadonlySet<number> {
  const tools = memberOf(result, 'tools')
  const withheld = new Set<number>()
  if (!Array.isArray(tools)) return withheld
  for (const [place, tool] of tools.entries()) {
    const name = memberOf(tool, 'name')
    if (isMembers(tool) && typeof name === 'string' && name.length <= MAX_NAME && !learnTool(session, call, name, tool)) withheld.add(place)
  }
  return withheld
}

/** @returns whether the client may see it */
function learnTool(session: Session, call: Pending, name: string, definition: object): boolean {
  const described = hashesOf(definition)
  remember(session.tools, name, described, MAX_TOOLS)
  const [now] = described
  const before = session.pins.find(name)
  const redescribed = before !== undefined && before !== now
  const verdict = judge(session, { name, described, redescribed })
  const isShown = verdict === undefined || verdict.decision === 'allow'
  if (redescribed || verdict?.violation) noteTool(session, call, { name, now, before: redescribed ? before : undefined, isShown })
  if (isShown && now !== undefined && now !== before) session.pins.keep(name, now)
  return isShown
}

/** None for what is not JSON, such as a number beyond all bounds. */
function hashesOf(definition: object): readonly string[] {
  try {
    return hashTool(definition)
  } catch {
    return []
  }
}

/** A gate that throws against its contract shows nothing. */
function judge({ gate }: Session, tool: ListedTool): Pick<Verdict, 'decision' | 'violation'> | undefined {
  try {
    return gate?.judgeListed?.(tool)
  } catch {
    return { decision: 'deny', violation: true }
  }
}

interface Changed {
  readonly name: string
  readonly now: string | undefined
  /** Set where it was described differently. */
  readonly before: string | undefined
  readonly isShown: boolean
}

/** Once for each description and what came of it. */
function noteTool(session: Session, call: Pending, { name, now, before, isShown }: Changed): void {
  const said = `${now} ${isShown}`
  if (session.alerted.get(name) === said) return
  remember(session.alerted, name, said, MAX_TOOLS)
  const metadata = {
    rule: before === undefined ? 'schema_hash' : 'tool_changed',
    ...(now !== undefined && { schema_hash: now }),
    ...(before !== undefined && { schema_hash_before: before }),
    withheld: !isShown,
  }
  const reason =
    before === undefined
      ? 'the server describes another tool than the policy names'
      : 'the server describes the tool differently than before'
  session.audit.note({
    event_type: 'security_alert',
    ...membersOf(session, call),
    tool: name,
    reason_code: 'schema_mismatch',
    reason,
    severity: 'error',
    metadata,
  })
  if (!isShown) session.say('warn', `the tool ${name.slice(0, 100)} is withheld: ${reason} (a schema_hash in the policy accepts it)`)
}
