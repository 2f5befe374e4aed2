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

/** The batch that was packed at `offset`; nothing of `from` is kept. */
export function unpackBatch(from: Buffer, offset: number): Submission[] {
  const [count = 0] = new Uint32Array(from.buffer, from.byteOffset + offset, 1)
  const lengths = new Uint32Array(from.buffer, from.byteOffset + offset, 2 + count)
  let at = offset + lengths.byteLength
  const words: (string | null)[] = JSON.parse(from.toString('utf8', at, at + lengths[1]!))
  at += lengths[1]!
  const batch: Submission[] = []
  for (let i = 0; i < count; i++) {
    const json = from.toString('utf8', at, at + lengths[2 + i]!)
    at += lengths[2 + i]!
    const n = LABELS_EACH * i
    const item = { json, eventId: words[n]!, eventType: words[n + 1]!, level: words[n + 2] as Level } // as labelBatch wrote them
    const sessionId = words[n + 3]
    batch.push(typeof sessionId === 'string' ? { ...item, sessionId } : item)
  }
  return batch
}
