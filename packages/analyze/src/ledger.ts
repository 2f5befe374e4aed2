/**
 * The library's way to read a ledger: `for await (const { entry } of ledger.query({ decision: 'deny' }))`.
 *
 * Names and words are those of the events. What a name does not mean is refused by name, because a filter that is
 * ignored answers another question.
 * @module
 */
import { findLedger } from '@sworn/recorder/segments'
import { parseVkey, SwornError } from '@sworn/verify'
import { SEVERITIES, type Severity } from './columns.ts'
import type { SourceOptions } from './open-index.ts'
import { openSource } from './open-source.ts'
import type { Filter } from './query/filter.ts'
import { GROUPS, type Group } from './query/groups.ts'
import { SORTS, type Sort } from './query/order.ts'
import type { Found } from './query/source.ts'
import type { Entry } from './reading/entry.ts'
import { type LineCheck, openLineCheck } from './verified.ts'

/** Members whose value is one text or several alternatives. */
const TEXT_FILTERS = [
  'event_type',
  'decision',
  'reason_code',
  'tool',
  'server',
  'risk_level',
  'outcome',
  'user',
  'model',
  'agent',
  'session_id',
  'correlation_id',
  'parent_id',
] as const satisfies readonly (keyof Filter)[]

type TextFilter = (typeof TEXT_FILTERS)[number]
/** A moment: a Date, or text that RFC 3339 allows. */
type Moment = Date | string

/** All that are given must hold. */
export interface EntryFilter extends Partial<Readonly<Record<TextFilter, string | readonly string[]>>> {
  /** This severity or above. */
  readonly severity?: Severity
  /** Not before, and before. */
  readonly since?: Moment
  readonly until?: Moment
  /** `from <= seq < to` */
  readonly from?: number
  readonly to?: number
  /** In any value of the event, without regard to case. */
  readonly text?: string
  /** CEL over the event, or a function. */
  readonly where?: string | ((entry: Entry) => boolean)
}

export interface EntryQuery extends EntryFilter {
  /** Default: `seq`, the order of the ledger. */
  readonly sort?: Sort
  readonly descending?: boolean
  readonly limit?: number
  /** The result that the page before ended with. */
  readonly after?: { readonly value: number; readonly seq: number }
}

export interface QueryResult {
  readonly seq: number
  readonly entry: Entry
  /** As stored, without LF. */
  readonly line: Buffer
  /** True only when `verify` was asked for and this line was proven to stand in the newest signed checkpoint. */
  readonly verified: boolean
  /** What it was sorted by. */
  readonly value: number
}

export interface LedgerOptions extends SourceOptions {
  /** A verifier key of the ledger: every line is checked against the newest checkpoint that it signed. */
  readonly verify?: string
}

export interface Ledger {
  /**
   * @throws TypeError for a name or value that is none; SwornError FILTER_INVALID for a `where` that is no CEL;
   *   PROOF_INVALID for a line that is not what was signed; INDEX_STALE; NOTE_UNVERIFIED when nothing was signed
   */
  query(query?: EntryQuery): AsyncGenerator<QueryResult>
  /** How many match, by each combination of `by`, most first; without `by` one count. */
  count(
    filter?: EntryFilter,
    by?: readonly Group[],
  ): Promise<{ readonly by: Readonly<Record<string, string | undefined>>; readonly entries: number }[]>
}

/**
 * Opens a ledger to read it; each query brings its index up to date first.
 *
 * @param path a ledger directory or file
 * @throws SwornError LEDGER_NOT_FOUND, LEDGER_FOREIGN_FILE, KEY_INVALID
 */
export function openLedgerReader(path: string, options: LedgerOptions = {}): Ledger {
  const files = findLedger(path, process.cwd())
  const keys = options.verify === undefined ? undefined : [parseVkey(options.verify)]
  const openCheck = async (): Promise<LineCheck | undefined> => {
    if (keys && files.directory === undefined) throw new SwornError('NOTE_UNVERIFIED', 'a ledger with its directory was expected', path)
    return keys && (await openLineCheck(files.directory ?? '', keys))
  }
  return {
    async *query(query = {}) {
      const { sort, descending = false, limit, after, ...asked } = checkQuery(query)
      const filter = await toFilter(asked)
      const source = await openSource(files, options)
      let check: LineCheck | undefined
      try {
        check = await openCheck()
        const order = { sort: sort ?? ('seq' as const), descending, after }
        for await (const found of source.find({ filter, order, limit })) yield toResult(found, check)
      } finally {
        check?.close()
        source.close()
      }
    },
    async count(filter = {}, by = []) {
      checkWords(by, GROUPS, 'by')
      const source = await openSource(files, options)
      try {
        const counts = await source.count(await toFilter(checkQuery(filter)), by)
        return counts.map(({ texts, entries }) => ({ by: Object.fromEntries(by.map((group, i) => [group, texts[i]])), entries }))
      } finally {
        source.close()
      }
    },
  }
}

function toResult(found: Found, check: LineCheck | undefined): QueryResult {
  return { seq: found.seq, entry: found.entry(), line: found.line, value: found.value, verified: check?.verify(found.line) ?? false }
}

/** @throws SwornError FILTER_INVALID; TypeError for a moment that is none */
async function toFilter({ since, until, where, severity, from, to, text, ...members }: EntryFilter): Promise<Filter> {
  const lists = TEXT_FILTERS.flatMap((name) => {
    const value = members[name]
    return value === undefined ? [] : [[name, typeof value === 'string' ? [value] : value] as const]
  })
  return {
    ...Object.fromEntries(lists),
    ...(severity !== undefined && { severity }),
    ...(since !== undefined && { since: toTime(since, 'since') }),
    ...(until !== undefined && { until: toTime(until, 'until') }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(text !== undefined && { text }),
    ...(where !== undefined && { where: typeof where === 'string' ? await compile(where) : where }),
  }
}

/** The language is loaded where it is spoken. */
async function compile(where: string): Promise<NonNullable<Filter['where']>> {
  return (await import('@sworn/dialects/filter')).compileFilter(where)
}

function toTime(moment: Moment, name: string): number {
  const time = moment instanceof Date ? moment.getTime() : Date.parse(moment)
  if (Number.isNaN(time)) throw new TypeError(`${name}: a Date or an RFC 3339 text was expected`)
  return time
}

const NUMBERS = ['from', 'to', 'limit'] as const
const NAMES = new Set<string>([...TEXT_FILTERS, ...NUMBERS, 'severity', 'since', 'until', 'text', 'where', 'sort', 'descending', 'after'])

function checkQuery(query: EntryQuery): EntryQuery {
  for (const name of Object.keys(query)) if (!NAMES.has(name)) throw new TypeError(`${name}: a member of a query was expected`)
  for (const name of TEXT_FILTERS) if (query[name] !== undefined) checkTexts(query[name], name)
  for (const name of NUMBERS) {
    const value = query[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= (name === 'limit' ? 1 : 0)))
      throw new TypeError(`${name}: a whole number was expected`)
  }
  if (query.severity !== undefined) checkWords([query.severity], SEVERITIES, 'severity')
  if (query.sort !== undefined) checkWords([query.sort], SORTS, 'sort')
  return query
}

/** So many alternatives fit a statement. */
const MAX_VALUES = 1000

function checkTexts(value: unknown, name: string): void {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isFine = values.length <= MAX_VALUES && values.every((one) => typeof one === 'string')
  if (!isFine) throw new TypeError(`${name}: a text or a list of at most ${MAX_VALUES} texts was expected`)
}

function checkWords(found: readonly string[], words: readonly string[], name: string): void {
  if (!found.every((word) => words.includes(word))) throw new TypeError(`${name}: of ${words.join(', ')} was expected`)
}
