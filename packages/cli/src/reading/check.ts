/**
 * Runs the verifier over a ledger's files, and adds what only the verifier's own state can tell.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '@sworn/recorder'
import { type Finding, type LevelName, parseVkey, type Report, type VerifierKey, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { parseEntry } from './entry.ts'
import { type LedgerFiles, listSegments } from './layout.ts'
import { openSegment, readLines } from './lines.ts'
import { findKnown, type KnownLedger, type Opening, readKey, readKnownLedgers } from './trusted-ledgers.ts'

export interface CheckOptions {
  /** As given with `--key`. */
  readonly key?: string | undefined
  readonly require?: LevelName | undefined
  readonly strict: boolean
  readonly now: number
  readonly cwd: string
  /** The state directory with ledgers.json. */
  readonly state: string
}

/** @throws SwornError KEY_INVALID; IO_FAILED; LEDGER_FOREIGN_FILE for an unknown format */
export async function checkLedger(files: LedgerFiles, options: CheckOptions): Promise<Report> {
  const opening = await readOpening(files)
  const known = findKnown(readKnownLedgers(options.state), files.path, opening)
  const trust: VerifierKey | undefined = options.key ? readKey(options.key, options.cwd, opening.origin) : known && parseVkey(known.vkey)
  const report = await verifyLog(readBytes(files), {
    primitives: nodePrimitives,
    ...(trust && { trust }),
    ...(options.require && { require: options.require }),
    strict: options.strict,
    now: options.now,
    inProgressTail: files.directory !== undefined && existsSync(join(files.directory, 'log.sock')),
    checkpoints: findNotes(files),
  })
  return withRollback(report, known, files)
}

/** The first line, unverified. */
export async function readOpening(files: LedgerFiles): Promise<Opening> {
  const first = listSegments(files)[0]
  if (!first) return {}
  for await (const line of readLines(first.path)) {
    const entry = parseEntry(line)
    if (entry?.event_type !== 'log.open') return {}
    return {
      ...(typeof entry.origin === 'string' && { origin: entry.origin }),
      ...(typeof entry.log_id === 'string' && { logId: entry.log_id }),
    }
  }
  return {}
}

async function* readBytes(files: LedgerFiles): AsyncGenerator<Uint8Array> {
  for (const segment of listSegments(files)) yield* openSegment(segment.path)
}

/** The newest signed notes beside the log. Attacker-controlled. */
function findNotes(files: LedgerFiles): string[] {
  const { directory } = files
  if (!directory) return []
  const found = [join(directory, 'checkpoint'), join(directory, '.state', 'signed')].flatMap((path) => readTextFile(path) ?? [])
  return [...new Set(found)]
}

/** A ledger at its own path that is shorter than what was signed for it before is a rollback. */
function withRollback(report: Report, known: KnownLedger | undefined, files: LedgerFiles): Report {
  if (!known || report.size >= known.signedSize || findKnown([known], files.path, {}) === undefined) return report
  const message = `${known.signedSize} entries were signed here before, ${report.size} found`
  const finding: Finding = { class: 'rollback', severity: 'finding', at: 'ledgers.json', message }
  const broken = { holds: false, detail: message }
  const { levels } = report
  return {
    ...report,
    findings: [...report.findings, finding],
    levels: {
      ...levels,
      tree: { ...levels.tree, ...broken },
      signed: { ...levels.signed, ...broken },
      anchored: { ...levels.anchored, holds: false },
    },
  }
}
