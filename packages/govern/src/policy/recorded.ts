/**
 * Calls as a ledger tells them: what was called, and what was decided then.
 *
 * Entries come in the order of the ledger and may be anything: members of other types are taken as absent. A call is
 * told by its decision; where nobody decided, by its start.
 * @module
 */
import type { Outcome } from '@sworn/recorder'

export interface RecordedEntry {
  readonly [member: string]: unknown
}

/** Who acted, as the record says. */
export interface RecordedWho {
  readonly session?: string
  readonly user?: string
  readonly role?: string
  readonly orgUnit?: string
}

export interface RecordedCall extends RecordedWho {
  readonly seq: number
  readonly kind: 'tool' | 'method'
  /** Of the tool, or of the method. */
  readonly name: string
  /** What a method was about, where the record says it. */
  readonly target?: string
  /** As recorded: redacted. */
  readonly input: unknown
  /** What a policy said: an answered question counts as `ask`. */
  readonly decision: 'allow' | 'deny' | 'ask'
  /** It was let through in the end. */
  readonly happened: boolean
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
  const isBlocked = type === 'method_blocked' && code !== 'malformed_request' && code !== 'rate_limited'
  if (type !== 'authorization_decision' && type !== 'tool_call_start' && !isBlocked) return undefined
  const isMethod = isBlocked || (type === 'authorization_decision' && entry.tool === undefined)
  const target = isMethod ? textOf(entry.target) : undefined
  const name = textOf(isMethod ? entry.method : entry.tool)
  if (name === undefined) return undefined
  const decision = type === 'tool_call_start' ? 'allow' : entry.decision
  return {
    seq: typeof seq === 'number' ? seq : -1,
    kind: isMethod ? 'method' : 'tool',
    name,
    ...(target === undefined ? {} : { target }),
    input: entry.arguments,
    decision: decisionOf(decision, textOf(code)),
    happened: decision === 'allow',
    ...whoOf(entry),
  }
}

/** Unix milliseconds; 0 when the entry does not say. */
export function timeOf({ timestamp }: RecordedEntry): number {
  return Date.parse(textOf(timestamp) ?? '') || 0
}

export function whoOf(entry: RecordedEntry): RecordedWho {
  const members = { session: entry.session_id, user: entry.user, role: entry.role, orgUnit: entry.org_unit }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => typeof value === 'string'))
}

const OUTCOMES = /^(?:tool_call|model)_(?:end|error|response)$/

/** What an outcome says that it used. */
export function usageOf(entry: RecordedEntry): Outcome['usage'] {
  const { event_type: type, usage, cost_usd } = entry
  if (!OUTCOMES.test(textOf(type) ?? '')) return undefined
  const tokens = (typeof usage === 'object' && usage !== null ? usage : {}) as RecordedEntry // an object, tested here
  const found = { inputTokens: tokens.input_tokens, outputTokens: tokens.output_tokens, costUsd: cost_usd }
  const known = Object.entries(found).filter(([, amount]) => typeof amount === 'number' && amount >= 0)
  return known.length > 0 ? Object.fromEntries(known) : undefined
}

function decisionOf(decision: unknown, code: string | undefined): RecordedCall['decision'] {
  if (code !== undefined && ASKED.test(code)) return 'ask'
  return decision === 'allow' || decision === 'ask' ? decision : 'deny'
}

/** true when something of the arguments was not recorded as it was: patterns may judge it differently. */
export function isRedacted(input: unknown): boolean {
  return /\[(?:REDACTED|TRUNCATED|BLOCKED)/.test(JSON.stringify(input) ?? '')
}
