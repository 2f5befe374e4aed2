/**
 * What the server says its tools are, watched: a description that changes after it was approved is how a tool is poisoned.
 *
 * Every answer to `tools/list` is hashed as the client gets it from the server. The newest hashes go to the gate with each
 * call; one that differs from what was seen first, in this session or an earlier one, is recorded once as an alert.
 * Hostile input. Source: policy.md §6.1 (`schema_hash`), §6.6 (−32013).
 * @module
 */
import { hashTool } from '@sworn/govern'
import { isMembers, memberOf } from '../frames/read.ts'
import type { ToolPins } from './options.ts'
import { membersOf, type Pending, remember, type Session } from './session.ts'

const MAX_TOOLS = 10_000
const MAX_NAME = 1024

/** Pins of one session. */
export function memoryPins(): ToolPins {
  const pins = new Map<string, string>()
  return { find: (tool) => pins.get(tool), keep: (tool, hash) => remember(pins, tool, hash, MAX_TOOLS) }
}

/** Takes the result of a `tools/list`, one page of it. Never throws. */
export function learnTools(session: Session, call: Pending, result: unknown): void {
  const tools = memberOf(result, 'tools')
  if (!Array.isArray(tools)) return
  for (const tool of tools.slice(0, MAX_TOOLS)) {
    const name = memberOf(tool, 'name')
    if (isMembers(tool) && typeof name === 'string' && name.length <= MAX_NAME) learnTool(session, call, name, tool)
  }
}

function learnTool(session: Session, call: Pending, tool: string, definition: object): void {
  const hashes = hashTool(definition)
  remember(session.tools, tool, hashes, MAX_TOOLS)
  const [now] = hashes
  const before = session.pins.find(tool)
  if (before === now) return
  session.pins.keep(tool, now)
  if (before === undefined) return
  const metadata = { rule: 'tool_changed', schema_hash: now, schema_hash_before: before }
  const reason = 'the server describes the tool differently than before'
  session.audit.note({
    event_type: 'security_alert',
    ...membersOf(session, call),
    tool,
    reason_code: 'schema_mismatch',
    reason,
    severity: 'error',
    metadata,
  })
}
