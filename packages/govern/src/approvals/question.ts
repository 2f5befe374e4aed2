/**
 * From a call to the question that is put to people, redacted first.
 *
 * Promise: no byte of a question was not redacted, and a call that cannot be shown as it is (too large, cyclic,
 * numbers or text that lost something when they were read) becomes no question. Source: design law 6.
 * @module
 */
import { type AuditEvent, type JsonValue, sanitize } from '@sworn/recorder'
import { formatShown, hashShown, MAX_SHOWN_BYTES, type ShownCall } from './show.ts'
import type { ApprovalRequest, Question, Scope } from './types.ts'

/** What the recorder would write for this event, parsed: the one redaction there is. */
export type RedactFn = (event: AuditEvent) => Readonly<Record<string, unknown>>

/** Conversions that lose nothing which could matter to whoever reads the call. */
const FAITHFUL: ReadonlySet<string> = new Set(['undefined', 'hole', 'date', 'instance', 'boxed', 'map', 'set', 'proxy'])

/** The arguments as JSON; undefined when what is shown would not be what is called. */
export function toShowable(input: unknown): JsonValue | undefined {
  const { value, notes } = sanitize(input ?? null)
  if (notes.some(({ was }) => !FAITHFUL.has(was))) return undefined
  return Buffer.byteLength(JSON.stringify(value)) <= MAX_SHOWN_BYTES ? value : undefined
}

export interface Stamps {
  readonly id: string
  readonly askedAt: string
  readonly expiresAt: string
  readonly timeoutMs: number
}

/** undefined when redaction had to cut. @throws whatever `redact` throws */
export function toQuestion(
  request: ApprovalRequest,
  input: JsonValue,
  callKey: string,
  redact: RedactFn,
  stamps: Stamps,
): Question | undefined {
  const { session } = request.action.ids
  const call = redactCall(request, input, redact)
  if (!call) return undefined
  const drawn = formatShown(call, stamps)
  const text = redactText(drawn, redact)
  if (text === undefined) return undefined
  const scopes: readonly Scope[] = session === undefined ? ['once'] : ['once', 'session', 'call']
  return { ...stamps, text, shownHash: hashShown(text), scopes, callKey, tool: call.tool, ...(session !== undefined && { session }) }
}

function redactCall({ action, verdict }: ApprovalRequest, input: JsonValue, redact: RedactFn): ShownCall | undefined {
  const { ids, server } = action
  const named = { tool: action.name, server: server?.name, agent: ids.agent, user: ids.user, session: ids.session, reason: verdict.reason }
  const known = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  const clean = redact({ event_type: 'approval_requested', arguments: input, metadata: { named: known } })
  if (isCut(clean)) return undefined
  const shown = (clean.metadata as { named: Omit<ShownCall, 'arguments'> }).named // redaction keeps the shape of JSON
  return { ...shown, arguments: clean.arguments }
}

/** Printing may bring together what redaction then recognises. */
function redactText(text: string, redact: RedactFn): string | undefined {
  const clean = redact({ event_type: 'approval_requested', metadata: { shown: text } })
  const shown = (clean.metadata as { shown?: unknown }).shown // as above
  return typeof shown === 'string' && !isCut(clean) ? shown : undefined
}

function isCut({ metadata }: Readonly<Record<string, unknown>>): boolean {
  return typeof metadata !== 'object' || metadata === null || 'truncated' in metadata
}
