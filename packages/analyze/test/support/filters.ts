/** Filters for tests: they ask for what the events hold, and for what they do not. */
import fc from 'fast-check'
import { KIND_MEMBERS, SEVERITIES } from '../../src/columns.ts'
import type { Filter } from '../../src/query/filter.ts'
import type { Members } from './ledgers.ts'

const T0 = Date.parse('2026-11-21T10:00:00Z')

/** Of at most three members. */
export function filterOf(events: readonly Members[]): fc.Arbitrary<Filter> {
  const valuesOf = (member: string) => {
    const there = events
      .flatMap((event) => (member === 'agent' ? [event.agent_id] : [event[member]]))
      .filter((value) => typeof value === 'string' || typeof value === 'number')
    return fc.array(fc.constantFrom(...there.map(String), 'none', 'deadbeefcafe0123'), { maxLength: 3 })
  }
  const members = [...KIND_MEMBERS.filter((m) => m !== 'severity'), 'user', 'model', 'agent', 'session_id', 'correlation_id', 'parent_id']
  const texts = events.flatMap((event) => JSON.stringify(event).match(/[^"\\]{2,}/g) ?? [])
  const piece = fc
    .tuple(fc.constantFrom(...texts, 'zyzzyva', 'ALICE'), fc.nat(5), fc.integer({ min: 1, max: 20 }))
    .map(([text, from, length]) => text.slice(from, from + length) || text)
  const seq = fc.tuple(fc.nat(events.length + 2), fc.constantFrom(1, 30_000, 32_768)).map(([n, step]) => n * step)
  return fc
    .record(
      {
        ...Object.fromEntries(members.map((member) => [member, valuesOf(member)])),
        severity: fc.constantFrom(...SEVERITIES),
        since: fc.integer({ min: -1, max: 10 }).map((n) => T0 + n * 600_000),
        until: fc.integer({ min: -1, max: 10 }).map((n) => T0 + n * 600_000),
        from: seq,
        to: seq,
        text: fc.oneof(piece, fc.string({ minLength: 1, maxLength: 4 })),
        where: fc.constant((entry: Members) => entry.is_error !== true),
      },
      { requiredKeys: [] },
    )
    .chain((all) => fc.shuffledSubarray(Object.entries(all)).map((some) => Object.fromEntries(some.slice(0, 3)) as Filter)) // members of `all`
}
