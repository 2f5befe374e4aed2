/**
 * A batch as bytes: what crosses threads cheaply.
 *
 *   count u32 | bytes of the labels u32 | bytes of each payload u32 … | labels | payloads
 *
 * All numbers are of this machine's byte order; labels are JSON (eventId, eventType, level and session id or null of
 * each, flat; behind them place and rows of each submission that has rows for the vault); text is UTF-8. Promise: what `unpackBatch` reads equals what `packBatch` was given, whatever the
 * well-formed payloads contain. Source: docs/benchmarks.md, caller to worker.
 * @module
 */
import { PackedSubmission } from './packed-submission.ts'
import type { Level, Submission } from './types.ts'

const LABELS_EACH = 4
const WORD = 4
/** UTF-8 bytes of one UTF-16 unit, at most. */
const BYTES_EACH = 3

type Word = string | null | number | readonly string[]

export interface LabelledBatch {
  readonly batch: readonly Submission[]
  readonly labels: string
  /** What `packBatch` may need. */
  readonly mostBytes: number
}

export function labelBatch(batch: readonly Submission[]): LabelledBatch {
  const words: Word[] = []
  const rows: Word[] = []
  let chars = 0
  for (const { json, eventId, eventType, level, sessionId, vault } of batch) {
    if (vault) rows.push(words.length / LABELS_EACH, vault)
    words.push(eventId, eventType, level, sessionId ?? null)
    chars += json.length
  }
  if (rows.length > 0) words.push(...rows)
  const labels = JSON.stringify(words)
  return { batch, labels, mostBytes: WORD * (2 + batch.length) + BYTES_EACH * (labels.length + chars) }
}

/** Writes the batch at `offset` (a multiple of 4) and returns how many bytes it took, again a multiple of 4. */
export function packBatch({ batch, labels }: LabelledBatch, target: Buffer, offset: number): number {
  const lengths = new Uint32Array(target.buffer, target.byteOffset + offset, 2 + batch.length)
  let at = offset + lengths.byteLength
  lengths[0] = batch.length
  lengths[1] = target.write(labels, at, 'utf8')
  at += lengths[1]
  for (let i = 0; i < batch.length; i++) {
    const bytes = target.write(batch[i]!.json, at, 'utf8')
    lengths[2 + i] = bytes
    at += bytes
  }
  return Math.ceil((at - offset) / WORD) * WORD
}

/** The batch that was packed at `offset`; its payloads are copied at once, nothing of `from` is kept. */
export function unpackBatch(from: Buffer, offset: number): PackedSubmission[] {
  const [count = 0, labelBytes = 0] = new Uint32Array(from.buffer, from.byteOffset + offset, 2)
  const lengths = new Uint32Array(from.buffer, from.byteOffset + offset, 2 + count)
  const labelsAt = offset + lengths.byteLength
  const words: Word[] = JSON.parse(from.toString('utf8', labelsAt, labelsAt + labelBytes))
  const rows = words.length === LABELS_EACH * count ? undefined : rowsOf(words, LABELS_EACH * count)
  const payloads = copyOf(from, labelsAt + labelBytes, lengths)
  const batch: PackedSubmission[] = []
  for (let i = 0, at = 0; i < count; i++) {
    const n = LABELS_EACH * i
    const [eventId, eventType, level] = [words[n] as string, words[n + 1] as string, words[n + 2] as Level] // as labelBatch wrote them
    const label = { eventId, eventType, level, sessionId: (words[n + 3] as string | null) ?? undefined, vault: rows?.get(i) }
    batch.push(new PackedSubmission(payloads.subarray(at, at + lengths[2 + i]!), label))
    at += lengths[2 + i]!
  }
  return batch
}

/**
 * Frees the payloads of an answered batch now: the collector, which sees small objects alone, would let tens of MB wait.
 * Whoever reads one after all finds it empty, which the ledger refuses; never another's bytes.
 */
export function releaseBatch([first]: readonly PackedSubmission[]): void {
  first?.utf8.buffer.transfer(0)
}

function rowsOf(words: readonly Word[], from: number): ReadonlyMap<number, readonly string[]> {
  const rows = new Map<number, readonly string[]>()
  for (let n = from; n < words.length; n += 2) rows.set(words[n] as number, words[n + 1] as readonly string[]) // as labelBatch wrote them
  return rows
}

/** In memory of its own, which `releaseBatch` frees. */
function copyOf(from: Buffer, at: number, lengths: Uint32Array): Buffer<ArrayBuffer> {
  let bytes = 0
  for (let i = 2; i < lengths.length; i++) bytes += lengths[i]!
  const copy = Buffer.allocUnsafeSlow(bytes)
  from.copy(copy, 0, at, at + bytes)
  return copy
}
