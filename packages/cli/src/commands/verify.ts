/**
 * `sworn verify`: the claim table. Never one "true": each level is said for itself, and what is not shown too.
 * @module
 */
import { firstBreak, LEVELS, type LevelName, type Report, reportVerdict, toHex } from '@sworn/verify'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { checkLedger } from '../reading/check.ts'
import { findLedger } from '../reading/layout.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { createPaint } from '../text/colour.ts'
import { escapeText } from '../text/escape.ts'
import { createProgress } from '../text/progress.ts'
import { formatTable } from '../text/table.ts'

const REQUIRABLE = ['chain', 'signed', 'anchored', 'complete'] as const
const SHOWN_FINDINGS = 20
/** As shells count: 128 and the signal's number. */
const INTERRUPTED = 130
const TERMINATED = 143

export const verify = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    key: { type: 'string', value: 'VKEY_OR_PEM', about: 'the key you trust, as text or as a file' },
    require: { type: 'string', choices: REQUIRABLE, about: 'the level that decides the exit code' },
    strict: { type: 'boolean', about: 'parse every line: I-JSON, no member twice' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn verify ./audit --require signed',
  notes: [
    'Without --key the key is the one this user has for the ledger; a ledger unknown here cannot be "signed".',
    'A pruned ledger is checked from its first entry on: tree/L0, reserved.jsonl and a signed log.prune stand for what is gone.',
    'Exit 0: the level asked for holds. 1: it does not. 3: it could not be looked at. 130: interrupted.',
  ],
  async run([path], flags, io) {
    const name = await ledgerPath(io, path)
    const files = findLedger(name, io.cwd)
    const require = flags.require as LevelName | undefined // one of the choices
    const progress = createProgress(io, flags.quiet || flags.json)
    const options = { key: flags.key, require, strict: flags.strict, now: io.now(), cwd: io.cwd, state: stateDirectory(io) }
    const report = await unlessInterrupted(
      io.signal,
      checkLedger(files, { ...options, signal: io.signal, onProgress: progress.show }),
    ).finally(progress.clear)
    if (!report) return io.signal.reason === 'SIGTERM' ? TERMINATED : INTERRUPTED
    const verdict = reportVerdict(report, require)
    if (flags.json) await io.out(JSON.stringify(toJson(report, verdict)))
    else await printReport(report, verdict, name, io)
    return verdict.exit
  },
})

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
  const { root, logId, ...rest } = report
  return { ok: verdict.exit === 0, verdict: verdict.lastLine, ...rest, log_id: logId, root: root && toHex(root) }
}

/** What the level says, or the first finding that breaks it. */
function detailOf(report: Report, level: LevelName): string {
  const { holds, detail } = report.levels[level]
  const broken = holds ? undefined : firstBreak(report, level)
  return broken ? `${broken.class} at ${broken.at}` : detail
}

async function printReport(report: Report, verdict: Verdict, name: string, io: Io): Promise<void> {
  const paint = createPaint(io)
  const count = report.size - report.first
  const entries = count === 1 ? '1 entry' : `${count} entries`
  await io.out(escapeText(`${name}: ${entries}, ${report.origin ?? 'unknown origin'}, ${report.hash}`))
  if (report.pruned) {
    const { policy, seq } = report.pruned
    const those = report.first === 1 ? 'seq 0 was' : `seq 0 to ${report.first - 1} were`
    await io.out(escapeText(`${those} pruned by policy ${JSON.stringify(policy)} (seq=${seq}): existence signed, content not available`))
  }
  const width = io.isTTY ? io.columns : 200
  const rows = LEVELS.map((level) => [level, report.levels[level].holds ? 'holds' : 'no', detailOf(report, level)])
  const table = formatTable([{ title: 'CLAIM' }, { title: 'HOLDS' }, { title: 'DETAIL', stretch: true }], rows, width)
  for (const line of table) await io.out(line)
  for (const finding of report.findings.slice(0, SHOWN_FINDINGS)) {
    const colour = finding.severity === 'warning' ? paint.yellow : paint.red
    await io.out(colour(escapeText(`${finding.severity}: ${finding.class} at ${finding.at}: ${finding.message}`)))
  }
  const more = report.findings.length - SHOWN_FINDINGS + report.findingsOmitted
  if (more > 0) await io.out(`and ${more} more; --json shows up to 1,000`)
  await io.out((verdict.exit === 0 ? paint.green : paint.red)(escapeText(verdict.lastLine)))
}
