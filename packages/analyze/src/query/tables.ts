/**
 * The tables that queries run on, the same in SQLite (`audit.db`) and PostgreSQL.
 *
 * A row of `entry` has where its line lies, what is ordered, and the numbers of three combinations: `kind` (what
 * happened), `who` and `session`. Filters and groups work on those small tables first. `kind_count` and `who_count`
 * hold how often each occurs in each run of SPAN_ENTRIES entries, so that counting reads no row of `entry`; and for
 * which runs the indexes of both, which are ordered by run first, have to be asked.
 * @module
 */
import {
  type ColumnDataType,
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { KIND_MEMBERS, type KindMember, WHO_MEMBERS, type WhoMember } from '../columns.ts'

/** Entries of one run: the same `floor(seq / SPAN_ENTRIES)`. */
export const SPAN_ENTRIES = 65_536

type Combination<Member extends string> = { id: number; key: string } & { [M in Member]: string | null }

export interface Tables {
  entry: {
    seq: number
    /** Of the line in its uncompressed segment, and its length without LF. */
    offset: number
    bytes: number
    /** Milliseconds since 1970. */
    time: number | null
    duration_ms: number | null
    kind: number
    who: number
    session: number
    correlation_id: string | null
    parent_id: string | null
  }
  kind: Combination<KindMember>
  who: Combination<WhoMember>
  session: Combination<'session_id'>
  kind_count: { span: number; kind: number; entries: number }
  who_count: { span: number; who: number; entries: number }
}

export type Dialect = 'sqlite' | 'postgres'
export type Compiler = Kysely<Tables>

/** Compiles queries and runs none. */
export function createCompiler(dialect: Dialect): Compiler {
  return new Kysely<Tables>({
    dialect:
      dialect === 'sqlite'
        ? {
            createDriver: () => new DummyDriver(),
            createAdapter: () => new SqliteAdapter(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createDriver: () => new DummyDriver(),
            createAdapter: () => new PostgresAdapter(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  })
}

/** The statements that make the tables, in order. */
export function createStatements(compiler: Compiler, dialect: Dialect): string[] {
  const whole: ColumnDataType = dialect === 'sqlite' ? 'integer' : 'bigint' // only `integer primary key` is SQLite's row number
  const real: ColumnDataType = dialect === 'sqlite' ? 'real' : 'double precision'
  const { schema } = compiler
  const combination = (table: string, members: readonly string[]): Compilable =>
    members.reduce(
      (made, member) => made.addColumn(member, 'text'),
      schema
        .createTable(table)
        .addColumn('id', whole, (c) => c.primaryKey())
        .addColumn('key', 'text', (c) => c.notNull().unique()),
    )
  const counts = (table: string, of: string): Compilable =>
    schema
      .createTable(table)
      .addColumn('span', whole, (c) => c.notNull())
      .addColumn(of, whole, (c) => c.notNull())
      .addColumn('entries', whole, (c) => c.notNull())
      .addPrimaryKeyConstraint(`${table}_key`, ['span', of])
  const seq = dialect === 'sqlite' ? [] : ['seq'] // SQLite adds the row number itself
  const index = (name: string, columns: readonly (string | typeof spanOfEntry)[]): Compilable =>
    schema
      .createIndex(`entry_${name}`)
      .on('entry')
      .columns([...columns])
  return [
    schema
      .createTable('entry')
      .addColumn('seq', whole, (c) => c.primaryKey())
      .addColumn('offset', whole, (c) => c.notNull())
      .addColumn('bytes', whole, (c) => c.notNull())
      .addColumn('time', whole)
      .addColumn('duration_ms', real)
      .addColumn('kind', whole, (c) => c.notNull())
      .addColumn('who', whole, (c) => c.notNull())
      .addColumn('session', whole, (c) => c.notNull())
      .addColumn('correlation_id', 'text')
      .addColumn('parent_id', 'text'),
    combination('kind', KIND_MEMBERS),
    combination('who', WHO_MEMBERS),
    combination('session', ['session_id']),
    counts('kind_count', 'kind'),
    counts('who_count', 'who'),
    index('kind', [spanOfEntry, 'kind', ...seq, 'offset', 'bytes']), // what a decision, tool or risk asks for is read from the index alone
    index('who', [spanOfEntry, 'who', ...seq]),
    index('session', ['session', ...seq]), // grows at its end by itself: sessions come and go
    createView(compiler, dialect),
  ].map((statement) => statement.compile().sql)
}

/** `2026-11-21T13:00:00.000Z` of a time. */
const TIMESTAMP = {
  sqlite: sql<string>`strftime('%Y-%m-%dT%H:%M:%fZ', time / 1000.0, 'unixepoch')`,
  postgres: sql<string>`to_char(to_timestamp(time / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
} as const

/** `entries`: one row an entry with its texts, for people who write SQL. */
function createView(compiler: Compiler, dialect: Dialect): Compilable {
  const members = [...KIND_MEMBERS.map((m) => `kind.${m}` as const), ...WHO_MEMBERS.map((m) => `who.${m}` as const)]
  const rows = compiler
    .selectFrom('entry')
    .innerJoin('kind', 'kind.id', 'entry.kind')
    .innerJoin('who', 'who.id', 'entry.who')
    .innerJoin('session', 'session.id', 'entry.session')
    .select(['entry.seq', TIMESTAMP[dialect].as('timestamp'), ...members])
    .select(['session.session_id', 'entry.correlation_id', 'entry.parent_id', 'entry.duration_ms', 'entry.time'])
  return compiler.schema.createView('entries').as(rows)
}

/** The run that an entry belongs to: the first column of an index whose values recur, so that it grows at its end alone. */
export const spanOfEntry = sql<number>`(${sql.ref('seq')} / ${sql.lit(SPAN_ENTRIES)})`

/** `floor(column / by)` of a whole number, in both dialects: by themselves they cut towards zero, and times before 1970 are negative. */
export const divided = (column: string, by: number) => {
  const [value, whole] = [sql.ref<number>(column), sql.lit(by)]
  return sql<number>`(case when ${value} < 0 then ${value} - ${sql.lit(by - 1)} else ${value} end) / ${whole}`
}
