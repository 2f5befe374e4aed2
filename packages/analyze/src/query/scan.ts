/**
 * Queries without an index: every line is read. Memory grows with `limit`, and with the matches where they must be
 * sorted or the newest are wanted; never with the ledger.
 * @module
 */
import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { findAgain, isCompressed, type LedgerFiles, listSegments, type RawLine, type SegmentFile } from '@sworn/recorder/segments'
import { SwornError } from '@sworn/verify'
import { columnsOf } from '../columns.ts'
import type { Entry } from '../reading/entry.ts'
import type { Filter } from './filter.ts'
import { type Group, type Tally, tally } from './groups.ts'
import { createMatcher, type Match, type Matches } from './matcher.ts'
import { NO_VALUE, type Order, type Sort } from './order.ts'
import { type Piece, readPieces } from './pieces.ts'
import { countMatches, type RangeAnswer } from './scan-range.ts'
import { type ScanThreads, startScanThreads } from './scan-threads.ts'
import { type Found, type Source, sortCounts, toFound } from './source.ts'

/** Matches that are held to be sorted. */
export const MAX_SORTED = 1_000_000

/** From here on threads look through it. */
const THREADS_FROM_BYTES = 64 << 20

export interface ScanOptions {
  /** Told of each whole line that is no entry. */
  readonly onUnreadable?: ((line: Pick<RawLine, 'file' | 'number'>) => void) | undefined
  /** Ends it with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Default: 2 for what is worth it. */
  readonly threads?: 1 | 2 | undefined
}

/** What was seen in some lines of a file that follow each other. */
interface Seen<Answer> {
  readonly path: string
  readonly lines: number
  /** Lines before each of those that are no entries. */
  readonly unreadable: readonly number[]
  readonly answer: Answer
}

export function createScan(files: LedgerFiles, { onUnreadable, signal, threads }: ScanOptions = {}): Source {
  /** The answers, and of each file the lines that are no entries are told: behind each answer, because it is what finds them. */
  async function* told<Answer>(seen: AsyncIterable<Seen<Answer>>): AsyncGenerator<Answer> {
    let [file, before] = ['', 0]
    for await (const { path, lines, unreadable, answer } of seen) {
      signal?.throwIfAborted()
      if (path !== file) [file, before] = [path, 0]
      yield answer
      for (const line of unreadable) onUnreadable?.({ file, number: before + line + 1 })
      before += lines
    }
  }

  /** Where each is when it is opened, as late as that. */
  function* pathsNow(segments: readonly SegmentFile[], places: readonly number[], byThreads: boolean): Generator<string> {
    for (const i of places) {
      const path = findAgain(files, segments, i)
      yield byThreads && isCompressed(path) ? segments[i]!.path : path // threads read plain files: it is gone, and that is said
    }
  }

  /** What `look` makes of the matches of a piece, or what threads found. */
  async function* answers<Answer>(
    filter: Filter,
    groups: readonly Group[] | undefined,
    look: (matches: Matches, bytes: Buffer) => Answer,
  ): AsyncGenerator<Answer | RangeAnswer> {
    const segments = listSegments(files)
    const ahead = (threads ?? threadsFor(segments)) === 2 && !filter.where ? startScanThreads(filter, groups) : undefined
    try {
      for (const { places, isPlain } of runsOf(segments)) {
        const byThreads = ahead && isPlain ? ahead : undefined
        const paths = pathsNow(segments, places, byThreads !== undefined)
        yield* byThreads ? told(seenByThreads(byThreads, paths)) : told(seenHere(createMatcher(filter, groups), look, paths))
      }
    } finally {
      await ahead?.close()
    }
  }

  return {
    find({ filter, order, limit = Number.POSITIVE_INFINITY, passing = false }) {
      const isHeld = order.sort !== 'seq' || order.descending
      const look = ({ found }: Matches, bytes: Buffer) => toFounds(found, bytes, passing && !isHeld)
      return inOrder(oneByOne(answers(filter, undefined, look)), order, limit)
    },
    async count(filter, groups) {
      const counts = new Map<string, Tally>()
      const look = ({ found }: Matches) => ({ counts: countMatches(found, groups) })
      for await (const answer of answers(filter, groups, look))
        for (const { texts, entries } of answer.counts) tally(counts, texts, entries)
      return sortCounts(groups.length === 0 && counts.size === 0 ? [{ texts: [], entries: 0 }] : [...counts.values()])
    },
  }
}

function threadsFor(segments: readonly { readonly path: string }[]): 1 | 2 {
  const plain = segments.filter(({ path }) => !isCompressed(path))
  const bytes = plain.reduce((sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
  return bytes < THREADS_FROM_BYTES || availableParallelism() === 1 ? 1 : 2
}

/** Plain segments that follow each other, and packed ones. */
function runsOf(segments: readonly SegmentFile[]): readonly { readonly isPlain: boolean; readonly places: readonly number[] }[] {
  const runs: { isPlain: boolean; places: number[] }[] = []
  for (const [i, { path }] of segments.entries()) {
    const isPlain = !isCompressed(path)
    const last = runs.at(-1)
    if (last?.isPlain === isPlain) last.places.push(i)
    else runs.push({ isPlain, places: [i] })
  }
  return runs
}

async function* seenHere<Answer>(
  match: (piece: Piece) => Matches,
  look: (matches: Matches, bytes: Buffer) => Answer,
  paths: Iterable<string>,
): AsyncGenerator<Seen<Answer>> {
  for (const path of paths)
    for await (const piece of readPieces(path)) {
      const matches = match(piece)
      yield { path, lines: matches.lines, unreadable: matches.unreadable, answer: look(matches, piece.bytes) }
    }
}

function* toFounds(matches: Iterable<Match>, bytes: Buffer, passing: boolean): Generator<Found> {
  for (const { start, end, entry } of matches) {
    const line = bytes.subarray(start, end)
    yield toFound(passing ? line : Buffer.from(line), entry.seq, entry.seq)
  }
}

async function* seenByThreads(threads: ScanThreads, paths: Iterable<string>): AsyncGenerator<Seen<RangeAnswer>> {
  for await (const answer of threads.read(paths)) yield { ...answer, answer }
}

async function* oneByOne(answers: AsyncIterable<Iterable<Found> | RangeAnswer>): AsyncGenerator<Found> {
  for await (const answer of answers) yield* 'seqs' in answer ? foundBy(answer) : answer
}

function* foundBy({ seqs, lengths, bytes }: RangeAnswer): Generator<Found> {
  let at = 0
  for (const [i, seq] of seqs.entries()) {
    yield toFound(Buffer.from(bytes.buffer, at, lengths[i]), seq, seq)
    at += lengths[i]!
  }
}

/** What an entry is sorted by. */
export function sortValue(entry: Entry, sort: Sort): number {
  if (sort === 'seq') return entry.seq
  const { time, durationMs } = columnsOf(entry)
  return (sort === 'time' ? time : durationMs) ?? NO_VALUE
}

/** The first `limit` of what comes in the order of the ledger, in another order. */
export async function* inOrder(found: AsyncIterable<Found>, order: Order, limit: number): AsyncGenerator<Found> {
  const { sort, descending, after } = order
  const isBehind = createIsBehind(order)
  const held: Found[] = []
  let count = 0
  for await (const one of found) {
    const own = sort === 'seq' ? one : { ...one, value: sortValue(one.entry(), sort) }
    if (after && !isBehind(own, after)) continue
    if (sort === 'seq' && !descending) {
      yield own
      if (++count === limit) return
      continue
    }
    held.push(own)
    if (held.length > Math.min(2 * limit, MAX_SORTED)) keepFirst(held, order, limit)
  }
  keepFirst(held, order, limit)
  yield* held
}

function keepFirst(held: Found[], order: Order, limit: number): void {
  const isBehind = createIsBehind(order)
  held.sort((a, b) => (a.seq === b.seq ? 0 : isBehind(a, b) ? 1 : -1))
  if (held.length > limit) held.length = limit
  if (held.length > MAX_SORTED)
    throw new SwornError('USAGE', `at most ${MAX_SORTED} matches can be sorted; narrow the filter or give a limit`, '--sort')
}

interface Place {
  readonly value: number
  readonly seq: number
}

function createIsBehind({ descending }: Order): (a: Place, b: Place) => boolean {
  return (a, b) =>
    descending ? a.value < b.value || (a.value === b.value && a.seq < b.seq) : a.value > b.value || (a.value === b.value && a.seq > b.seq)
}
