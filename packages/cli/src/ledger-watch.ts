/**
 * The entries of an open ledger as they reach the disk, whichever process wrote them.
 *
 * What is derived from them (open questions) lags by a moment and loses nothing: where reading fails it goes on
 * from the entry that comes next. Source: design §1 law 1.
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Entry, findLedger, followLedger, listSegments, parseEntry, readLines } from '@sworn/analyze/reading'
import type { Io } from './frame/io.ts'

export interface LedgerWatch {
  /** Resolves when no further entry is handed out. */
  close(): Promise<void>
}

export interface WatchTakers {
  /** Every entry from now on, in order. Does not throw. */
  readonly now: (entry: Entry) => void
  /** Before that, those of the newest segment: what was begun lately. */
  readonly lately?: (entry: Entry) => void
}

const RETRY_MS = 2000

/** @param path of a ledger that is open @returns when the entries so far were handed out */
export async function watchLedger(path: string, { now, lately = () => {} }: WatchTakers, say: Io['say']): Promise<LedgerWatch> {
  const stop = new AbortController()
  const { signal } = stop
  let next = await readNewest(path, lately)
  let isTold = false

  async function follow(): Promise<void> {
    for await (const bytes of followLedger(findLedger(path, '/'), next, signal)) {
      const entry = parseEntry({ bytes })
      if (entry === undefined) continue
      next = entry.seq + 1
      now(entry)
    }
  }

  async function keepFollowing(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow()
      } catch {
        if (!isTold) say('warn', 'the ledger cannot be read as it is written; questions of other processes wait')
        isTold = true
        await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => {})
      }
    }
  }
  const following = keepFollowing()
  return {
    close() {
      stop.abort()
      return following
    },
  }
}

/** Hands out the entries of the newest segment; the seq that comes after them. */
async function readNewest(path: string, take: (entry: Entry) => void): Promise<number> {
  const newest = listSegments(findLedger(path, '/')).at(-1)
  let next = newest?.firstSeq ?? 0
  if (newest === undefined) return next
  for await (const line of readLines(newest.path)) {
    const entry = line.complete ? parseEntry(line) : undefined
    if (entry === undefined) continue
    next = entry.seq + 1
    take(entry)
  }
  return next
}
