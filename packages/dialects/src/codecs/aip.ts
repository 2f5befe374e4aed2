/**
 * The log of the AIP audit guide: flat, one object a line, seconds in UTC, so that the guide's `jq` lines work.
 *
 * Members are ours under our names. What the guide has no word for stands under `sworn`. Source: AIP audit guide,
 * "Log format" and "Event types".
 * @module
 */
import { lineDialect, REST } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import { own, part, section, toTimestamp } from './values.ts'

const PLAIN = [
  'event_type',
  'agent_id',
  'user',
  'tool',
  'arguments',
  'decision',
  'reason',
  'policy_version',
  'pattern',
  'match_count',
  'redacted',
  'token_id',
  'expires_at',
] as const
const HUMAN = ['approved', 'response_time_ms', 'dialog_shown_at'] as const

export const aipCodec: Codec = {
  name: 'aip',
  slot: 'record',
  encode(event) {
    const { timestamp } = event
    const human = part(event, 'human_decision')
    return {
      timestamp: typeof timestamp === 'string' ? timestamp.replace(/\.\d{3}Z$/, 'Z') : undefined,
      ...Object.fromEntries(PLAIN.map((name) => [name, own(event, name)])),
      human_decision: section(Object.fromEntries(HUMAN.map((name) => [name, own(human, name)]))),
    }
  },
  decode(record) {
    return {
      ...Object.fromEntries(PLAIN.map((name) => [name, own(record, name)])),
      timestamp: toTimestamp(record.timestamp),
      human_decision: own(record, 'human_decision'),
    }
  },
}

export const aip = lineDialect(
  {
    name: 'aip',
    title: 'AIP audit guide',
    source: 'AIP audit guide, log format and event types',
    mediaType: 'application/jsonl',
    extension: 'jsonl',
    names:
      'timestamp event_type decision tool user agent_id arguments reason policy_version human_decision.approved human_decision.response_time_ms human_decision.dialog_shown_at pattern match_count redacted token_id expires_at'.split(
        ' ',
      ),
    rest: REST.slot,
    loss: ['Times are whole seconds, because the guide reads them with `fromdateiso8601`; the exact time is among the rest.'],
  },
  aipCodec,
)
