/**
 * Runs the verifier over a ledger's files, with what its surroundings and the verifier's own state can tell.
 * @module
 */
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { type LedgerFiles, listSegments } from '@sworn/analyze/reading'
import { createLogCheck, type LevelName, parseVkey, type Report, type VerifierKey, type VerifyOptions } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { type FeedOptions, feedSegments, followTail } from './feed.ts'
import { readNotesBeside } from './notes.ts'
import { readFirst, readOpening } from './opening.ts'
import { feedPruned, readReserved } from './pruned.ts'
import { checkPlace, isForeign, placeOf, recall, signedSizeOf } from './surroundings.ts'
import { findKnown, readKey, readKnownLedgers } from './trusted-ledgers.ts'

export interface CheckOptions extends FeedOptions {
  /** As given with `--key`. */
  readonly key?: string | undefined
  readonly require?: LevelName | undefined
  readonly strict: boolean
  /** Signed notes that the verifier kept: the log has to reach them. */
  readonly checkpoints?: readonly string[] | undefined
  /** Keys of witnesses whose cosignatures count. */
  readonly witnesses?: readonly VerifierKey[] | undefined
  readonly now: number
  readonly cwd: string
  /** The state directory with ledgers.json and keys. */
  readonly state: string
  /** What the signer remembers is left aside: it is to be made anew. */
  readonly withoutMemory?: boolean | undefined
}

/**
 * @throws SwornError KEY_INVALID; IO_FAILED; NODE_TOO_OLD; LEDGER_FOREIGN_FILE for an unknown format; the reason that
 *   `signal` was aborted with
 */
export async function checkLedger(files: LedgerFiles, options: CheckOptions): Promise<Report> {
  const before = listing(files)
  const report = await checkOnce(files, options)
  // A recorder that rotates meanwhile moves lines from one name to another.
  return report.findings.length > 0 && listing(files) !== before ? await checkOnce(files, options) : report
}

/** What the command line asks of a verification, whatever is read. */
export function toVerifyOptions(options: CheckOptions, trust: VerifierKey | undefined): Omit<VerifyOptions, 'primitives'> {
  const { require, strict, now, checkpoints, witnesses = [] } = options
  return {
    ...(trust && { trust }),
    ...(require && { require }),
    ...(checkpoints && { checkpoints }),
    ...(witnesses.length > 0 && { witness: { witnesses } }),
    strict,
    now,
  }
}

function listing(files: LedgerFiles): string {
  return listSegments(files)
    .map(({ path }) => `${path} ${statSync(path, { throwIfNoEntry: false })?.ino}`)
    .join('\n')
}

async function checkOnce(files: LedgerFiles, options: CheckOptions): Promise<Report> {
  const opening = await readOpening(files)
  const known = findKnown(readKnownLedgers(options.state), files.path, opening)
  const place = options.withoutMemory ? 'unknown' : placeOf(files, known)
  const trust = options.key ? readKey(options.key, options.cwd, opening.origin) : known && parseVkey(known.vkey)
  const base = { primitives: nodePrimitives, ...toVerifyOptions(options, trust) }
  if (files.activeFile && (await isForeign(listSegments(files)[0]))) return foreignReport(base, files)
  // Notes first: what they cover is in the segments that are listed after them, also while a recorder goes on.
  const beside = files.directory ? readNotesBeside(files.directory) : []
  const notes = {
    checkpoints: [...beside, ...(options.checkpoints ?? [])],
    ...(files.directory && { reserved: readReserved(files.directory) }),
  }
  const memory = recall(options.state, known?.logId ?? opening.logId, place)
  const check = createLogCheck({ ...base, ...notes, ...memory })
  checkPlace(check, files, place, known, options.state)
  const segments = listSegments(files)
  feedPruned(check, files.directory, await firstSeq(files))
  const end = await feedSegments(check, segments, options)
  const inProgress = await followTail(check, segments.at(-1), end, files.directory)
  if (place === 'own' && known && known.signedSize > Math.max(check.size, signedSizeOf(memory)))
    check.add('rollback', 'ledgers.json', `${known.signedSize} entries were signed here before, found ${check.size}`)
  if (check.size === 0 && !inProgress) check.add('record_malformed', 'seq=0', 'log.open was expected, found no entry')
  return check.finish(inProgress)
}

/** The position of the first entry by the name of its segment; in file mode by its log.segment. */
async function firstSeq(files: LedgerFiles): Promise<number> {
  const named = listSegments(files)[0]?.firstSeq
  if (named !== undefined) return named
  const first = await readFirst(files)
  return first?.event_type === 'log.segment' ? first.seq : 0
}

function foreignReport(base: VerifyOptions, files: LedgerFiles): Promise<Report> {
  const check = createLogCheck(base)
  check.add('foreign_file', basename(files.path), 'entries of an agent audit log were expected')
  return check.finish()
}
