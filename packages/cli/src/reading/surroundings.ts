/**
 * What only the place of a ledger can tell: moved, copied, torn from its directory, not a ledger at all.
 * @module
 */
import { existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type LedgerFiles, readLines, type SegmentFile } from '@sworn/analyze/reading'
import { readTextFile } from '@sworn/recorder/reading'
import { type LogCheck, parseCheckpoint, parseLine, parseNote, type VerifyOptions } from '@sworn/verify'
import { readSignerMemory } from './notes.ts'
import type { KnownLedger } from './trusted-ledgers.ts'

const LOG_ID = /^[\w-]{22}$/
const FOREIGN_LINES = 100

/** `own`: where this user records it, or moved from there. `copy`: it lies where it was recorded too. */
export type Place = 'own' | 'copy' | 'unknown'

export function placeOf(files: LedgerFiles, known: KnownLedger | undefined): Place {
  if (!known) return 'unknown'
  const real = existsSync(files.path) ? realpathSync(files.path) : files.path
  return known.path === real || !holdsLedger(known) ? 'own' : 'copy'
}

function holdsLedger({ path, logId }: KnownLedger): boolean {
  return [path, `${path}.ledger`].some((root) => readTextFile(join(root, 'reserved.jsonl'))?.includes(`"log_id":"${logId}"`) ?? false)
}

/** What this user's state says of a ledger in its own place, as options of its verification. */
export function recall(state: string, logId: string | undefined, place: Place): Pick<VerifyOptions, 'signerNotes' | 'acknowledged'> {
  const memory = place === 'own' && logId && LOG_ID.test(logId) ? readSignerMemory(state, logId) : undefined
  return {
    ...(memory?.note !== undefined && { signerNotes: [memory.note] }),
    ...(memory?.acknowledged && { acknowledged: memory.acknowledged }),
  }
}

/** The size that a note of the signer names; 0 for none. */
export function signedSizeOf({ signerNotes }: Pick<VerifyOptions, 'signerNotes'>): number {
  try {
    return Math.max(0, ...(signerNotes ?? []).map((note) => parseCheckpoint(parseNote(note).text).size))
  } catch {
    return 0 // reported by the verification
  }
}

/** Adds the findings of the place. */
export function checkPlace(check: LogCheck, files: LedgerFiles, place: Place, known: KnownLedger | undefined, state: string): void {
  if (place === 'copy') check.add('copied', 'ledgers.json', 'one place was expected, the ledger lies where it is recorded too', 'warning')
  if (place !== 'own' || !known) return
  if (!files.directory) check.add('detached', basename(files.path), 'the directory beside the file was expected')
  const memory = LOG_ID.test(known.logId) ? readSignerMemory(state, known.logId) : undefined
  if (memory && memory.note === undefined) check.add('state_missing', 'signer state', 'the newest signed note was expected')
}

/** True when the first file holds lines, and not one of the first hundred has the form of an entry. */
export async function isForeign(first: SegmentFile | undefined): Promise<boolean> {
  let seen = 0
  if (!first) return false
  for await (const { bytes, complete } of readLines(first.path)) {
    if (isEntry(bytes) || (seen === 0 && !complete)) return false
    if (++seen === FOREIGN_LINES) break
  }
  return seen > 0
}

function isEntry(bytes: Uint8Array): boolean {
  try {
    parseLine(bytes)
    return true
  } catch {
    return false
  }
}
