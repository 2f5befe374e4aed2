/**
 * pi-governance's audit records: the decision is in the event's name, the rest in `metadata`.
 *
 * `userId`, `role` and `orgUnit` are left out where nobody is known. A refusal and a timeout differ only in the
 * reason; the reason code goes with the rest under `metadata.sworn`. Source: pi-governance audit page; its
 * `AuditRecord`.
 * @module
 */
import { asText, type JsonObject, type JsonValue } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import { inverse, type Names, own, part, section, toOurs, toTheirs, toTimestamp, word } from './values.ts'

const NAMES: Names = {
  session_id: 'sessionId',
  user: 'userId',
  role: 'role',
  org_unit: 'orgUnit',
  tool: 'tool',
  arguments: 'input',
  reason: 'reason',
}
const STATS: Names = {
  allowed: 'allowed',
  denied: 'denied',
  approvals: 'approvals',
  dry_run: 'dryRun',
  budget_exceeded: 'budgetExceeded',
  dlp_blocked: 'dlpBlocked',
  dlp_masked: 'dlpMasked',
  dlp_detected: 'dlpDetected',
  config_tampered: 'configTampered',
}
/** reason code of a denial -> pi's event. */
const DENIALS: Names = {
  command_dangerous: 'bash_denied',
  path_not_allowed: 'path_denied',
  protected_path: 'path_denied',
  budget_exceeded: 'budget_exceeded',
  dry_run: 'tool_dry_run',
  human_denied: 'approval_denied',
  approval_timeout: 'approval_denied',
  approval_unavailable: 'approval_denied',
}
const DLP: Names = { block: 'dlp_blocked', mask: 'dlp_masked', warn: 'dlp_detected' }

export const piCodec: Codec = {
  name: 'pi',
  slot: 'metadata',
  encode(event) {
    const { human_decision, decision, event_type } = event
    const name = toName(event)
    return {
      id: event.event_id,
      timestamp: event.timestamp,
      event: name,
      ...toTheirs(event, NAMES),
      decision: name === 'tool_dry_run' ? 'blocked' : word({ allow: 'allowed', deny: 'denied' }, decision),
      duration: own(part({ human_decision }, 'human_decision'), 'response_time_ms'),
      metadata: toMetadata(event_type, part(event, 'metadata'), event),
    }
  },
  decode(record) {
    const named = fromName(record.event)
    const human = section({ ...named.human_decision, response_time_ms: own(record, 'duration') })
    const { isError, ...metadata } = part(record, 'metadata')
    const isResult = record.event === 'tool_result'
    return {
      ...toOurs(record, NAMES),
      event_id: record.id,
      timestamp: toTimestamp(record.timestamp),
      ...named.event,
      human_decision: human,
      is_error: isResult ? isError : undefined,
      metadata: fromMetadata(record.event, isResult ? metadata : part(record, 'metadata')),
    }
  },
}

function toName(event: Event): string {
  const { event_type, decision, reason_code, dlp_action } = event
  if (event_type === 'tool_call_end') return 'tool_result'
  if (event_type === 'dlp_match') return asText(word(DLP, dlp_action ?? event_type))
  if (event_type !== 'authorization_decision' || decision === 'ask' || decision === undefined) return event_type
  if (decision === 'deny') return Object.hasOwn(DENIALS, asText(reason_code)) ? DENIALS[asText(reason_code)]! : 'tool_denied'
  return own(part(event, 'human_decision'), 'approved') === true ? 'approval_granted' : 'tool_allowed'
}

interface Named {
  readonly event: Readonly<Record<string, JsonValue | undefined>>
  readonly human_decision?: JsonObject
}

function fromName(name: JsonValue | undefined): Named {
  const decided = (decision: string, reason_code?: string) => ({ event_type: 'authorization_decision', decision, reason_code })
  if (name === 'tool_allowed') return { event: decided('allow') }
  if (name === 'tool_denied') return { event: decided('deny') }
  if (name === 'approval_granted') return { event: decided('allow', 'human_approved'), human_decision: { approved: true } }
  if (name === 'approval_denied') return { event: decided('deny', 'human_denied'), human_decision: { approved: false } }
  if (name === 'tool_result') return { event: { event_type: 'tool_call_end' } }
  if (name === 'approval_requested') return { event: { event_type: name, decision: 'ask' } }
  const action = word(inverse(DLP), name)
  if (action !== name) return { event: { event_type: 'dlp_match', dlp_action: action } }
  const reason = word(inverse(DENIALS), name)
  return { event: reason === name ? { event_type: name } : decided('deny', asText(reason)) }
}

function toMetadata(type: string, metadata: JsonObject, { is_error }: Event): JsonObject {
  if (type === 'tool_call_end') return section({ isError: is_error, ...metadata }) ?? {}
  if (type !== 'session_end') return metadata
  return { ...metadata, ...(own(metadata, 'stats') !== undefined && { stats: renamed(metadata.stats, STATS) }) }
}

function fromMetadata(name: JsonValue | undefined, metadata: JsonObject): JsonObject | undefined {
  if (name !== 'session_end' || own(metadata, 'stats') === undefined) return section(metadata)
  return { ...metadata, stats: renamed(metadata.stats, inverse(STATS)) }
}

/** The counters under other names; what is not an object stays. */
function renamed(stats: JsonValue | undefined, names: Names): JsonValue {
  if (typeof stats !== 'object' || stats === null || Array.isArray(stats)) return stats ?? null
  return Object.fromEntries(Object.entries(stats).map(([name, count]) => [word(names, name), count]))
}

export const pi = lineDialect(
  {
    name: 'pi',
    title: 'pi-governance',
    source: 'pi-governance audit page; AuditRecord in its code',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type decision tool user session_id event_id role org_unit arguments reason reason_code human_decision.approved human_decision.response_time_ms is_error dlp_action metadata'.split(
        ' ',
      ),
    rest: REST.metadata,
    loss: ['A refused, a late and an unavailable approval are all `approval_denied`; the reason code is among the rest.'],
  },
  piCodec,
)
