/**
 * A submission whose payload stays the bytes that crossed: the appender hashes and writes these and rarely reads them.
 * @module
 */
import type { Item } from './group-commit.ts'
import type { Level, Submission } from './types.ts'

export class PackedSubmission implements Item {
  readonly utf8: Buffer<ArrayBuffer>
  readonly eventId: string
  readonly eventType: string
  readonly level: Level
  readonly sessionId: string | undefined
  readonly vault: readonly string[] | undefined
  readonly producerId: string

  constructor(utf8: Buffer<ArrayBuffer>, { eventId, eventType, level, sessionId, vault }: Omit<Submission, 'json'>, producerId = '') {
    this.utf8 = utf8
    this.eventId = eventId
    this.eventType = eventType
    this.level = level
    this.sessionId = sessionId
    this.vault = vault
    this.producerId = producerId
  }

  /** Decoded at each call. */
  get json(): string {
    return this.utf8.toString('utf8')
  }

  /** For a socket: what a plain submission holds. */
  toJSON(): Submission {
    const { json, eventId, eventType, level, sessionId, vault } = this
    return { json, eventId, eventType, level, ...(sessionId !== undefined && { sessionId }), ...(vault && { vault }) }
  }
}

/** The same submission as that of a producer. */
export function itemOf(submission: Submission, producerId: string): Item {
  if (submission instanceof PackedSubmission) return new PackedSubmission(submission.utf8, submission, producerId)
  return { ...submission, producerId }
}
