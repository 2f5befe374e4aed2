/**
 * Events that carry every member there is, made from the recorder's own table: a member added there is tried here.
 * @module
 */
import { EVENT_MEMBERS, type Kind } from '@sworn/verify/events'

const NESTED = { path: '/srv/a', deep: { list: [1, 'two', { three: null }], flag: true }, empty: {}, none: [], amount: 1.5 }

const SAMPLES: Readonly<Record<string, (name: string, n: number) => unknown>> = {
  id: (name, n) => `${name} ${n}`,
  text: (name, n) => `the ${name} of ${n}, ü \u2028`,
  uuid7: (_name, n) => `0193a3f2-9c1e-7abc-8def-${String(n).padStart(12, '0')}`,
  time: () => '2026-01-01T00:00:00.000Z',
  number: () => 0.25,
  count: (_name, n) => n,
  integer: (_name, n) => -n,
  flag: () => true,
  json: (name, n) => ({ ...NESTED, name, n }),
  rpc_id: (_name, n) => n,
}

/** The same number makes the same event; `n` is unique in a ledger. */
export function fullEvent(eventType: string, n: number): Record<string, unknown> {
  const event = Object.fromEntries(Object.entries(EVENT_MEMBERS).map(([name, kind]) => [name, sample(name, kind, n)]))
  return { ...event, event_type: eventType, session_id: 'session', own_member: { of: ['the', 'caller'] } }
}

function sample(name: string, kind: Kind, n: number): unknown {
  if (typeof kind === 'string') return SAMPLES[kind]?.(name, n)
  if (Array.isArray(kind)) return kind[0]
  return Object.fromEntries(Object.entries(kind).map(([inner, of]) => [inner, sample(inner, of, n)]))
}
