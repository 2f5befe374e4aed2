/**
 * One event in a spool file: a line of JSON, complete or not there.
 * @module
 */
import type { Submission } from '../port/types.ts'

/** An event that waits for its ledger, with its place among those of its producer. */
export interface Waiting {
  readonly order: number
  readonly submission: Submission
}

/** What no line exceeds: an event of 1 MiB, JSON in JSON, and its rows for the vault. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const LEVELS: ReadonlySet<unknown> = new Set(['sync', 'batch', 'async'])

/** With its LF. */
export function formatLine({ order, submission }: Waiting): Buffer {
  const { json, eventId, eventType, level, sessionId, vault } = submission
  return Buffer.from(`${JSON.stringify({ order, eventId, eventType, level, sessionId, vault, json })}\n`)
}

/** Undefined for what `formatLine` did not write. Hostile: a file that anybody of this user can write. */
export function parseLine(bytes: Buffer): Waiting | undefined {
  if (bytes.length > MAX_LINE_BYTES) return undefined
  try {
    const { order, eventId, eventType, level, sessionId, vault, json } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
    if (!Number.isSafeInteger(order) || !LEVELS.has(level) || ![eventId, eventType, json].every((text) => typeof text === 'string'))
      return undefined
    if (sessionId !== undefined && typeof sessionId !== 'string') return undefined
    if (vault !== undefined && !(Array.isArray(vault) && vault.every((row) => typeof row === 'string'))) return undefined
    const submission = {
      json,
      eventId,
      eventType,
      level,
      ...(sessionId !== undefined && { sessionId }),
      ...(vault !== undefined && { vault }),
    }
    return { order: order as number, submission: submission as Submission } // every member checked above
  } catch {
    return undefined
  }
}
