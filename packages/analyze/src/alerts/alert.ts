/**
 * An alert: what a rule found, and the event that records it.
 *
 * Its event_id follows from the rule, what it counts and the entry at which it was found, so the same alert of the same
 * ledger is the same event, whoever finds it, whenever. Source: docs/format.md, `security_alert`; RFC 9562 §5.7.
 * @module
 */
import { hash } from 'node:crypto'
import type { Severity } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import type { Proof } from './judge.ts'

export interface Alert extends Proof {
  /** The event_id. */
  readonly id: string
  readonly rule: string
  readonly severity: Severity
  /** Milliseconds since 1970: event time. */
  readonly time: number
  /** Member -> its value, cut: which count it is. */
  readonly by: Readonly<Record<string, string>>
}

export interface Found {
  readonly rule: string
  readonly severity: Severity
  readonly time: number
  readonly by: Readonly<Record<string, string>>
  readonly proof: Proof
  /** entry_hash of the entry at which it was found. */
  readonly entryHash: string
}

export function createAlert({ rule, severity, time, by, proof, entryHash }: Found): Alert {
  return { id: eventId(time, [entryHash, rule, JSON.stringify(by)]), rule, severity, time, by, ...proof }
}

/** A UUIDv7 whose random part is a hash. */
function eventId(time: number, parts: readonly string[]): string {
  const ms = Math.max(0, Math.floor(time)).toString(16).padStart(12, '0').slice(-12)
  const rest = hash('sha256', parts.join('\n'), 'hex')
  const variant = ((Number.parseInt(rest[3]!, 16) & 3) | 8).toString(16)
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${rest.slice(0, 3)}-${variant}${rest.slice(4, 7)}-${rest.slice(7, 19)}`
}

/** The event to record: what was found goes to `reason` and `metadata`, who is recording is not who acted. */
export function toAlertEvent(alert: Alert): { event_type: 'security_alert' } & Record<string, unknown> {
  const { id, rule, severity, time, by, evidence, first, last, count, value, expected } = alert
  return {
    event_type: 'security_alert',
    event_id: id,
    severity,
    reason: describeAlert(alert),
    metadata: { rule, found_at: new Date(time).toISOString(), by, value, expected, evidence, range: { first, last, count } },
  }
}

/** `denial_spike: 11 events in 5m, more than 10 (agent "a")`; values of events stand in it, so escape it for a terminal. */
export function describeAlert({ rule, text, by }: Alert): string {
  const who = Object.entries(by).map(([member, value]) => `${member} ${JSON.stringify(value)}`)
  return `${rule}: ${text}${who.length > 0 ? ` (${who.join(', ')})` : ''}`
}

/** True when `entry` records this alert. Compared are its findings too: an id can be foreseen, and anybody can record. */
export function recordsAlert(entry: Entry, { id, rule, evidence, last }: Alert): boolean {
  const { metadata } = entry
  if (entry.event_type !== 'security_alert' || entry.event_id !== id || entry.seq <= last) return false
  if (typeof metadata !== 'object' || metadata === null || !('rule' in metadata) || !('evidence' in metadata)) return false
  return metadata.rule === rule && JSON.stringify(metadata.evidence) === JSON.stringify(evidence)
}
