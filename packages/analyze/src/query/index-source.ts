/**
 * Queries over the index: columns first, then the lines that are left, page by page.
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LedgerFiles } from '@sworn/recorder/segments'
import { allArrays, type DatabaseSync, iterateArrays } from '@sworn/recorder/sqlite'
import type { CompiledQuery } from 'kysely'
import { BLOCK_ENTRIES } from '../index/batch.ts'
import { mayHold, signatureBits } from '../index/text-signature.ts'
import { compileCount, compileFind, compileSpans } from './compile.ts'
import { type LinePlace, openLineReader } from './fetch.ts'
import { createRestPredicate, type Filter, needsLine } from './filter.ts'
import { formatGroup, type Group, groupTexts, type Tally, tally } from './groups.ts'
import type { Order } from './order.ts'
import { inOrder } from './scan.ts'
import { type Count, type Found, type Question, type Source, sortCounts, toFound } from './source.ts'
import { createCompiler, SPAN_ENTRIES } from './tables.ts'

/** Lines that are read together, and their bytes, but for the last one's. */
const PAGE = 256
const PAGE_BYTES = 512 << 10
/** Pages after which others have their turn: lines are read without waiting. */
const TURN_PAGES = 16

/** `from <= seq < to` */
interface Range {
  readonly from: number
  readonly to: number
}

type Row = LinePlace & { readonly value: number }

const SEQ_ORDER = { sort: 'seq', descending: false } as const

/** Answers from `db`, which holds the index of `files`. @param signal ends what reads lines, with its reason */
export function createIndexSource(db: DatabaseSync, files: LedgerFiles, signal?: AbortSignal): Source {
  const compiler = createCompiler('sqlite')
  const all = (query: CompiledQuery) => db.prepare(query.sql).all(...(query.parameters as (string | number | null)[])) // what compile.ts binds

  /** Rows by columns alone, in order; all at once where they are of one run and so not many. */
  function* pages(filter: Filter, order: Order, limit?: number): Generator<Row[]> {
    const { sql, parameters } = compileFind(compiler, filter, order, limit)
    const { from = 0, to = Number.POSITIVE_INFINITY } = filter
    const read = to - from <= SPAN_ENTRIES ? allArrays : iterateArrays
    let page: Row[] = []
    let pageBytes = 0
    for (const row of read(db.prepare(sql), parameters as (string | number | null)[])) {
      const [seq, offset, bytes, value = seq] = row as [number, number, number, number?] // the columns of compileFind
      page.push({ seq, offset, bytes, value })
      pageBytes += bytes
      if (page.length < PAGE && pageBytes < PAGE_BYTES) continue
      yield page
      page = []
      pageBytes = 0
    }
    if (page.length > 0) yield page
  }

  /** Where matches may lie, ascending, as the signatures of lines or the counts tell. Undefined: anywhere. */
  function partsOf(filter: Filter): Range[] | undefined {
    const bits = bitsOf(filter)
    if (bits.length > 0) return candidateRanges(db, bits)
    const spans = compileSpans(compiler, filter)
    return spans && all(spans).map(({ span }) => ({ from: Number(span) * SPAN_ENTRIES, to: (Number(span) + 1) * SPAN_ENTRIES }))
  }

  /** In the order of the ledger, part by part. */
  function* partPages(filter: Filter, order: Order, limit?: number): Generator<Row[]> {
    for (const range of narrowed(filter, partsOf(filter), order.descending)) yield* pages(range, order, limit)
  }

  async function* find({ filter: asked, order, limit = Number.POSITIVE_INFINITY, passing = false }: Question): AsyncGenerator<Found> {
    if (order.sort !== 'seq' && needsLine(asked)) {
      yield* inOrder(find({ filter: asked, order: SEQ_ORDER }), order, limit)
      return
    }
    const filter = withinTimes(db, asked)
    const holds = needsLine(filter) ? createRestPredicate(filter) : undefined
    const most = holds || limit === Number.POSITIVE_INFINITY ? undefined : limit
    const reader = openLineReader(files, startsOf(db), passing || holds !== undefined)
    const isOwn = passing || !holds
    let left = limit
    let pagesRead = 0
    try {
      for (const page of (order.sort === 'seq' ? partPages : pages)(filter, order, most)) {
        if (++pagesRead % TURN_PAGES === 0) await nextTurn()
        signal?.throwIfAborted()
        const lines = await reader.read(page)
        for (let i = 0; i < page.length; i++) {
          const found = toFound(lines[i]!, page[i]!.seq, page[i]!.value)
          if (holds && !holds(found.entry())) continue
          yield isOwn ? found : ownFound(found)
          if (--left === 0) return
        }
      }
    } finally {
      reader.close()
    }
  }

  async function count(filter: Filter, groups: readonly Group[]): Promise<Count[]> {
    if (needsLine(filter)) {
      const counts = new Map<string, Tally>()
      for await (const found of find({ filter, order: SEQ_ORDER, passing: true })) tally(counts, groupTexts(found.entry(), groups))
      return sortCounts(groups.length === 0 && counts.size === 0 ? [{ texts: [], entries: 0 }] : [...counts.values()])
    }
    const rows = all(compileCount(compiler, withinTimes(db, filter), groups))
    return sortCounts(
      rows.map((row) => ({ texts: groups.map((group) => formatGroup(group, row[group])), entries: Number(row.entries ?? 0) })),
    )
  }

  return { find, count }
}

/** Apart from the bytes that it was read with, which others are read into. */
function ownFound(found: Found): Found {
  const own = found.entry()
  return { ...found, line: Buffer.from(found.line), entry: () => own }
}

function startsOf(db: DatabaseSync): number[] {
  return db
    .prepare('SELECT first_seq FROM segment ORDER BY first_seq')
    .all()
    .map((row) => Number(row.first_seq))
}

/** The filter with the entries between which all of its times lie. */
function withinTimes(db: DatabaseSync, filter: Filter): Filter {
  const { since, until, from = 0, to = Number.MAX_SAFE_INTEGER } = filter
  const edge = (sql: string, time: number): number | undefined => {
    const { block } = db.prepare(sql).get(time) ?? {}
    return typeof block === 'number' ? block * BLOCK_ENTRIES : undefined
  }
  const first = since === undefined ? 0 : edge('SELECT min(block) AS block FROM block WHERE time_max >= ?', since)
  const last = until === undefined ? undefined : edge('SELECT max(block) + 1 AS block FROM block WHERE time_min < ?', until)
  return {
    ...filter,
    ...(since !== undefined && { from: Math.max(from, first ?? to) }),
    ...(until !== undefined && { to: Math.min(to, last ?? 0) }),
  }
}

/** The bits of what a filter looks for in lines: of each alternative, for each member. Empty: the signatures cannot tell. */
function bitsOf(filter: Filter): (readonly (readonly number[])[])[] {
  const wanted = [filter.text === undefined ? undefined : [filter.text], filter.correlation_id, filter.parent_id]
  const bits = wanted.flatMap((texts) => (texts === undefined ? [] : [texts.map(signatureBits)]))
  return bits.every((alternatives) => alternatives.some((all) => all.length === 0)) ? [] : bits
}

/** The filter, once for each part, in order. */
function narrowed(filter: Filter, parts: readonly Range[] | undefined, descending: boolean): readonly Filter[] {
  if (!parts) return [filter]
  const { from: least = 0, to: most = Number.MAX_SAFE_INTEGER } = filter
  const all = parts.map(({ from, to }) => ({ ...filter, from: Math.max(from, least), to: Math.min(to, most) }))
  return descending ? all.reverse() : all
}

/** Runs of blocks that may hold one of each group of texts, none longer than SPAN_ENTRIES. */
function candidateRanges(db: DatabaseSync, bits: readonly (readonly (readonly number[])[])[]): Range[] {
  const ranges: { from: number; to: number }[] = []
  for (const { block, signature } of db.prepare('SELECT block, signature FROM block ORDER BY block').iterate()) {
    if (!(signature instanceof Uint8Array) || !bits.every((alternatives) => alternatives.some((all) => mayHold(signature, all)))) continue
    const from = Number(block) * BLOCK_ENTRIES
    const last = ranges.at(-1)
    if (last?.to === from && from % SPAN_ENTRIES !== 0) last.to += BLOCK_ENTRIES
    else ranges.push({ from, to: from + BLOCK_ENTRIES })
  }
  return ranges
}
