/**
 * What the flags of `sworn query` ask.
 * @module
 */
import type { Filter, Group, Order, Question, Sort } from '@sworn/analyze'
import { SwornError } from '@sworn/verify'
import type { Flags, Values } from '../frame/command.ts'
import { FILTER_FLAGS, readFilter } from '../reading/filter.ts'

/** As flags name them, and the member they are. */
export const GROUP_NAMES = {
  type: 'event_type',
  severity: 'severity',
  decision: 'decision',
  reason: 'reason_code',
  tool: 'tool',
  server: 'server',
  risk: 'risk_level',
  outcome: 'outcome',
  user: 'user',
  agent: 'agent_id',
  model: 'model',
  session: 'session_id',
  hour: 'hour',
  day: 'day',
} as const satisfies Record<string, Group>

export type GroupName = keyof typeof GROUP_NAMES

const SORT_NAMES = { seq: 'seq', time: 'time', duration: 'duration_ms' } as const satisfies Record<string, Sort>

export const FORMATS = ['table', 'tree', 'json', 'jsonl', 'csv'] as const
export type Format = (typeof FORMATS)[number]

export const QUESTION_FLAGS = {
  ...FILTER_FLAGS,
  where: { type: 'string', value: 'CEL', about: "a filter over the event, e.g. 'duration_ms > 1000.0'" },
  around: { type: 'string', value: 'SEQ', about: 'this entry and the 10 before and behind it that match; --limit N: N each' },
  'count-by': { type: 'string', multiple: true, choices: Object.keys(GROUP_NAMES), about: 'how many match, by each combination of these' },
  sort: { type: 'string', choices: Object.keys(SORT_NAMES), about: 'default seq, the order of the ledger' },
  reverse: { type: 'boolean', about: 'the other way round' },
  limit: { type: 'string', value: 'N', about: 'the newest N matches, oldest first; with --sort, --reverse or --after the first N' },
  after: { type: 'string', value: 'PLACE', about: 'the page behind the one whose json ended with this "next"' },
  format: { type: 'string', choices: FORMATS, about: 'default table; tree, for one --session alone' },
  json: { type: 'boolean', about: 'same as --format json' },
} as const satisfies Flags

export type QuestionValues = Values<typeof QUESTION_FLAGS>

/** Parts are answered one after the other; a part that is `newest` comes backwards and is turned round. */
export interface Part extends Question {
  readonly newest?: true
}

const AROUND = 10

/** The filter of the flags. @throws SwornError USAGE for a time, FILTER_INVALID for an expression that cannot be read */
export async function toFilter(flags: QuestionValues, now: number): Promise<Filter> {
  const filter = readFilter(flags, now)
  if (flags.where === undefined) return filter
  const { compileFilter } = await import('@sworn/dialects/filter')
  return { ...filter, where: compileFilter(flags.where) }
}

/** What to find, in order. @throws SwornError USAGE */
export function toParts(flags: QuestionValues, filter: Filter): Part[] {
  const limit = parseLimit(flags.limit)
  const sort = SORT_NAMES[(flags.sort ?? 'seq') as keyof typeof SORT_NAMES] // one of the choices
  const order: Order = { sort, descending: flags.reverse, after: parsePlace(flags.after, sort) }
  if (flags.around !== undefined) return around(parseSeq(flags.around), filter, limit ?? AROUND, flags)
  const isPage = flags.sort !== undefined || flags.reverse || flags.after !== undefined
  if (limit === undefined || isPage) return [{ filter, order, limit }]
  return [{ filter, order: { sort, descending: true }, limit, newest: true }]
}

function around(seq: number, filter: Filter, each: number, flags: QuestionValues): Part[] {
  if (flags.sort !== undefined || flags.reverse || flags.after !== undefined)
    throw new SwornError('USAGE', 'the order of the ledger goes with --around, no --sort, --reverse or --after', '--around')
  return [
    { filter: { ...filter, to: seq }, order: { sort: 'seq', descending: true }, limit: each, newest: true },
    { filter: { ...filter, from: seq }, order: { sort: 'seq', descending: false }, limit: each + 1 },
  ]
}

/** table, or tree for one session that is looked at whole. */
export function formatOf(flags: QuestionValues): Format {
  if (flags.json) return 'json'
  if (flags.format !== undefined) return flags.format as Format // one of the choices
  const { session, ...others } = flags
  const isAlone = Object.entries(others).every(([name, value]) => PRESENTATION.has(name) || isNotGiven(value))
  return session.length === 1 && isAlone ? 'tree' : 'table'
}

const PRESENTATION = new Set(['utc', 'quiet', 'verbose', 'help', 'output', 'verified', 'key', 'fail-empty', 'no-index'])

function isNotGiven(value: unknown): boolean {
  return value === undefined || value === false || (Array.isArray(value) && value.length === 0)
}

function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new SwornError('USAGE', 'a count from 1 to 999999 was expected', '--limit')
  return Number(text)
}

function parseSeq(text: string): number {
  const seq = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(seq)) throw new SwornError('USAGE', 'the seq of an entry was expected', '--around')
  return seq
}

/** `seq`, or `value:seq` of another order. */
function parsePlace(text: string | undefined, sort: Sort): Order['after'] {
  if (text === undefined) return undefined
  const match = /^(?:(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?):)?(\d{1,16})$/.exec(text)
  const seq = Number(match?.[2])
  const value = match?.[1] === undefined ? seq : Number(match[1])
  const isRight = match !== null && Number.isSafeInteger(seq) && Number.isFinite(value) && (sort === 'seq') === (match[1] === undefined)
  if (!isRight) throw new SwornError('USAGE', 'the "next" of a page in the same order was expected', '--after')
  return { value, seq }
}

/** Where the next page begins. */
export function formatPlace({ value, seq }: { readonly value: number; readonly seq: number }, sort: string | undefined): string {
  return sort === undefined || sort === 'seq' ? String(seq) : `${value}:${seq}`
}
