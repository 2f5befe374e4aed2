/**
 * The filters of `query` and `tail`: flags to a predicate.
 *
 * Different flags must all hold; values of one flag are alternatives. A literal prefilter on the raw bytes
 * spares the parse of most lines; it never decides alone.
 * @module
 */
import type { Flags, Values } from '../frame/command.ts'
import { parseTime } from '../text/time.ts'
import { type Entry, parseEntry } from './entry.ts'
import type { RawLine } from './lines.ts'

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
  severity: { type: 'string', choices: ['debug', 'info', 'warning', 'error', 'critical'], about: 'this severity or above' },
  text: { type: 'string', value: 'TEXT', about: 'text in any value, without regard to case' },
} as const satisfies Flags

type FilterValues = Values<typeof FILTER_FLAGS>
type Test = (entry: Entry) => boolean

const SEVERITIES = ['debug', 'info', 'warning', 'error', 'critical']
const MEMBERS = { type: 'event_type', decision: 'decision', user: 'user', session: 'session_id', tool: 'tool', risk: 'risk_level' } as const

export interface Filter {
  /** false: the line cannot match, whatever it says. */
  mayMatch(bytes: Buffer): boolean
  matches(entry: Entry): boolean
}

/** @throws SwornError USAGE for a time that cannot be read */
export function createFilter(flags: FilterValues, now: number): Filter {
  const tests = [...memberTests(flags), ...timeTests(flags, now), ...otherTests(flags)]
  const needles = Object.keys(MEMBERS).flatMap((flag) => literal(flags[flag as keyof typeof MEMBERS])) // its own keys
  return {
    mayMatch: (bytes) => needles.every((needle) => bytes.includes(needle)),
    matches: (entry) => tests.every((test) => test(entry)),
  }
}

/** Result of looking at one line: the entry, `false` for no match, undefined when it cannot be read. */
export function matchLine(line: RawLine, filter: Filter): Entry | false | undefined {
  if (!filter.mayMatch(line.bytes) && line.bytes[0] === 0x7b) return false
  const entry = parseEntry(line)
  return entry && (filter.matches(entry) ? entry : false)
}

/** A single value that JSON writes in one way only can be searched in the bytes. */
function literal(values: readonly string[]): string[] {
  return values.length === 1 && /^[A-Za-z0-9_.@:-]+$/.test(values[0]!) ? [`"${values[0]}"`] : []
}

function memberTests(flags: FilterValues): Test[] {
  return Object.entries(MEMBERS).flatMap(([flag, member]) => {
    const wanted = flags[flag as keyof typeof MEMBERS] // its own keys
    return wanted.length === 0 ? [] : [(entry: Entry) => wanted.includes(String(entry[member]))]
  })
}

function timeTests(flags: FilterValues, now: number): Test[] {
  const since = flags.since === undefined ? Number.NEGATIVE_INFINITY : parseTime(flags.since, now, '--since')
  const until = flags.until === undefined ? Number.POSITIVE_INFINITY : parseTime(flags.until, now, '--until')
  if (flags.since === undefined && flags.until === undefined) return []
  return [
    (entry) => {
      const time = Date.parse(String(entry.timestamp))
      return time >= since && time < until
    },
  ]
}

function otherTests(flags: FilterValues): Test[] {
  const tests: Test[] = []
  if (flags.agent.length > 0) tests.push((entry) => agentNames(entry).some((name) => flags.agent.includes(name)))
  if (flags.severity !== undefined) {
    const least = SEVERITIES.indexOf(flags.severity)
    tests.push((entry) => SEVERITIES.indexOf(String(entry.severity ?? 'info')) >= least)
  }
  if (flags.text !== undefined) {
    const wanted = flags.text.toLowerCase()
    tests.push((entry) => hasText(entry, wanted))
  }
  return tests
}

function agentNames(entry: Entry): string[] {
  const { agent } = entry
  const name = typeof agent === 'object' && agent !== null && 'name' in agent ? [String(agent.name)] : []
  return typeof entry.agent_id === 'string' ? [entry.agent_id, ...name] : name
}

function hasText(value: unknown, wanted: string): boolean {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'object' && next !== null) open.push(...Object.values(next))
    else if (next !== null && String(next).toLowerCase().includes(wanted)) return true
  }
  return false
}
