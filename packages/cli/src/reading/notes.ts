/**
 * Signed notes around a ledger: in its own directory, and in this user's memory of what was signed.
 *
 * Those of the directory are as attacker-controlled as the entries. The memory (`keys/<log_id>/`) lies where whoever
 * can write the ledger should not be able to write. Source: docs/format.md, checkpoints and keys; the directory.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readEnd } from '@sworn/analyze/reading'
import { readTextFile, splitKeptNotes } from '@sworn/recorder/reading'
import type { NamedNote } from '@sworn/verify'

/** Notes of checkpoints.log that are looked at, the newest ones: more than a year of one an hour. */
const MAX_KEPT_NOTES = 10_000
const MAX_NOTE_BYTES = 1 << 20
const MAX_ANCHORS = 64
const ANCHOR = /^[a-z0-9][a-z0-9_.-]{0,63}$/
/** Of checkpoints.log, its end: more than those notes take. */
const MAX_KEPT_BYTES = 64 << 20

/** The notes in the ledger's directory, each once and with the first file that holds it. What stands in the place of one comes as it is, a directory or a pipe as ''. */
export function readNotesBeside(directory: string): NamedNote[] {
  const copies = ['checkpoint', join('.state', 'signed'), ...anchorsOf(directory)].flatMap((name) =>
    nameNote(name, readEnd(join(directory, name), MAX_NOTE_BYTES)?.toString()),
  )
  const kept = readEnd(join(directory, 'checkpoints.log'), MAX_KEPT_BYTES)
  const all = [
    ...copies,
    ...(kept ? splitKeptNotes(kept).notes.slice(-MAX_KEPT_NOTES) : []).flatMap((note) => nameNote('checkpoints.log', note)),
  ]
  return [...new Map(all.toReversed().map((found) => [found.note, found])).values()].toReversed() // the first of each counts
}

const nameNote = (name: string, note: string | undefined): NamedNote[] => (note === undefined ? [] : [{ name, note }])

/** Cosigned notes, those on their way into the log too. */
function anchorsOf(directory: string): readonly string[] {
  return [join('.state', 'anchors'), join('.state', 'anchors', 'inbox')].flatMap((folder) =>
    listFolder(join(directory, folder)).flatMap((name) => (ANCHOR.test(name) ? [join(folder, name)] : [])),
  )
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .flatMap((entry) => (entry.isFile() ? [entry.name] : []))
      .slice(0, MAX_ANCHORS)
  } catch {
    return [] // nothing was anchored
  }
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
