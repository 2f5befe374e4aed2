/**
 * A row of Aegis's `audit_log` table, as `aegis audit --format jsonl` prints it: decision and outcome in one.
 *
 * Fixed columns, no free slot: the rest goes into a sidecar. `id` is the row's number and is given by whoever writes
 * rows. Source: Aegis audit trail page, "What gets logged"; `runtime/audit.py`.
 * @module
 */
import type { JsonObject, JsonValue } from '@sworn/verify'
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import type { Event } from '../members.ts'
import { DECISIONS } from './aegis.ts'
import { inverse, type Names, own, part, section, toOurs, toPythonTime, toTheirs, toTimestamp, word } from './values.ts'

const TYPES = {
  id: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  session_id: 'TEXT',
  timestamp: 'TEXT',
  action_type: 'TEXT',
  action_target: 'TEXT',
  action_params: 'TEXT',
  action_desc: 'TEXT',
  risk_level: 'TEXT',
  approval: 'TEXT',
  matched_rule: 'TEXT',
  human_decision: 'TEXT',
  result_status: 'TEXT',
  result_data: 'TEXT',
  result_error: 'TEXT',
  agent_id: 'TEXT',
  parent_agent_id: 'TEXT',
  chain_id: 'TEXT',
  chain_depth: 'INTEGER DEFAULT 0',
}

/** In the order of the table. */
export const AEGIS_COLUMNS: readonly string[] = Object.keys(TYPES)

/** Makes the table and its indexes where they are not there. */
export const AEGIS_TABLE_SQL = `CREATE TABLE IF NOT EXISTS audit_log (${Object.entries(TYPES)
  .map((column) => column.join(' '))
  .join(', ')});
CREATE INDEX IF NOT EXISTS idx_audit_session ON audit_log (session_id);
CREATE INDEX IF NOT EXISTS idx_audit_timestamp ON audit_log (timestamp);`

/** Takes what `toAegisValues` gives. */
export const AEGIS_INSERT_SQL = `INSERT INTO audit_log (${AEGIS_COLUMNS.join(', ')}) VALUES (${AEGIS_COLUMNS.map(() => '?').join(', ')})`

/** A record of `aegis-rows` as the values of a row; without an `id` the database gives one. What no column holds is JSON text. */
export function toAegisValues(record: JsonObject): (string | number | null)[] {
  return AEGIS_COLUMNS.map((column) => {
    const value = own(record, column) ?? null
    return typeof value === 'string' || typeof value === 'number' || value === null ? value : JSON.stringify(value)
  })
}

const NAMES: Names = {
  session_id: 'session_id',
  tool: 'action_type',
  target: 'action_target',
  matched_rule: 'matched_rule',
  agent_id: 'agent_id',
}

export const aegisRowsCodec: Codec = {
  name: 'aegis-rows',
  slot: 'sidecar',
  id: 'id',
  encode(event) {
    const row: Record<string, JsonValue | undefined> = {
      ...toTheirs(event, NAMES),
      timestamp: toPythonTime(event.timestamp),
      action_type: event.tool ?? event.event_type,
      action_params: event.arguments === undefined ? undefined : JSON.stringify(event.arguments),
      risk_level: typeof event.risk_level === 'string' ? event.risk_level.toUpperCase() : undefined,
      approval: word(DECISIONS, event.decision),
      human_decision: toHuman(event),
      result_status: toStatus(event),
      result_data: event.result === undefined ? undefined : JSON.stringify(event.result),
      result_error: typeof event.error === 'string' ? event.error : typeof event.reason === 'string' ? event.reason : undefined,
      parent_agent_id: own(part(event, 'agent'), 'parent_agent_id'),
      chain_depth: 0,
    }
    return Object.fromEntries(AEGIS_COLUMNS.map((column) => [column, row[column] ?? null]))
  },
  decode(record) {
    const decision = word(inverse(DECISIONS), record.approval ?? undefined)
    const human = record.human_decision
    const failed = record.result_status === 'failed'
    return {
      ...toOurs(record, NAMES),
      event_type: toEventType(decision, record),
      timestamp: toTimestamp(record.timestamp),
      arguments: fromJson(record.action_params),
      risk_level: typeof record.risk_level === 'string' ? record.risk_level.toLowerCase() : undefined,
      decision,
      human_decision: human === 'approved' || human === 'denied' ? { approved: human === 'approved' } : undefined,
      result: fromJson(record.result_data),
      is_error: failed ? true : undefined,
      [decision === 'deny' ? 'reason' : 'error']: record.result_error ?? undefined,
      agent: section({ parent_agent_id: record.parent_agent_id ?? undefined }),
    }
  },
}

function toHuman(event: Event): string | null {
  const approved = own(part(event, 'human_decision'), 'approved')
  return approved === true ? 'approved' : approved === false ? 'denied' : null
}

function toStatus(event: Event): string | null {
  if (event.decision === 'deny') return toHuman(event) === 'denied' ? 'denied' : 'blocked'
  if (event.is_error === true || event.event_type === 'tool_call_error') return 'failed'
  return event.event_type === 'tool_call_end' ? 'success' : null
}

function toEventType(decision: JsonValue | undefined, record: JsonObject): string | undefined {
  if (decision !== undefined) return decision === 'ask' ? 'approval_requested' : 'authorization_decision'
  if (record.result_status === 'success') return 'tool_call_end'
  return record.result_status === 'failed' ? 'tool_call_error' : undefined
}

/** Columns hold JSON as text; other text stays text. */
function fromJson(text: JsonValue | undefined): JsonValue | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return (JSON.parse(text) as JsonValue) ?? undefined // JSON.parse makes nothing else
  } catch {
    return text
  }
}

export const aegisRows = lineDialect(
  {
    name: 'aegis-rows',
    title: 'Aegis audit_log rows',
    source: 'Aegis audit trail page; runtime/audit.py',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type decision tool target agent_id session_id agent.parent_agent_id arguments reason matched_rule risk_level human_decision.approved result is_error error'.split(
        ' ',
      ),
    rest: REST.sidecar,
    sidecar: true,
    loss: ['A row is decision and outcome in one, so a call gives several rows.', 'No integrity of any kind; rows can be edited.'],
  },
  aegisRowsCodec,
  ({ numbers }) => {
    let id = 0
    return ({ value, imported }, { seq }) => {
      if (numbers === 'seq' && typeof seq === 'number') return { ...value, id: seq }
      id = imported && typeof value.id === 'number' ? value.id : id + 1
      return imported ? value : { ...value, id }
    }
  },
)
