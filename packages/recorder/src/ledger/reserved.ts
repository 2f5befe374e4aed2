/**
 * The ledger's own records (`log.*`): their bodies, and reading them back.
 *
 * Members in the order of docs/format.md, "Reserved records"; `timestamp` and `event_type` first.
 * @module
 */
import type { Line } from '@sworn/verify'

export type ReservedType =
  | 'log.open'
  | 'log.start'
  | 'log.stop'
  | 'log.segment'
  | 'log.checkpoint'
  | 'log.anchor'
  | 'log.key_transition'
  | 'log.recovered'
  | 'log.gap'
  | 'log.erasure'
  | 'log.prune'
  | 'log.close'

export type Members = Readonly<Record<string, unknown>>

/** Records that do not make the log dirty and need no sync of their own. */
const QUIET: ReadonlySet<string> = new Set(['log.checkpoint', 'log.anchor'])
/** Records whose exact lines are kept in reserved.jsonl for ever. */
const KEPT: ReadonlySet<string> = new Set(['log.open', 'log.key_transition', 'log.prune', 'log.erasure', 'log.close'])

export function isQuiet(type: string): boolean {
  return QUIET.has(type)
}

export function isKept(type: string): boolean {
  return KEPT.has(type)
}

/** The payload as JSON. `undefined` members are left out. */
export function reservedBody(type: ReservedType, timestampMs: number, members: Members): string {
  const timestamp = new Date(timestampMs).toISOString()
  return JSON.stringify({ timestamp, event_type: type, ...members })
}

/** The payload of a line whose top-level event_type starts with `log.`; `undefined` for every other line. */
export function parseReserved(line: Line): (Members & { event_type: string }) | undefined {
  const payload = parsePayload(line)
  const type = payload?.event_type
  return payload && typeof type === 'string' && type.startsWith('log.') ? { ...payload, event_type: type } : undefined
}

/** The payload as an object, or `undefined` when it is not JSON. */
export function parsePayload(line: Line): Members | undefined {
  try {
    const value: unknown = JSON.parse(`${Buffer.from(line.body).toString('utf8')}}`)
    return typeof value === 'object' && value !== null ? (value as Members) : undefined // an object read from text has only named members
  } catch {
    return undefined
  }
}
