/**
 * Calls as a ledger tells them: what was called, and what was decided then.
 *
 * Entries come in the order of the ledger and may be anything: members of other types are taken as absent. A call is
 * told by its decision; where nobody decided, by its start.
 * @module
 */

export interface RecordedEntry {
  readonly [member: string]: unknown
}

export interface RecordedCall {
  readonly seq: number
  readonly kind: 'tool' | 'method'
  readonly name: string
  /** As recorded: redacted. */
  readonly input: unknown
  /** What a policy said: an answered question counts as `ask`. */
  readonly decision: 'allow' | 'deny' | 'ask'
  readonly session?: string
  readonly user?: string
  readonly atMs: number
}

const MAX_DECIDED = 100_000
const ASKED = /^(?:human_|approval_)/
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** Gives the call that an entry tells of; undefined when it tells of none, or of one that was told before. */
export function createCallReader(): (entry: RecordedEntry) => RecordedCall | undefined {
  const decided = new Set<string>()
  return (entry) => {
    const { event_type: type } = entry
    const correlation = textOf(entry.correlation_id) ?? ''
    if (type === 'tool_call_start' && decided.has(correlation)) return undefined
    if (type === 'authorization_decision' && correlation !== '') {
      decided.add(correlation)
      if (decided.size > MAX_DECIDED) decided.delete(decided.values().next().value ?? '')
    }
    return toCall(entry)
  }
}

function toCall(entry: RecordedEntry): RecordedCall | undefined {
  const { event_type: type, seq, reason_code: code } = entry
  const isMethod = type === 'method_blocked' && code !== 'malformed_request' && code !== 'rate_limited'
  if (type !== 'authorization_decision' && type !== 'tool_call_start' && !isMethod) return undefined
  const name = textOf(isMethod ? entry.method : entry.tool)
  if (name === undefined) return undefined
  const session = textOf(entry.session_id)
  const user = textOf(entry.user)
  return {
    seq: typeof seq === 'number' ? seq : -1,
    kind: isMethod ? 'method' : 'tool',
    name,
    input: entry.arguments,
    decision: decisionOf(type === 'tool_call_start' ? 'allow' : entry.decision, textOf(code)),
    ...(session !== undefined && { session }),
    ...(user !== undefined && { user }),
    atMs: Date.parse(textOf(entry.timestamp) ?? '') || 0,
  }
}

function decisionOf(decision: unknown, code: string | undefined): RecordedCall['decision'] {
  if (code !== undefined && ASKED.test(code)) return 'ask'
  return decision === 'allow' || decision === 'ask' ? decision : 'deny'
}

/** true when something of the arguments was not recorded as it was: patterns may judge it differently. */
export function isRedacted(input: unknown): boolean {
  return /\[(?:REDACTED|TRUNCATED|BLOCKED)/.test(JSON.stringify(input) ?? '')
}
