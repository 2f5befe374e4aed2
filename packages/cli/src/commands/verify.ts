/**
 * `sworn verify`: the claim table. Never one "true": each level is said for itself, and what is not shown too.
 * @module
 */

import { resolve } from 'node:path'
import { readTextFile } from '@sworn/recorder/reading'
import { firstBreak, LEVELS, type LevelName, type Report, reportVerdict, SwornError, toHex } from '@sworn/verify'
import { mayBeForeign } from '../dialects/may-be-foreign.ts'
import { defineCommand } from '../frame/command.ts'
import { exitOfSignal } from '../frame/interrupted.ts'
import type { Io } from '../frame/io.ts'
import { type CheckOptions, checkLedger } from '../reading/check.ts'
import { checkPostgres, isPostgres, showPostgres } from '../reading/check-postgres.ts'
import { countCommitted } from '../reading/committed.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { findOwnLedger, parseKey } from '../reading/trusted-ledgers.ts'
import { createPaint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'
import { createProgress } from '../text/progress.ts'
import { formatWhole } from '../text/table.ts'

const REQUIRABLE = ['chain', 'signed', 'anchored', 'complete'] as const
const SHOWN_FINDINGS = 20

export const verify = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    key: { type: 'string', value: 'VKEY_OR_PEM', about: 'the key you trust, as text or as a file; for foreign logs also JWK or keyring' },
    head: { type: 'string', value: 'FILE', about: 'for foreign logs: a head assertion or checkpoint that came another way' },
    input: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      about: 'for foreign logs: what they refer to, such as the statement of a receipt',
    },
    checkpoint: { type: 'string', value: 'FILE', about: 'a signed checkpoint that you kept: the ledger has to reach it' },
    witness: { type: 'string', value: 'VKEY', multiple: true, about: 'the key of a witness or collector whose cosignatures count' },
    table: { type: 'string', about: 'for postgres://: the name of the tables; default sworn_entry' },
    origin: { type: 'string', about: 'for postgres://: which ledger, where there are several' },
    require: { type: 'string', choices: REQUIRABLE, about: 'the level that decides the exit code' },
    strict: { type: 'boolean', about: 'parse every line: I-JSON, no member twice' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn verify ./audit --require signed',
  notes: [
    'Without --key the key is the one this user has for the ledger; a ledger unknown here cannot be "signed".',
    'A pruned ledger is checked from its first entry on: tree/L0, reserved.jsonl and a signed log.prune stand for what is gone.',
    'Values that were erased are counted by their log.erasure records; with --strict also those whose content is withheld: only their digest is in the lines.',
    'Foreign logs (AAT, sahu, NOA, COSE, agent receipts, AIVS, ACTA, Gantz, Aegis, OCSF) are recognised and checked by their own rules; what --input takes: docs/reference/foreign.md.',
    'postgres://USER@HOST/DATABASE verifies the copy that a `postgres` sink made, from its rows alone; the password better in PGPASSWORD.',
    'Exit 0: the level asked for holds. 1: it does not. 3: it could not be looked at. 130: interrupted.',
  ],
  async run([path], flags, io) {
    const isCopy = isPostgres(path)
    if (!isCopy && (flags.table !== undefined || flags.origin !== undefined))
      throw new SwornError('USAGE', 'a copy in PostgreSQL was expected', '--table, --origin')
    const name = isCopy ? showPostgres(path) : await ledgerPath(io, path)
    const foreign = isCopy ? undefined : await checkForeign(name, flags, io)
    if (foreign !== undefined) return foreign
    const files = isCopy ? undefined : findOwnLedger(name, io.cwd, stateDirectory(io))
    if (flags.head !== undefined || flags.input.length > 0) throw new SwornError('USAGE', 'a foreign log was expected', '--head, --input')
    const require = flags.require as LevelName | undefined // one of the choices
    const progress = createProgress(io, flags.quiet || flags.json)
    const options: CheckOptions = {
      ...{ key: flags.key, require, strict: flags.strict, now: io.now(), cwd: io.cwd, state: stateDirectory(io) },
      ...readTrust(flags, io.cwd),
      ...{ signal: io.signal, onProgress: progress.show },
    }
    const checking = files
      ? checkLedger(files, options)
      : checkPostgres({ connection: path!, table: flags.table, origin: flags.origin }, options)
    const report = await unlessInterrupted(io.signal, checking).finally(progress.clear)
    if (!report) return exitOfSignal(io.signal)
    const verdict = reportVerdict(report, require)
    const committed = flags.strict && files ? await countCommitted(files) : undefined
    if (flags.json) await io.out(JSON.stringify({ ...toJson(report, verdict), committed }))
    else await printReport(report, verdict, { name, committed }, io)
    return verdict.exit
  },
})

/** What the flags name besides the key. @throws SwornError IO_FAILED, KEY_INVALID */
function readTrust(flags: { readonly checkpoint: string | undefined; readonly witness: readonly string[] }, cwd: string) {
  const { checkpoint, witness } = flags
  const note = checkpoint === undefined ? undefined : readTextFile(resolve(cwd, checkpoint))
  if (checkpoint !== undefined && note === undefined) throw new SwornError('IO_FAILED', 'the file does not exist', checkpoint)
  const witnesses = witness.map((text) => parseKey(text, undefined, '--witness'))
  return { ...(note !== undefined && { checkpoints: [note] }), witnesses }
}

interface ForeignFlags {
  readonly key: string | undefined
  readonly head: string | undefined
  readonly input: readonly string[]
  readonly require: string | undefined
  readonly json: boolean
}

/** The exit code for a log of another format; undefined where there is none. */
async function checkForeign(name: string, flags: ForeignFlags, io: Io): Promise<0 | 1 | undefined> {
  if (!mayBeForeign(resolve(io.cwd, name))) return undefined
  const { findForeign, foreignVerdict, readForeignKeys, readHead, readInputs } = await import('../dialects/foreign.ts')
  const found = await findForeign(resolve(io.cwd, name))
  if (!found) return undefined
  const keys = flags.key === undefined ? [] : readForeignKeys(flags.key, io.cwd)
  const head = readHead(flags.head, io.cwd)
  const inputs = readInputs(flags.input, io.cwd)
  const report = await found.check({ keys, inputs, ...(head !== undefined && { head }) })
  const verdict = foreignVerdict(report, keys.length > 0, flags.require as LevelName | undefined) // one of the choices
  const { foreignJson, printForeign } = await import('../dialects/show-foreign.ts')
  if (flags.json) await io.out(JSON.stringify(foreignJson(report, verdict)))
  else await printForeign(name, report, verdict, io)
  return verdict.exit
}

/** Undefined when the signal ended it. */
async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (e) {
    if (signal.aborted && e === signal.reason) return undefined
    throw e
  }
}

type Verdict = ReturnType<typeof reportVerdict>

function toJson(report: Report, verdict: Verdict): object {
  const { root, frontier: _, logId, ...rest } = report
  return { ok: verdict.exit === 0, verdict: verdict.lastLine, ...rest, log_id: logId, root: root && toHex(root) }
}

/** What the level says, or the first finding that breaks it. */
function detailOf(report: Report, level: LevelName): string {
  const { holds, detail } = report.levels[level]
  const broken = holds ? undefined : firstBreak(report, level)
  return broken ? `${broken.class} at ${broken.at}` : detail
}

interface Shown {
  readonly name: string
  /** Commitments in the lines, when they were counted. */
  readonly committed: number | undefined
}

/** What is not in the lines although something stands for it. */
function describeContent({ erased }: Report, committed: number | undefined): string[] {
  const values = (n: number) => `${n} committed ${n === 1 ? 'value' : 'values'}`
  const at = erased?.records.slice(0, 10).join(', ')
  const more = (erased?.records.length ?? 0) > 10 ? ', …' : ''
  const withheld = (committed ?? 0) - (erased?.targets ?? 0)
  return [
    ...(erased ? [`${values(erased.targets)} erased (log.erasure at seq=${at}${more}): the digest stands, the content is destroyed`] : []),
    ...(withheld > 0 ? [`${values(withheld)} withheld: the digest stands, the content is not in the log`] : []),
  ]
}

async function printReport(report: Report, verdict: Verdict, { name, committed }: Shown, io: Io): Promise<void> {
  const paint = createPaint(io)
  const count = report.size - report.first
  const entries = count === 1 ? '1 entry' : `${count} entries`
  await io.out(escapeText(`${name}: ${entries}, ${report.origin ?? 'unknown origin'}, ${report.hash}`))
  if (report.pruned) {
    const { policy, seq } = report.pruned
    const those = report.first === 1 ? 'seq 0 was' : `seq 0 to ${report.first - 1} were`
    await io.out(escapeText(`${those} pruned by policy ${JSON.stringify(policy)} (seq=${seq}): existence signed, content not available`))
  }
  for (const line of describeContent(report, committed)) await io.out(escapeText(line))
  const width = io.isTTY ? io.columns : Number.POSITIVE_INFINITY
  const rows = LEVELS.map((level) => [level, report.levels[level].holds ? 'holds' : 'no', detailOf(report, level)])
  for (const line of formatWhole(['CLAIM', 'HOLDS', 'DETAIL'], rows, width)) await io.out(line)
  for (const finding of report.findings.slice(0, SHOWN_FINDINGS)) {
    const colour = finding.severity === 'warning' ? paint.yellow : paint.red
    await io.out(colour(escapeText(`${finding.severity}: ${finding.class} at ${finding.at}: ${finding.message}`)))
  }
  const more = report.findings.length - SHOWN_FINDINGS + report.findingsOmitted
  if (more > 0) await io.out(`and ${more} more; --json shows up to 1,000`)
  await io.out((verdict.exit === 0 ? paint.green : paint.red)(escapeText(verdict.lastLine)))
}
