/**
 * The filters of `query`, `tail` and `export`: flags to what they mean.
 *
 * Different flags must all hold; values of one flag are alternatives. What a filter means, and what of a line can be
 * told without parsing it, is `@sworn/analyze`'s to say.
 * @module
 */
import { createPredicate, createPrefilter, type Entry, type Filter, parseEntry, type RawLine, SEVERITIES } from '@sworn/analyze/reading'
import type { Flags, Values } from '../frame/command.ts'
import { parseTime } from '../text/time.ts'

export const FILTER_FLAGS = {
  since: { type: 'string', value: 'TIME', about: 'not older than 1h, 2d, a date or RFC 3339' },
  until: { type: 'string', value: 'TIME', about: 'older than this' },
  type: { type: 'string', multiple: true, value: 'TYPE', about: 'event_type' },
  decision: { type: 'string', multiple: true, choices: ['allow', 'deny', 'ask'], about: 'decision' },
  user: { type: 'string', multiple: true, value: 'USER', about: 'user' },
  session: { type: 'string', multiple: true, value: 'ID', about: 'session_id' },
  agent: { type: 'string', multiple: true, value: 'AGENT', about: 'agent_id or agent.name' },
  tool: { type: 'string', multiple: true, value: 'TOOL', about: 'tool' },
  risk: { type: 'string', multiple: true, choices: ['low', 'medium', 'high', 'critical'], about: 'risk_level' },
  severity: { type: 'string', choices: SEVERITIES, about: 'this severity or above' },
  outcome: { type: 'string', multiple: true, choices: ['ok', 'error', 'denied'], about: 'how it ended, as far as the entry tells' },
  correlation: { type: 'string', multiple: true, value: 'ID', about: 'correlation_id: all entries of one action' },
  text: { type: 'string', value: 'TEXT', about: 'text in any value of the event, without regard to case' },
} as const satisfies Flags

export type FilterValues = Values<typeof FILTER_FLAGS>

/** @throws SwornError USAGE for a time that cannot be read */
export function readFilter(flags: FilterValues, now: number): Filter {
  const lists = Object.entries(MEMBERS).flatMap(([flag, member]) => {
    const values = flags[flag as keyof typeof MEMBERS] // its own keys
    return values.length === 0 ? [] : [[member, values] as const]
  })
  return {
    ...Object.fromEntries(lists),
    ...(flags.severity !== undefined && { severity: SEVERITIES.find((severity) => severity === flags.severity)! }), // one of the choices
    ...(flags.since !== undefined && { since: parseTime(flags.since, now, '--since') }),
    ...(flags.until !== undefined && { until: parseTime(flags.until, now, '--until') }),
    ...(flags.text !== undefined && { text: flags.text }),
  }
}

const MEMBERS = {
  type: 'event_type',
  decision: 'decision',
  user: 'user',
  session: 'session_id',
  agent: 'agent',
  tool: 'tool',
  risk: 'risk_level',
  outcome: 'outcome',
  correlation: 'correlation_id',
} as const satisfies Record<string, keyof Filter>

export interface LineFilter {
  /** false: the line cannot match, whatever it says. */
  mayMatch(bytes: Buffer): boolean
  matches(entry: Entry): boolean
}

/** @throws SwornError USAGE for a time that cannot be read */
export function createFilter(flags: FilterValues, now: number, where?: Filter['where']): LineFilter {
  const filter = { ...readFilter(flags, now), ...(where && { where }) }
  return { mayMatch: createPrefilter(filter), matches: createPredicate(filter) }
}

/** Result of looking at one line: the entry, `false` for no match, undefined when it cannot be read. */
export function matchLine(line: Pick<RawLine, 'bytes'>, filter: LineFilter): Entry | false | undefined {
  if (!filter.mayMatch(line.bytes)) return false
  const entry = parseEntry(line)
  return entry && (filter.matches(entry) ? entry : false)
}
