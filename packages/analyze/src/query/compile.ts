/**
 * Filters, orders and groups as SQL: one model, compiled for SQLite here and for PostgreSQL in a collector.
 *
 * Kysely writes the statements and binds every value; nothing of a filter becomes SQL text.
 * @module
 */
import { type AliasableExpression, type CompiledQuery, type SelectQueryBuilder, sql } from 'kysely'
import { KIND_MEMBERS, WHO_MEMBERS } from '../columns.ts'
import { keyOf } from '../index/batch.ts'
import { type Filter, severitiesFrom } from './filter.ts'
import { DAY_MS, type Group, HOUR_MS } from './groups.ts'
import { NO_VALUE, type Order } from './order.ts'
import { type Compiler, divided, SPAN_ENTRIES, spanOfEntry, type Tables } from './tables.ts'

/** Where the lines of the matches lie, at most `limit` when it is given: rows of seq, offset, bytes and, unless it is the seq, value, in order. */
export function compileFind(compiler: Compiler, filter: Filter, { sort, descending, after }: Order, limit?: number): CompiledQuery {
  const direction = descending ? 'desc' : 'asc'
  const value = sort === 'seq' ? sql<number>`seq` : sql<number>`coalesce(${sql.ref(sort)}, ${sql.lit(NO_VALUE)})`
  let rows = matching(compiler, filter).select(['seq', 'offset', 'bytes'])
  if (sort !== 'seq') rows = rows.select(value.as('value')) as typeof rows
  if (after) {
    const beyond = descending ? '<' : '>'
    rows = rows.where((build) =>
      build.or([build(value, beyond, after.value), build.and([build(value, '=', after.value), build('seq', beyond, after.seq)])]),
    )
  }
  if (sort !== 'seq') rows = rows.orderBy(value, direction)
  rows = rows.orderBy('seq', direction)
  return (limit === undefined ? rows : rows.limit(limit)).compile()
}

/** How many match by each combination of `groups`: rows of the groups and `entries`, in no order. No group: one row. */
export function compileCount(compiler: Compiler, filter: Filter, groups: readonly Group[]): CompiledQuery {
  const asked = [...Object.keys(filter).filter((member) => filter[member as keyof Filter] !== undefined), ...groups] // its own keys
  // What neither knows of time or place, nor of the other, is counted already.
  if (asked.every((member) => KINDS.has(member))) return countKinds(compiler, filter, groups)
  if (asked.every((member) => PEOPLE.has(member))) return countPeople(compiler, filter, groups)
  return countEntries(compiler, filter, groups)
}

const KINDS = new Set<string>(KIND_MEMBERS)
const PEOPLE = new Set<string>([...WHO_MEMBERS, 'agent'])

function countKinds(compiler: Compiler, filter: Filter, groups: readonly Group[]): CompiledQuery {
  const rows = compiler.selectFrom('kind_count').innerJoin('kind', 'kind.id', 'kind_count.kind').select(total)
  return grouped(asks(filter, KIND_FILTERS) ? rows.where('kind_count.kind', 'in', kindIds(compiler, filter)) : rows, groups)
}

function countPeople(compiler: Compiler, filter: Filter, groups: readonly Group[]): CompiledQuery {
  const rows = compiler.selectFrom('who_count').innerJoin('who', 'who.id', 'who_count.who').select(total)
  return grouped(asks(filter, WHO_FILTERS) ? rows.where('who_count.who', 'in', whoIds(compiler, filter)) : rows, groups)
}

const total = sql<number>`sum(entries)`.as('entries')

function countEntries(compiler: Compiler, filter: Filter, groups: readonly Group[]): CompiledQuery {
  const rows = compiler
    .selectFrom(matching(compiler, filter).select(['kind', 'who', 'session', 'time']).as('entry'))
    .innerJoin('kind', 'kind.id', 'entry.kind')
    .innerJoin('who', 'who.id', 'entry.who')
    .innerJoin('session', 'session.id', 'entry.session')
    .select(sql<number>`count(*)`.as('entries'))
  return grouped(rows, groups)
}

function grouped<DB, TB extends keyof DB, O>(rows: SelectQueryBuilder<DB, TB, O>, groups: readonly Group[]): CompiledQuery {
  return groups.reduce((some, group) => some.select(groupOf(group).as(group)).groupBy(groupOf(group)) as typeof some, rows).compile()
}

/** A member's text; for `hour` and `day` the number of it since 1970. */
function groupOf(group: Group): AliasableExpression<string | number | null> {
  if (group === 'hour') return divided('entry.time', HOUR_MS)
  if (group === 'day') return divided('entry.time', DAY_MS)
  const table = KINDS.has(group) ? 'kind' : group === 'session_id' ? 'session' : 'who'
  return sql.ref<string | null>(`${table}.${group}`)
}

/** Entries that match by what columns say. */
function matching(compiler: Compiler, filter: Filter): SelectQueryBuilder<Tables, 'entry', object> {
  const { session_id: session, correlation_id: correlation, parent_id: parent, since, until, from, to } = filter
  let rows = compiler.selectFrom('entry')
  const span = !session && asks(filter, COUNTED) ? spanAround(filter) : undefined
  // Without the sign, SQLite would turn the run into a whole number first, and leave the index aside.
  if (span !== undefined) rows = rows.where(spanOfEntry, '=', span)
  else if (!session && asks(filter, COUNTED))
    rows = rows.where(spanOfEntry, 'in', spansOf(compiler, filter).select(sql<number>`+span`.as('span')))
  if (asks(filter, KIND_FILTERS)) rows = rows.where('kind', 'in', kindIds(compiler, filter))
  if (asks(filter, WHO_FILTERS)) rows = rows.where('who', 'in', whoIds(compiler, filter))
  if (session) rows = rows.where('session', 'in', sessionIds(compiler, session))
  if (correlation) rows = rows.where('correlation_id', 'in', texts(correlation))
  if (parent) rows = rows.where('parent_id', 'in', texts(parent))
  if (since !== undefined) rows = rows.where('time', '>=', since)
  if (until !== undefined) rows = rows.where('time', '<', until)
  const [start, behind] = span === undefined ? [] : [span * SPAN_ENTRIES, (span + 1) * SPAN_ENTRIES]
  // What the run's number says already would cost as much again, asked of each entry.
  if (from !== undefined && from !== start) rows = rows.where('seq', '>=', from)
  if (to !== undefined && to !== behind) rows = rows.where('seq', '<', to)
  return rows
}

/** The run that a filter lies in, if it is one. */
function spanAround({ from = 0, to = Number.POSITIVE_INFINITY }: Filter): number | undefined {
  const span = Math.floor(from / SPAN_ENTRIES)
  return to <= (span + 1) * SPAN_ENTRIES ? span : undefined
}

const KIND_FILTERS = KIND_MEMBERS satisfies readonly (keyof Filter)[]
const WHO_FILTERS = ['user', 'agent', 'model'] as const satisfies readonly (keyof Filter)[]
const COUNTED = [...KIND_FILTERS, ...WHO_FILTERS] as const

/** The runs that may hold a match, as their counts tell: rows of span, ascending. Undefined: nothing is gained by asking run by run. */
export function compileSpans(compiler: Compiler, filter: Filter): CompiledQuery | undefined {
  return filter.session_id === undefined ? spansOf(compiler, filter).select('span').distinct().orderBy('span').compile() : undefined
}

function spansOf(compiler: Compiler, filter: Filter): SelectQueryBuilder<Tables, 'kind_count' | 'who_count', object> {
  const { from, to } = filter
  let rows: SelectQueryBuilder<Tables, 'kind_count' | 'who_count', object> = asks(filter, WHO_FILTERS)
    ? compiler.selectFrom('who_count').where('who', 'in', whoIds(compiler, filter))
    : compiler.selectFrom('kind_count')
  if (!asks(filter, WHO_FILTERS) && asks(filter, KIND_FILTERS)) rows = rows.where('kind', 'in', kindIds(compiler, filter))
  if (from !== undefined) rows = rows.where('span', '>=', Math.floor(from / SPAN_ENTRIES))
  if (to !== undefined) rows = rows.where('span', '<=', Math.floor(to / SPAN_ENTRIES))
  return rows
}

function asks(filter: Filter, members: readonly (keyof Filter)[]): boolean {
  return members.some((member) => filter[member] !== undefined)
}

/** By key, since there are as many as there were sessions. */
function sessionIds(compiler: Compiler, sessions: readonly string[]) {
  const keys = texts(sessions).map((text) => (text === null ? null : keyOf([text])))
  return compiler.selectFrom('session').select('id').where('key', 'in', keys)
}

function kindIds(compiler: Compiler, filter: Filter) {
  let rows = compiler.selectFrom('kind').select('id')
  for (const member of KIND_MEMBERS) {
    const values = member === 'severity' ? undefined : filter[member]
    if (values) rows = rows.where(member, 'in', texts(values))
  }
  if (filter.severity === undefined) return rows
  return rows.where(sql<string>`coalesce(severity, 'info')`, 'in', severitiesFrom(filter.severity))
}

function whoIds(compiler: Compiler, { user, model, agent }: Filter) {
  let rows = compiler.selectFrom('who').select('id')
  if (user) rows = rows.where('user', 'in', texts(user))
  if (model) rows = rows.where('model', 'in', texts(model))
  if (agent) rows = rows.where((build) => build.or([build('agent_id', 'in', texts(agent)), build('agent_name', 'in', texts(agent))]))
  return rows
}

/** As they are stored. No value matches nothing, which `in ()` cannot say everywhere. */
function texts(values: readonly string[]): (string | null)[] {
  return values.length === 0 ? [null] : values.map((value) => value.toWellFormed())
}
