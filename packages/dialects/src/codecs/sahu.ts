/**
 * Agent action receipts: what was done, with which parameters, and whether it worked.
 *
 * Parameters carry whole numbers only; others are written as text and the event keeps its own under `sworn`, a member
 * that the chain covers and the signature does not. Source: draft-sahu-agent-action-receipts-01.
 * @module
 */
import { isJsonObject, type JsonValue } from '@sworn/verify'
import type { Codec } from '../lens.ts'
import { fromEpoch, own, part, section, toEpoch } from './values.ts'

export const sahuCodec: Codec = {
  name: 'sahu',
  slot: 'record',
  encode(event) {
    return {
      step_id: event.event_id ?? '',
      action_id: event.tool ?? event.event_type,
      params: wholeNumbers(event.arguments ?? {}),
      success: event.decision !== 'deny' && event.is_error !== true && event.event_type !== 'tool_call_error',
      ts_ms: toEpoch(event.timestamp) ?? 0,
      actor: section({ agent: event.agent_id, user: event.user }),
    }
  },
  decode(record) {
    const { params } = record
    const actor = part(record, 'actor')
    return {
      event_id: record.step_id,
      event_type: record.success === false ? 'tool_call_error' : 'tool_call_end',
      timestamp: fromEpoch(record.ts_ms),
      tool: own(record, 'action_id'),
      arguments: isJsonObject(params) && Object.keys(params).length === 0 ? undefined : params,
      agent_id: own(actor, 'agent'),
      user: own(actor, 'user'),
    }
  },
}

function wholeNumbers(value: JsonValue): JsonValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value)
  if (Array.isArray(value)) return value.map(wholeNumbers)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, wholeNumbers(member)]))
}
