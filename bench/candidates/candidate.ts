/**
 * What every logger looks like to the burst bench: take an event, and in the end have all of them on disk.
 * @module
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import type { AgentEvent } from '../../testkit/src/events.ts'

export interface Candidate {
  /** The call whose cost on the caller's thread is measured. Fire and forget, as a tool call would do it. */
  record(event: AgentEvent): void
  /** Called after each burst; resolves at once unless the candidate asks its caller to slow down. */
  ready(): Promise<void>
  /** Everything recorded is on disk. @throws when an event was lost */
  finish(): Promise<void>
}

/** Opens a candidate whose files lie in `dir`. */
export type OpenCandidate = (dir: string) => Promise<Candidate>

/** For those that never slow their caller down. */
export const noPressure = async (): Promise<void> => {}

/** The one fdatasync at the end for those that do none, so that all reach the disk. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  fdatasyncSync(fd)
  closeSync(fd)
}
