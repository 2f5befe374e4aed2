/**
 * What was counted, with the position up to which: one file, whole or absent, so that neither is ever without the other.
 *
 * Several processes may write it: each of its versions is true for its own position. It is derived: whoever loses or
 * damages it has it counted anew.
 * @module
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { makeDirectory, readFile, replaceFile } from '../files.ts'
import { type Counts, RESPONSE_BOUNDS_MS } from './tally.ts'

export interface Counted {
  /** The ledger's. */
  readonly origin: string
  /** seq of the first entry that is not counted. */
  readonly next: number
  /** entry_hash of the entry before. */
  readonly entryHash: string
  /** Entries that were gone before they were counted. */
  readonly missed: number
  readonly counts: Counts
}

const amount = z.number().min(0)
const named = z.array(z.tuple([z.string(), amount]))
const schema = z.strictObject({
  format: z.literal('sworn-counts/v1'),
  origin: z.string(),
  next: z.int().min(1),
  entry_hash: z.string().regex(/^[0-9a-f]{64}$/),
  missed: z.int().min(0),
  events: named,
  decisions: named,
  violations: amount,
  patterns: named,
  approvals: named,
  dropped: amount,
  anchors: z.array(z.tuple([z.string(), amount, amount])),
  actions: z.strictObject({ seen: amount, denied: amount, observed: z.unknown() }).optional(),
  response_ms: z.strictObject({ counts: z.array(amount).length(RESPONSE_BOUNDS_MS.length + 1), sum: amount }),
})

export function countsPath(directory: string): string {
  return join(directory, 'metrics', 'counts.json')
}

/** Undefined when there is none that can be gone on with. */
export function readCounts(path: string): Counted | undefined {
  try {
    const { origin, next, entry_hash: entryHash, missed, ...rest } = schema.parse(JSON.parse(readFile(path) ?? ''))
    const { events, decisions, patterns, approvals, anchors, violations, dropped, actions, response_ms: responses } = rest
    const counts: Counts = {
      ...{ violations, dropped, actions },
      events: new Map(events),
      decisions: new Map(decisions),
      patterns: new Map(patterns),
      approvals: new Map(approvals),
      anchors: new Map(anchors.map(([target, size, notedMs]) => [target, { size, notedMs }])),
      responses: { boundsMs: RESPONSE_BOUNDS_MS, counts: responses.counts, sumMs: responses.sum },
    }
    return { origin, next, entryHash, missed, counts }
  } catch {
    return undefined // counted anew
  }
}

/** @throws SwornError IO_FAILED */
export function writeCounts(path: string, { origin, next, entryHash, missed, counts }: Counted): void {
  const { events, decisions, violations, patterns, approvals, dropped, anchors, actions, responses } = counts
  const value: z.input<typeof schema> = {
    format: 'sworn-counts/v1',
    ...{ origin, next, entry_hash: entryHash, missed, violations, dropped },
    events: [...events],
    decisions: [...decisions],
    patterns: [...patterns],
    approvals: [...approvals],
    anchors: Array.from(anchors, ([target, { size, notedMs }]) => [target, size, notedMs]),
    actions,
    response_ms: { counts: [...responses.counts], sum: responses.sumMs },
  }
  makeDirectory(dirname(path))
  replaceFile(path, `${JSON.stringify(value)}\n`, draftOf(path))
}

/** A minute is long for a write of a few kilobytes. */
const OLD_MS = 60_000

/** A draft for this process alone; those that a crash left are removed. */
function draftOf(path: string): string {
  const directory = dirname(path)
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.new'))) {
    const written = statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY
    if (Date.now() - written > OLD_MS) rmSync(join(directory, name), { force: true })
  }
  return `${path}.${process.pid}.new`
}
