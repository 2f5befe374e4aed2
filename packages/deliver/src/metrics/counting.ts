/**
 * Counting a ledger by a position that is remembered, so that a restart neither begins at zero nor counts twice.
 *
 * Reads only when it is asked, and then what was added: a ledger that nobody looks at costs nothing. A kill loses what
 * was counted since the last save, and it is counted again. Where the ledger is another than the one that was counted,
 * was put back or rewritten, all of it is counted anew. Source: design §1 law 1.
 * @module
 */
import type { LedgerFiles } from '@sworn/recorder/segments'
import { GENESIS, SwornError } from '@sworn/verify'
import type { Clock } from '../clock.ts'
import { checkHistory } from '../history.ts'
import { typeIn } from '../numbered.ts'
import { type Line, openSource, type Source } from '../source.ts'
import { type Counted, countsPath, readCounts, writeCounts } from './counts-file.ts'
import { type ActionObserver, createTally, DETAILED, OF_CALLS, type OpenObserver, type RecordedEvent, type Tally } from './tally.ts'

export interface Counting {
  /**
   * Counts what is in the ledger by now, for `ms` at most; beyond that it goes on by itself.
   * @throws SwornError LINE_MALFORMED, IO_FAILED; the file system's errors. What was counted stays
   */
  catchUp(ms: number): Promise<void>
  /** What was counted so far. */
  counted(): Counted
  /** Saves. */
  close(): Promise<void>
}

export interface CountingOptions {
  readonly files: LedgerFiles
  readonly origin: string
  readonly clock: Clock
  /** Tells which entries are about one call. */
  readonly openObserver?: OpenObserver | undefined
}

const SAVE_MS = 5000

export function createCounting({ files, origin, clock, openObserver }: CountingOptions): Counting {
  const path = files.directory === undefined ? undefined : countsPath(files.directory)
  const stop = new AbortController()
  let state: State | undefined
  let source: Source | undefined
  let running: Promise<void> | undefined
  let savedAt = clock.elapsed()
  let saved = 0

  const counted = (): Counted => {
    const { tally, observer: _observer, ...rest } = state ?? emptyState(origin, openObserver)
    return { ...rest, counts: tally.counts() }
  }

  function save(): void {
    savedAt = clock.elapsed()
    if (path === undefined || state === undefined || state.next === saved) return
    try {
      writeCounts(path, counted())
      saved = state.next
    } catch {
      // derived, and this process may not be allowed to write there: counted again at the next start
    }
  }

  async function run(): Promise<void> {
    state ??= await openState({ files, origin, openObserver }, path)
    source ??= openSource(files, state.next)
    try {
      for (;;) {
        const lines = await source.read()
        if (lines.length === 0 || stop.signal.aborted) return
        for (const line of lines) addLine(state, line)
        if (clock.elapsed() - savedAt >= SAVE_MS) save()
      }
    } catch (e) {
      await source.close()
      source = undefined // its lines may be half counted: read again from the position
      throw e
    }
  }

  return {
    async catchUp(ms) {
      const done = new AbortController()
      running ??= run().finally(() => {
        running = undefined
      })
      running.catch(() => {}) // told to whoever still waits
      await Promise.race([running, clock.wait(ms, done.signal)]).finally(() => done.abort())
      if (clock.elapsed() - savedAt >= SAVE_MS) save()
    },
    counted,
    async close() {
      stop.abort()
      await running?.catch(() => {})
      save()
      await source?.close()
    },
  }
}

interface State extends Omit<Counted, 'counts' | 'next' | 'entryHash' | 'missed'> {
  readonly tally: Tally
  readonly observer: ActionObserver | undefined
  next: number
  entryHash: string
  missed: number
}

function emptyState(origin: string, openObserver: OpenObserver | undefined): State {
  const observer = openObserver?.()
  return { origin, next: 0, entryHash: GENESIS, missed: 0, tally: createTally(undefined, observer), observer }
}

async function openState({ files, origin, openObserver }: Omit<CountingOptions, 'clock'>, path: string | undefined): Promise<State> {
  const before = path === undefined ? undefined : readCounts(path)
  const observer = before && observerAfter(before, openObserver)
  if (!before || observer === 'none') return emptyState(origin, openObserver)
  try {
    await checkHistory(files, origin, { ...before, lost: 0 })
  } catch (e) {
    if (!SwornError.is(e, 'SINK_DIVERGED')) throw e
    return emptyState(origin, openObserver)
  }
  const { counts, ...rest } = before
  return { ...rest, tally: createTally(counts, observer), observer }
}

/** `none`: calls are to be counted once, and who counted did not or left what nobody can go on with. */
function observerAfter({ counts: { actions } }: Counted, openObserver: OpenObserver | undefined): ActionObserver | undefined | 'none' {
  try {
    return openObserver && (actions ? openObserver(actions.observed) : 'none')
  } catch {
    return 'none'
  }
}

function addLine(state: State, { seq, entryHash, bytes }: Line): void {
  state.missed += seq - state.next
  state.tally.add(eventOf(bytes, state.observer !== undefined))
  state.next = seq + 1
  state.entryHash = entryHash
}

/** Only as much of the entry as is counted: most lines need not be parsed. */
function eventOf(bytes: Buffer, hasObserver: boolean): RecordedEvent {
  const type = typeIn(bytes)
  if (type !== undefined && !DETAILED.has(type) && !(hasObserver && OF_CALLS.has(type))) return { event_type: type }
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {} // an event of type `other`: what is wrong with it is the verification's to say
  }
}
