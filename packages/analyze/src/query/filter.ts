/**
 * What a query asks for, and whether one entry answers it.
 *
 * `createPredicate` is what a query means: the index may only be faster. Members that are given must all hold;
 * values of one member are alternatives. Words: docs/format.md, members.
 * @module
 */
import {
  type Columns,
  columnsOf,
  KIND_MEMBERS,
  type KindMember,
  SEVERITIES,
  type Severity,
  type Texts,
  WHO_MEMBERS,
  type WhoMember,
} from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import type { Group } from './groups.ts'

type Values = readonly string[]

export interface Filter
  extends Partial<Readonly<Record<Exclude<KindMember, 'severity'> | Exclude<WhoMember, 'agent_id' | 'agent_name'>, Values>>> {
  /** Of `agent_id` or `agent.name`. */
  readonly agent?: Values
  readonly session_id?: Values
  readonly correlation_id?: Values
  readonly parent_id?: Values
  /** This severity or above; an entry without one counts as `info`. */
  readonly severity?: Severity
  /** Milliseconds since 1970: not before, and before. An entry without a time matches neither. */
  readonly since?: number
  readonly until?: number
  /** `from <= seq < to` */
  readonly from?: number
  readonly to?: number
  /** In any value of the event, without regard to case; not in what the ledger added to it. */
  readonly text?: string
  /** Asked last, of what everything else lets through. */
  readonly where?: (entry: Entry) => boolean
}

type Test = (columns: Columns, entry: Entry) => boolean

/** Whether an entry matches: all of the filter, by its line alone. */
export function createPredicate(filter: Filter): (entry: Entry) => boolean {
  const tests = [...memberTests(filter), ...rangeTests(filter)]
  const restTest = createRestPredicate(filter)
  return (entry) => {
    const columns = columnsOf(entry)
    return tests.every((test) => test(columns, entry)) && restTest(entry)
  }
}

/** The part of a filter that no column answers: text and `where`. */
export function createRestPredicate({ text, where }: Filter): (entry: Entry) => boolean {
  const wanted = text?.toLowerCase()
  return (entry) => (wanted === undefined || hasText(entry, wanted)) && (where === undefined || where(entry))
}

/** True when the line of a match has to be read to know that it is one. */
export function needsLine({ text, where }: Filter): boolean {
  return text !== undefined || where !== undefined
}

/** Members of an entry that some other word asks for; all others ask for the member called so. */
const READ_FROM: Readonly<Record<string, readonly string[]>> = {
  outcome: ['event_type', 'decision', 'is_error'],
  agent: ['agent_id', 'agent'],
  agent_name: ['agent'],
  since: ['timestamp'],
  until: ['timestamp'],
  hour: ['timestamp'],
  day: ['timestamp'],
  from: [],
  to: [],
}

/** The members that a filter and groups ask an entry for, besides its seq. Undefined: perhaps all of it. */
export function membersAsked(filter: Filter, groups: readonly Group[]): readonly string[] | undefined {
  if (needsLine(filter)) return undefined
  const words = Object.keys(filter).filter((word) => filter[word as keyof Filter] !== undefined) // its own keys
  return [...words, ...groups].flatMap((word) => READ_FROM[word] ?? [word])
}

/** The severities that `least` lets through. */
export function severitiesFrom(least: Severity): readonly Severity[] {
  return SEVERITIES.slice(SEVERITIES.indexOf(least))
}

function memberTests(filter: Filter): Test[] {
  const tests: Test[] = []
  const oneOf = (values: Values | undefined, read: (columns: Columns) => Texts): void => {
    if (values === undefined) return
    const wanted = new Set(values.map((value) => value.toWellFormed()))
    tests.push((columns) => read(columns).some((text) => text !== undefined && wanted.has(text)))
  }
  for (const [i, member] of KIND_MEMBERS.entries()) if (member !== 'severity') oneOf(filter[member], ({ kind }) => [kind[i]])
  for (const [i, member] of WHO_MEMBERS.entries()) if (member === 'user' || member === 'model') oneOf(filter[member], ({ who }) => [who[i]])
  const names = WHO_MEMBERS.flatMap((member, i) => (member === 'agent_id' || member === 'agent_name' ? [i] : []))
  oneOf(filter.agent, ({ who }) => names.map((i) => who[i]))
  oneOf(filter.session_id, ({ sessionId }) => [sessionId])
  oneOf(filter.correlation_id, ({ correlationId }) => [correlationId])
  oneOf(filter.parent_id, ({ parentId }) => [parentId])
  return tests
}

function rangeTests({ severity, since, until, from, to }: Filter): Test[] {
  const tests: Test[] = []
  const place = KIND_MEMBERS.indexOf('severity')
  if (severity !== undefined) {
    const wanted = new Set<string>(severitiesFrom(severity))
    tests.push(({ kind }) => wanted.has(kind[place] ?? 'info'))
  }
  if (since !== undefined) tests.push(({ time }) => time !== undefined && time >= since)
  if (until !== undefined) tests.push(({ time }) => time !== undefined && time < until)
  if (from !== undefined) tests.push((_, { seq }) => seq >= from)
  if (to !== undefined) tests.push((_, { seq }) => seq < to)
  return tests
}

/** What the ledger adds to an event. */
const ADDED = new Set(['seq', 'previous_hash', 'entry_hash', 'signature'])

function hasText(entry: Entry, wanted: string): boolean {
  const open: unknown[] = Object.entries(entry).flatMap(([member, value]) => (ADDED.has(member) ? [] : [value]))
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) for (const value of next) open.push(value)
    else if (typeof next === 'object' && next !== null) for (const value of Object.values(next)) open.push(value)
    else if (next !== null && String(next).toLowerCase().includes(wanted)) return true
  }
  return false
}

/** A text that JSON writes in one way, and only as a text. */
const LITERAL = /^[A-Za-z0-9_.@:-]+$/
const BOOLEANS = ['true', 'false']
const ESCAPE = Buffer.from('\\u')

/** What the JSON of every match holds, in quotes, unless an escape spells it: of each member that has one value. The longest first, which most likely stands in few lines. */
export function literalsOf(filter: Filter): string[] {
  const members = ['event_type', 'decision', 'tool', 'user', 'session_id', 'risk_level', 'correlation_id'] as const
  const literals = members.flatMap((member) => {
    const [value, ...more] = filter[member] ?? []
    const isLiteral = value !== undefined && more.length === 0 && LITERAL.test(value)
    return isLiteral && Number.isNaN(Number(value)) && !BOOLEANS.includes(value) ? [`"${value}"`] : []
  })
  return literals.toSorted((a, b) => b.length - a.length)
}

/** False: the line cannot match, whatever it says. Asks nothing of what is no JSON object. */
export function createPrefilter(filter: Filter): (bytes: Buffer) => boolean {
  const needles = literalsOf(filter).map((literal) => Buffer.from(literal))
  return (bytes) => bytes[0] !== 0x7b || needles.every((needle) => bytes.includes(needle)) || bytes.includes(ESCAPE)
}
