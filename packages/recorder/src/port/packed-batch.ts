/**
 * A batch as bytes: what crosses threads cheaply.
 *
 *   count u32 | bytes of the labels u32 | bytes of each payload u32 … | labels | payloads
 *
 * All numbers are of this machine's byte order; labels are JSON (eventId, eventType, level and session id or null of
 * each, flat); text is UTF-8. Promise: what `unpackBatch` reads equals what `packBatch` was given, whatever the
 * well-formed payloads contain. Source: docs/benchmarks.md, caller to worker.
 * @module
 */
import { PackedSubmission } from './packed-submission.ts'
import type { Level, Submission } from './types.ts'

const LABELS_EACH = 4
const WORD = 4
/** UTF-8 bytes of one UTF-16 unit, at most. */
const BYTES_EACH = 3

export interface LabelledBatch {
  readonly batch: readonly Submission[]
  readonly labels: string
  /** What `packBatch` may need. */
  readonly mostBytes: number
}

export function labelBatch(batch: readonly Submission[]): LabelledBatch {
  const words: (string | null)[] = []
  let chars = 0
  for (const { json, eventId, eventType, level, sessionId } of batch) {
    words.push(eventId, eventType, level, sessionId ?? null)
    chars += json.length
  }
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
  const words: (string | null)[] = JSON.parse(from.toString('utf8', labelsAt, labelsAt + labelBytes))
  const payloads = copyOf(from, labelsAt + labelBytes, lengths)
  const batch: PackedSubmission[] = []
  for (let i = 0, at = 0; i < count; i++) {
    const n = LABELS_EACH * i
    const label = { eventId: words[n]!, eventType: words[n + 1]!, level: words[n + 2] as Level, sessionId: words[n + 3] ?? undefined } // as labelBatch wrote them
    batch.push(new PackedSubmission(payloads.subarray(at, at + lengths[2 + i]!), label))
    at += lengths[2 + i]!
  }
  return batch
}

function copyOf(from: Buffer, at: number, lengths: Uint32Array): Buffer {
  let bytes = 0
  for (let i = 2; i < lengths.length; i++) bytes += lengths[i]!
  const copy = Buffer.allocUnsafeSlow(bytes)
  from.copy(copy, 0, at, at + bytes)
  return copy
}
