/**
 * Puts batches into the index. Called inside a transaction; owns what it remembers of the numbers of combinations.
 * @module
 */
import type { StatementSync } from 'node:sqlite'
import type { DatabaseSync } from '@sworn/recorder/sqlite'
import { KIND_MEMBERS, type Texts, WHO_MEMBERS } from '../columns.ts'
import { SPAN_ENTRIES } from '../query/tables.ts'
import { type Batch, BLOCK_ENTRIES, keyOf, type Rows, unpackTexts } from './batch.ts'

/** Numbers that are remembered; beyond them they are asked for again. */
const MAX_NUMBERS = 16_384

export interface Writer {
  /** Entries of the segment that begins at `firstSeq`, in order. */
  put(firstSeq: number, batches: readonly Batch[]): void
}

export function createWriter(db: DatabaseSync): Writer {
  const kinds = createNumbers(db, 'kind', KIND_MEMBERS)
  const people = createNumbers(db, 'who', WHO_MEMBERS)
  const sessions = createNumbers(db, 'session', ['session_id'])
  const entry = db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const segment = db.prepare('INSERT OR IGNORE INTO segment VALUES (?)')
  const counts = { kind: createCounts(prepareCount(db, 'kind')), who: createCounts(prepareCount(db, 'who')) }
  const blocks = prepareBlocks(db)
  function put(batch: Batch): void {
    const { rows } = batch
    const [correlations, parents] = [unpackTexts(rows.correlationId), unpackTexts(rows.parentId)]
    const own = { kind: kinds.numbersOf(batch.kinds), who: people.numbersOf(batch.people), session: sessions.numbersOf(batch.sessions) }
    for (let i = 0; i < rows.seq.length; i++) {
      const seq = rows.seq[i]!
      const kind = own.kind[rows.kind[i]!]!
      const who = own.who[rows.who[i]!]!
      const [time, duration] = [orNull(rows.time[i]!), orNull(rows.durationMs[i]!)]
      const session = own.session[rows.session[i]!]!
      entry.run(seq, rows.offset[i]!, rows.bytes[i]!, time, duration, kind, who, session, correlations[i]!, parents[i]!)
      counts.kind.add(seq, kind)
      counts.who.add(seq, who)
    }
    blocks.put(batch)
  }
  return {
    put(firstSeq, batches) {
      segment.run(firstSeq)
      for (const batch of batches) put(batch)
      counts.kind.flush()
      counts.who.flush()
    },
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

/** The rows of a table of combinations: one each, found by its key or made. */
function createNumbers(db: DatabaseSync, table: string, members: readonly string[]): { numbersOf(all: readonly Texts[]): number[] } {
  const find = db.prepare(`SELECT id FROM ${table} WHERE key = ?`)
  const make = db.prepare(
    `INSERT INTO ${table} (key, ${members.map((m) => `"${m}"`).join(', ')}) VALUES (?${', ?'.repeat(members.length)})`,
  )
  const known = new Map<string, number>()
  const numberOf = (texts: Texts): number => {
    const key = keyOf(texts)
    const id = known.get(key) ?? Number(find.get(key)?.id ?? make.run(key, ...texts.map((text) => text ?? null)).lastInsertRowid)
    if (known.size >= MAX_NUMBERS) known.clear()
    known.set(key, id)
    return id
  }
  return { numbersOf: (all) => all.map(numberOf) }
}

function prepareCount(db: DatabaseSync, of: 'kind' | 'who'): StatementSync {
  return db.prepare(`INSERT INTO ${of}_count VALUES (?, ?, ?) ON CONFLICT (span, ${of}) DO UPDATE SET entries = entries + excluded.entries`)
}

/** Counts that are written together. */
function createCounts(statement: StatementSync): { add(seq: number, number: number): void; flush(): void } {
  let counts = new Map<number, number>()
  let span = -1
  const flush = (): void => {
    for (const [number, entries] of counts) statement.run(span, number, entries)
    counts = new Map()
  }
  return {
    add(seq, number) {
      const own = Math.floor(seq / SPAN_ENTRIES)
      if (own !== span) flush()
      span = own
      counts.set(number, (counts.get(number) ?? 0) + 1)
    },
    flush,
  }
}

function prepareBlocks(db: DatabaseSync): { put(batch: Batch): void } {
  const find = db.prepare('SELECT signature FROM block WHERE block = ?')
  const put = db.prepare(
    `INSERT INTO block VALUES (?, ?, ?, ?) ON CONFLICT (block) DO UPDATE SET signature = excluded.signature,
       time_min = min(coalesce(time_min, excluded.time_min), coalesce(excluded.time_min, time_min)),
       time_max = max(coalesce(time_max, excluded.time_max), coalesce(excluded.time_max, time_max))`,
  )
  return {
    put({ rows, signatures }) {
      const times = timesOf(rows)
      for (const { block, signature } of signatures) {
        const before = find.get(block)?.signature
        if (before instanceof Uint8Array) for (let i = 0; i < signature.length; i++) signature[i]! |= before[i]!
        const time = times.get(block)
        put.run(block, time?.min ?? null, time?.max ?? null, signature)
      }
    },
  }
}

function timesOf({ seq, time }: Rows): Map<number, { min: number; max: number }> {
  const times = new Map<number, { min: number; max: number }>()
  for (let i = 0; i < seq.length; i++) {
    const at = time[i]!
    if (Number.isNaN(at)) continue
    const block = Math.floor(seq[i]! / BLOCK_ENTRIES)
    const known = times.get(block)
    times.set(block, known ? { min: Math.min(known.min, at), max: Math.max(known.max, at) } : { min: at, max: at })
  }
  return times
}

/**
 * Forgets every entry below `seq`, and what only they named.
 * The first block keeps what its dropped entries set: a signature that says too much finds nothing more.
 */
export function dropBelow(db: DatabaseSync, seq: number): void {
  const span = Math.floor(seq / SPAN_ENTRIES)
  db.prepare('DELETE FROM entry WHERE seq < ?').run(seq)
  db.prepare('DELETE FROM segment WHERE first_seq < ?').run(seq)
  db.prepare('DELETE FROM unreadable WHERE segment < ?').run(seq)
  db.prepare('DELETE FROM block WHERE block < ?').run(Math.floor(seq / BLOCK_ENTRIES))
  for (const table of ['kind', 'who'] as const) {
    db.prepare(`DELETE FROM ${table}_count WHERE span <= ?`).run(span)
    db.prepare(`INSERT INTO ${table}_count SELECT ?, ${table}, count(*) FROM entry WHERE seq < ? GROUP BY ${table}`).run(
      span,
      (span + 1) * SPAN_ENTRIES,
    )
  }
  for (const table of ['kind', 'who', 'session']) db.exec(`DELETE FROM ${table} WHERE id NOT IN (SELECT ${table} FROM entry)`)
}
