/**
 * CEF: one line for a SIEM, `CEF:0|vendor|product|version|signature|name|severity|extension`.
 *
 * Written only. Text comes from agents: delimiters, line breaks and control characters are escaped, so that no event
 * can add a key or a line. Source: ArcSight Common Event Format, implementation standard, version 26.
 * @module
 */
import { asText, type JsonValue } from '@sworn/verify'
import { own, part, toEpoch } from '../codecs/values.ts'
import { type Dialect, REST } from '../dialect.ts'
import type { Event } from '../members.ts'

const SEVERITY: Readonly<Record<string, number>> = { debug: 1, info: 3, warning: 6, error: 8, critical: 10 }

/** CEF and LEEF: severity 1 to 10. */
export function severityNumber(event: Event): number {
  return SEVERITY[asText(event.severity ?? 'info')] ?? 3
}

/** Text of a value; objects as JSON. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Control characters as visible escapes; a backslash was escaped before. */
function visible(text: string): string {
  return text
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function headerText(text: string): string {
  return visible(text.replaceAll('\\', '\\\\').replaceAll('|', '\\|'))
}

function extensionText(text: string): string {
  return visible(text.replaceAll('\\', '\\\\').replaceAll('=', '\\='))
}

/** key -> value, in the order of the line. */
function extensionOf(event: Event): readonly (readonly [string, JsonValue | undefined])[] {
  const labelled = (key: string, label: string, value: JsonValue | undefined) =>
    value === undefined
      ? []
      : ([
          [key, value],
          [`${key}Label`, label],
        ] as const)
  return [
    ['rt', toEpoch(event.timestamp)],
    ['externalId', event.event_id],
    ['act', event.decision],
    ['outcome', outcomeOf(event)],
    ['suser', event.user],
    ['src', event.ip_address],
    ['requestClientApplication', event.user_agent],
    ['sproc', event.agent_id],
    ['destinationServiceName', event.server],
    ['request', event.tool],
    ['requestMethod', event.method],
    ['filePath', event.target],
    ['reason', event.reason],
    ...labelled('cn1', 'seq', event.seq),
    ...labelled('cs1', 'entry_hash', event.entry_hash),
    ...labelled('cs2', 'reason_code', event.reason_code),
    ...labelled('cs3', 'policy_hash', event.policy_hash),
    ...labelled('cs4', 'session_id', event.session_id),
    ...labelled('cs5', 'correlation_id', event.correlation_id),
    ...labelled('cs6', 'risk_level', event.risk_level),
    ...labelled('cfp1', 'duration_ms', event.duration_ms),
    ['msg', event.error],
  ]
}

/** success, failure, or nothing where neither is known. */
export function outcomeOf(event: Event): string | undefined {
  if (event.decision === 'deny' || event.is_error === true || event.event_type.endsWith('_error')) return 'failure'
  if (own(part(event, 'human_decision'), 'approved') === false || event.event_type === 'auth_failure') return 'failure'
  const succeeded = ['tool_call_end', 'model_response', 'auth_success']
  return event.decision === 'allow' || succeeded.includes(event.event_type) ? 'success' : undefined
}

export const cef: Dialect = {
  name: 'cef',
  title: 'CEF',
  source: 'ArcSight Common Event Format, version 0 lines',
  mediaType: 'text/plain',
  extension: 'cef',
  names:
    'timestamp event_type severity decision tool target user agent_id session_id event_id correlation_id ip_address user_agent server method reason reason_code policy_hash risk_level is_error error duration_ms'.split(
      ' ',
    ),
  rest: REST.dropped,
  loss: ['Arguments, results and everything not named below are lost.', 'It cannot be read back.'],
  openWriter: ({ version }) => ({
    head: [],
    write(event) {
      const header = ['CEF:0', 'sworn', 'sworn', version, event.event_type, nameOf(event), String(severityNumber(event))]
      const pairs = extensionOf(event).flatMap(([key, value]) => {
        const text = textOf(value)
        return text === undefined ? [] : [`${key}=${extensionText(text)}`]
      })
      return { lines: [`${header.map(headerText).join('|')}|${pairs.join(' ')}`] }
    },
  }),
}

/** A short name for people. */
export function nameOf({ event_type, tool, decision }: Event): string {
  return [event_type.replaceAll('_', ' '), tool, decision].filter((part) => typeof part === 'string').join(' ')
}
