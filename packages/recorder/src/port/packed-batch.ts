/**
 * A batch as one string and a few numbers: what crosses threads cheaply.
 *
 * Structured clone pays per object and per string; one string is one copy. Promise:
 * `unpackBatch(packBatch(b))` equals `b`, whatever the payloads contain.
 * Source: docs/benchmarks.md, caller to worker.
 * @module
 */
import type { Level, Submission } from './types.ts'

export interface PackedBatch {
  /** All payloads, one after another. */
  readonly text: string
  /** UTF-16 units of each payload. */
  readonly lengths: Uint32Array
  /** JSON: eventId, eventType, level and session id (or null) of each, flat. */
  readonly labels: string
}

const LABELS_EACH = 4

export function packBatch(batch: readonly Submission[]): PackedBatch {
  const labels: (string | null)[] = []
  const lengths = new Uint32Array(batch.length)
  let text = ''
  for (const [n, item] of batch.entries()) {
    text += item.json
    lengths[n] = item.json.length
    labels.push(item.eventId, item.eventType, item.level, item.sessionId ?? null)
  }
  return { text, lengths, labels: JSON.stringify(labels) }
}

export function unpackBatch({ text, lengths, labels }: PackedBatch): Submission[] {
  const words: (string | null)[] = JSON.parse(labels)
  let at = 0
  return Array.from(lengths, (length, n) => {
    const json = text.slice(at, at + length)
    at += length
    const [eventId, eventType, level, sessionId] = words.slice(n * LABELS_EACH, (n + 1) * LABELS_EACH)
    const item = { json, eventId: eventId!, eventType: eventType!, level: level as Level } // as packBatch wrote them
    return typeof sessionId === 'string' ? { ...item, sessionId } : item
  })
}
