/**
 * Signed notes around a ledger: in its own directory, and in this user's memory of what was signed.
 *
 * Those of the directory are as attacker-controlled as the entries. The memory (`keys/<log_id>/`) lies where whoever
 * can write the ledger should not be able to write. Source: docs/format.md, checkpoints and keys; the directory.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder/reading'

/** Notes of checkpoints.log that are looked at, the newest ones: more than a year of one an hour. */
const MAX_KEPT_NOTES = 10_000
const MAX_LENGTH_DIGITS = 8

/** The notes in the ledger's directory, each once. */
export function readNotesBeside(directory: string): string[] {
  const copies = ['checkpoint', join('.state', 'signed')].flatMap((name) => readTextFile(join(directory, name)) ?? [])
  const file = join(directory, 'checkpoints.log')
  return [...new Set([...copies, ...(existsSync(file) ? splitKeptNotes(readFileSync(file)) : [])])]
}

/** The entries of checkpoints.log, `<length> LF note`; an incomplete last one is left out, what is no entry comes whole. */
export function splitKeptNotes(bytes: Buffer): string[] {
  const notes: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const lf = bytes.indexOf(10, at)
    const length = lf < 0 ? undefined : /^[1-9][0-9]*$/.exec(bytes.toString('latin1', at, Math.min(lf, at + MAX_LENGTH_DIGITS)))?.[0]
    if (length === undefined) {
      if (lf >= 0) notes.push(bytes.toString('utf8', at))
      break
    }
    const end = lf + 1 + Number(length)
    if (end > bytes.length) break // a crash cut it
    notes.push(bytes.toString('utf8', lf + 1, end))
    at = end
  }
  return notes.slice(-MAX_KEPT_NOTES)
}

/** What this user's state directory remembers of a ledger that it signs. */
export interface SignerMemory {
  /** The newest full signed note; undefined: lost. */
  readonly note: string | undefined
  /** Entries that were on disk, and the hash of the last. */
  readonly acknowledged: { readonly size: number; readonly entryHash: string } | undefined
}

/** Undefined when the ledger is not signed here: no key of it lies in the state directory. */
export function readSignerMemory(state: string, logId: string): SignerMemory | undefined {
  const directory = join(state, 'keys', logId)
  if (!existsSync(directory) || !readdirSync(directory).some((name) => name.endsWith('.pem'))) return undefined
  const head = /^([1-9]\d{0,15}) ([0-9a-f]{64})\n$/.exec(readTextFile(join(directory, 'head')) ?? '')
  return {
    note: readTextFile(join(directory, 'signed')),
    acknowledged: head ? { size: Number(head[1]), entryHash: head[2]! } : undefined,
  }
}
