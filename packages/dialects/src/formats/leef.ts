/**
 * LEEF 2.0 for QRadar: a header and tab-separated attributes.
 *
 * Written only. The format has no escape, so tabs and line breaks in values become visible ones and can neither add
 * an attribute nor a line. Source: IBM LEEF 2.0 event components.
 * @module
 */
import { type Dialect, REST } from '../dialect.ts'
import type { Event } from '../members.ts'
import { outcomeOf, severityNumber, textOf } from './cef.ts'

/** LEEF key -> what it holds. */
const KEYS: Readonly<Record<string, (event: Event) => Event[string]>> = {
  devTime: (e) => e.timestamp,
  sev: (e) => severityNumber(e),
  usrName: (e) => e.user,
  role: (e) => e.role,
  src: (e) => e.ip_address,
  resource: (e) => e.target,
  action: (e) => e.decision,
  outcome: outcomeOf,
  reason: (e) => e.reason,
  reasonCode: (e) => e.reason_code,
  tool: (e) => e.tool,
  server: (e) => e.server,
  method: (e) => e.method,
  agentId: (e) => e.agent_id,
  sessionId: (e) => e.session_id,
  correlationId: (e) => e.correlation_id,
  riskLevel: (e) => e.risk_level,
  matchedRule: (e) => e.matched_rule,
  policyHash: (e) => e.policy_hash,
  durationMs: (e) => e.duration_ms,
  error: (e) => e.error,
  eventId: (e) => e.event_id,
  seq: (e) => e.seq,
  entryHash: (e) => e.entry_hash,
}

function plain(text: string): string {
  return text.replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export const leef: Dialect = {
  name: 'leef',
  title: 'LEEF 2.0',
  source: 'IBM QRadar LEEF 2.0, tab as delimiter',
  mediaType: 'text/plain',
  extension: 'leef',
  names:
    'timestamp event_type severity decision tool target user agent_id session_id event_id role correlation_id ip_address server method reason reason_code matched_rule policy_hash risk_level is_error error duration_ms'.split(
      ' ',
    ),
  rest: REST.dropped,
  loss: [
    'Arguments, results and everything not named below are lost.',
    'Control characters are shown as `\\u0009`.',
    'It cannot be read back.',
  ],
  openWriter: ({ version }) => ({
    head: [],
    write(event) {
      const header = ['LEEF:2.0', 'sworn', 'sworn', version, event.event_type].map((text) => plain(text).replaceAll('|', '_'))
      const timeFormat = "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX"
      const pairs = Object.entries(KEYS).flatMap(([key, find]) => {
        const text = textOf(find(event))
        return text === undefined ? [] : [`${key}=${plain(text)}`]
      })
      return { lines: [`${header.join('|')}|x09|${[...pairs, timeFormat].join('\t')}`] }
    },
  }),
}
