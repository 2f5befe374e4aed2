/**
 * Where delivery begins, and whether the ledger is still the one that was delivered from.
 * @module
 */
import { join } from 'node:path'
import type { LedgerFiles } from '@sworn/recorder/segments'
import { asText, GENESIS, parseCheckpoint, parseNote, SwornError, toBase64 } from '@sworn/verify'
import type { Cursor } from './cursor.ts'
import { readFile } from './files.ts'
import { listNumbered } from './numbered.ts'
import { openSource, type Source } from './source.ts'

/** The first entry of the ledger, the next one, or the first with this timestamp or a later one (RFC 3339). */
export type Start = 'beginning' | 'now' | { readonly since: string }

/** `now` is the moment at which delivery was opened, not that at which it gets to a sink: what happens in between counts. */
export function startAt(start: Start, openedMs: number): Start {
  return start === 'now' ? { since: new Date(openedMs).toISOString() } : start
}

/** The seq at which a new sink begins. @throws SwornError LINE_MALFORMED; the file system's errors */
export async function findStart(files: LedgerFiles, start: Start): Promise<number> {
  if (start === 'beginning') return 0
  const source = openSource(files, await nearStart(files, start))
  try {
    const since = typeof start === 'object' ? Date.parse(start.since) : Number.POSITIVE_INFINITY
    for (;;) {
      const lines = await source.read()
      const first = lines.find(({ bytes }) => timeOf(bytes) >= since)
      if (first) return first.seq
      if (lines.length === 0) return source.next
    }
  } finally {
    await source.close()
  }
}

/** The newest segment that begins before it. */
async function nearStart(files: LedgerFiles, start: Start): Promise<number> {
  const segments = await listNumbered(files)
  if (typeof start !== 'object') return segments.at(-1)?.firstSeq ?? 0
  for (const { firstSeq } of segments.toReversed()) {
    const first = await readAt(files, firstSeq)
    if (first && timeOf(first.bytes) < Date.parse(start.since)) return firstSeq
  }
  return 0
}

/** The writer's claim, in milliseconds since 1970; NaN when there is none. */
export function timeOf(bytes: Buffer): number {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && 'timestamp' in value ? Date.parse(asText(value.timestamp)) : Number.NaN
  } catch {
    return Number.NaN // read by time only: delivery itself says that the line is no entry
  }
}

/** Entry `seq`; undefined when the ledger does not have it, or not any more. */
export async function readAt(files: LedgerFiles, seq: number): ReturnType<typeof first> {
  const source = openSource(files, seq)
  try {
    return await first(source, seq)
  } finally {
    await source.close()
  }
}

async function first(source: Source, seq: number) {
  const [line] = await source.read()
  return line?.seq === seq ? line : undefined
}

/** @throws SwornError SINK_DIVERGED when the ledger is another, was put back, or was rewritten */
export async function checkHistory(files: LedgerFiles, origin: string, cursor: Cursor): Promise<void> {
  if (cursor.origin !== origin) throw new SwornError('SINK_DIVERGED', 'another ledger was delivered to this sink', files.path)
  if (cursor.next === 0 || cursor.entryHash === GENESIS) return
  const last = cursor.next - 1
  const before = await readAt(files, last)
  if (before?.entryHash === cursor.entryHash) return
  const isPruned = !before && ((await listNumbered(files))[0]?.firstSeq ?? 0) > last
  if (isPruned) return
  const found = before ? 'the last delivered entry has another hash now' : 'the ledger ends before what was delivered'
  throw new SwornError('SINK_DIVERGED', found, `seq=${last}`)
}

/** The newest checkpoint beside the ledger, unverified; undefined when there is none that can be read. */
export function seenCheckpoint({ directory }: LedgerFiles): Cursor['checkpoint'] {
  try {
    const note = directory === undefined ? undefined : readFile(join(directory, 'checkpoint'))
    if (note === undefined) return undefined
    const { size, root } = parseCheckpoint(parseNote(note).text)
    return { size, root: toBase64(root) }
  } catch {
    return undefined // what is wrong with it is the verification's to say
  }
}
