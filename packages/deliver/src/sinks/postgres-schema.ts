/**
 * The tables in PostgreSQL: entries by month, how far each ledger is there, the version of it all.
 *
 * `line` is the entry's exact bytes; the other columns are copies for queries. Times are the writer's claim: what lies
 * outside of the years 2000 to 2099 goes to one partition of its own, so that nobody can make partitions without end.
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { Item } from '../sink.ts'

export interface Tables {
  readonly entry: string
  readonly head: string
  readonly meta: string
  readonly checkpoint: string
}

export const SCHEMA_VERSION = 2

/** @throws SwornError CONFIG_INVALID */
export function tablesOf(name: string): Tables {
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(name))
    throw new SwornError('CONFIG_INVALID', 'lower-case letters, digits and _ were expected', 'audit.sinks.table')
  return { entry: name, head: `${name}_head`, meta: `${name}_meta`, checkpoint: `${name}_checkpoint` }
}

export const COLUMNS = ['event_type', 'severity', 'decision', 'tool', 'target', 'user', 'agent_id', 'session_id', 'event_id'] as const

/** `user` is a word of SQL. */
export function columnOf(name: (typeof COLUMNS)[number]): string {
  return name === 'user' ? 'user_name' : name
}

export function SCHEMA_SQL({ entry, head, meta, checkpoint }: Tables): readonly string[] {
  const columns = COLUMNS.map((name) => `${columnOf(name)} text`).join(', ')
  return [
    `CREATE TABLE IF NOT EXISTS ${entry} (origin text NOT NULL, seq bigint NOT NULL, recorded_at timestamptz NOT NULL, entry_hash text NOT NULL, ${columns}, line text NOT NULL, PRIMARY KEY (origin, seq, recorded_at)) PARTITION BY RANGE (recorded_at)`,
    `CREATE TABLE IF NOT EXISTS ${entry}_other PARTITION OF ${entry} DEFAULT`,
    `CREATE INDEX IF NOT EXISTS ${entry}_session ON ${entry} (session_id, seq)`,
    `CREATE TABLE IF NOT EXISTS ${head} (origin text PRIMARY KEY, next bigint NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${meta} (version int PRIMARY KEY)`,
    `CREATE TABLE IF NOT EXISTS ${checkpoint} (origin text NOT NULL, size bigint NOT NULL, note text NOT NULL, PRIMARY KEY (origin, size))`,
    `INSERT INTO ${meta} SELECT ${SCHEMA_VERSION} WHERE NOT EXISTS (SELECT FROM ${meta})`,
  ]
}

/** Tables of an earlier version hold the checkpoints only as entries. */
export function MIGRATE_SQL({ entry, meta, checkpoint }: Tables): readonly string[] {
  const note = "line::json->>'checkpoint'"
  return [
    `INSERT INTO ${checkpoint} SELECT origin, split_part(${note}, E'\\n', 2)::bigint, ${note} FROM ${entry} WHERE event_type = 'log.checkpoint' ON CONFLICT DO NOTHING`,
    `UPDATE ${meta} SET version = ${SCHEMA_VERSION}`,
  ]
}

/** The partition of a month, `2026-11`. */
export function MONTHS_SQL({ entry }: Tables, month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const after = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
  return `CREATE TABLE IF NOT EXISTS ${entry}_${month.replace('-', '_')} PARTITION OF ${entry} FOR VALUES FROM ('${month}-01Z') TO ('${after}-01Z')`
}

const EPOCH = '1970-01-01T00:00:00.000Z'

/** As our writer writes it: PostgreSQL reads it as it stands. */
const USUAL = /^20\d\d-(0[1-9]|1[0-2])-([01]\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** The time of an entry; what is none is the epoch. */
export function timeOf({ event: { timestamp } }: Pick<Item, 'event'>): string {
  if (typeof timestamp === 'string' && USUAL.test(timestamp)) return timestamp
  return typeof timestamp === 'string' && !Number.isNaN(Date.parse(timestamp)) ? new Date(timestamp).toISOString() : EPOCH
}

const TIME_HEAD = '{"timestamp":"'
const TIME_CHARS = 24

/** As `timeOf`, without a parse where the entry begins as our writer begins entries. */
export function timeIn(item: Item): string {
  const end = TIME_HEAD.length + TIME_CHARS
  const head = item.bytes?.toString('latin1', 0, end + 1) ?? item.body.slice(0, end + 1)
  const time = head.startsWith(TIME_HEAD) && head[end] === '"' ? head.slice(TIME_HEAD.length, end) : ''
  return USUAL.test(time) ? time : timeOf(item)
}

/** Months of this century that have partitions of their own. */
export function monthsOf(items: readonly Item[]): readonly string[] {
  const months = new Set<string>()
  for (const item of items) months.add(timeIn(item).slice(0, 7))
  return [...months].filter((month) => /^20\d\d-\d\d$/.test(month)).toSorted()
}

/** What the columns say. */
export function copiesOf({ event }: Pick<Item, 'event'>): readonly (string | undefined)[] {
  return COLUMNS.map((name) => {
    const value = event[name]
    if (typeof value !== 'string') return undefined
    return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value // the line has it as it was
  })
}
