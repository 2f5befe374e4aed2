/**
 * `sworn report`: what happened in a period, as a page, and which entries are evidence for which control.
 *
 * The ledger is checked first, because a report of a forged ledger is a forged report; the claims stand in it.
 * @module
 */
import { resolve } from 'node:path'
import { type AlertsSection, rulesOf } from '@sworn/analyze/alerts'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import { createReport, FRAMEWORKS, type Report, toIntegrity } from '@sworn/analyze/report'
import { type OpenSource, openSource } from '@sworn/analyze/source'
import { reportVerdict, SwornError, type Report as Verification } from '@sworn/verify'
import { defineCommand, type Values } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { checkApart, checkFolder } from '../querying/output.ts'
import { loadFor, stateDirectory } from '../reading/location.ts'
import { createUnreadable, type UnreadableLines } from '../reading/unreadable.ts'
import { copyEntries } from '../report/copy.ts'
import { chooseFormat, FORMATS, formatReport, writeWhole } from '../report/format.ts'
import { openSampling } from '../report/sampling.ts'
import { escapeText } from '../text/escape.ts'
import { createProgress } from '../text/progress.ts'
import { parseTime } from '../text/time.ts'

const FLAGS = {
  since: { type: 'string', value: 'TIME', about: 'not older than 1h, 2d, a date or RFC 3339' },
  until: { type: 'string', value: 'TIME', about: 'older than this' },
  framework: {
    type: 'string',
    value: 'NAME',
    choices: FRAMEWORKS.map(({ id }) => id),
    about: 'which entries are evidence for its controls',
  },
  subject: { type: 'string', value: 'USER', about: 'one person: their processing, and with jsonl a copy of their entries' },
  format: { type: 'string', choices: FORMATS, about: "default: by FILE's name, else md" },
  json: { type: 'boolean', about: 'same as --format json' },
  output: { type: 'string', short: 'o', value: 'FILE', about: 'write to FILE instead of stdout' },
  key: { type: 'string', value: 'VKEY_OR_PEM', about: 'the key you trust, as for sworn verify' },
  unchecked: { type: 'boolean', about: 'do not check the ledger first; the report says so' },
} as const

export const report = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: FLAGS,
  example: 'sworn report --since 24h -o day.html',
  notes: [
    'html is one file without script that loads nothing; md and json hold the same figures.',
    'A framework report shows evidence for controls, with samples that the root fixes and their proofs. It never says that anything is compliant.',
    'Exit 0: done, and the ledger holds. 1: it does not hold, or lines are no entries; the report is written and says so. 130: interrupted.',
  ],
  run: ([path], flags, io) => run(path, flags, io),
})

async function run(path: string | undefined, flags: Values<typeof FLAGS>, io: Io): Promise<0 | 1> {
  const output = flags.output === undefined ? undefined : resolve(io.cwd, flags.output)
  const format = chooseFormat(flags.json ? 'json' : flags.format, output, flags.subject)
  const period = readPeriod(flags, io.now())
  const config = await loadFor(io)
  const section: AlertsSection = config.values.alerts ?? {} // checked by its room when it was read
  const files = findLedger(path ?? config.values.log_path, io.cwd)
  if (output !== undefined) checkApart(output, files)
  const verification = flags.unchecked ? undefined : await check(files, flags, io)
  const unreadable = createUnreadable(io)
  if (output !== undefined) await checkFolder(output)
  const isWhole = flags.subject === undefined && period.since === undefined && period.until === undefined
  const source = await open(files, { isWhole, unreadable, quiet: flags.quiet }, io)
  try {
    if (format === 'jsonl') {
      const count = await copyEntries(source, { ...period, subject: flags.subject ?? '', output, verification }, io)
      io.say('info', `${count} entries copied`)
    } else {
      const made = await make({ source, files, flags, period, verification, unreadable, rules: rulesOf(section) }, io)
      const text = formatReport(made, format)
      if (output === undefined) await io.out(text.trimEnd())
      else writeWhole(output, text)
    }
  } finally {
    source.close()
  }
  return exitCode(verification, unreadable, io)
}

interface Period {
  readonly since: number | undefined
  readonly until: number | undefined
}

/** @throws SwornError USAGE for a time that cannot be read, or a period that ends before it begins */
function readPeriod(flags: Values<typeof FLAGS>, now: number): Period {
  const since = flags.since === undefined ? undefined : parseTime(flags.since, now, '--since')
  const until = flags.until === undefined ? undefined : parseTime(flags.until, now, '--until')
  if (since !== undefined && until !== undefined && until <= since)
    throw new SwornError('USAGE', 'a time after --since was expected', '--until')
  return { since, until }
}

async function check(files: LedgerFiles, { key, quiet, json }: Values<typeof FLAGS>, io: Io): Promise<Verification> {
  const { checkLedger } = await import('../reading/check.ts')
  const progress = createProgress(io, quiet || json)
  const options = { key, strict: false, now: io.now(), cwd: io.cwd, state: stateDirectory(io), signal: io.signal }
  return checkLedger(files, { ...options, onProgress: progress.show }).finally(progress.clear)
}

interface Opening {
  /** Every line is read here anyway: an index, or threads that look through them first, would only cost. */
  readonly isWhole: boolean
  readonly unreadable: UnreadableLines
  readonly quiet: boolean
}

async function open(files: LedgerFiles, { isWhole, unreadable, quiet }: Opening, io: Io): Promise<OpenSource> {
  const progress = createProgress(io, quiet)
  return openSource(files, {
    ...(isWhole && { index: false, threads: 1 }),
    signal: io.signal,
    onProgress: progress.show,
    onNotice: (text) => io.say('info', text),
    onUnreadable: unreadable.tell,
  }).finally(progress.clear)
}

interface Making {
  readonly source: OpenSource
  readonly files: LedgerFiles
  readonly flags: Values<typeof FLAGS>
  readonly period: Period
  readonly verification: Verification | undefined
  readonly unreadable: UnreadableLines
  readonly rules: ReturnType<typeof rulesOf>
}

async function make({ source, files, flags, period, verification, unreadable, rules }: Making, io: Io): Promise<Report> {
  const framework = FRAMEWORKS.find(({ id }) => id === flags.framework)
  const sampling = framework && verification ? await openSampling(files.directory, verification) : undefined
  const integrity = verification ? toIntegrity(verification) : null
  const about = {
    subject: flags.subject,
    framework,
    sampling,
    integrity,
    rules,
    now: io.now(),
    signal: io.signal,
    unreadable: () => unreadable.count,
  }
  try {
    return await createReport(source, { ...period, ...about })
  } finally {
    sampling?.check?.close()
  }
}

function exitCode(verification: Verification | undefined, unreadable: UnreadableLines, io: Io): 0 | 1 {
  const verdict = verification && reportVerdict(verification)
  if (verdict && verdict.exit !== 0) {
    io.err(escapeText(`error: ${verdict.lastLine}`))
    io.err('hint: `sworn verify` shows every finding')
  }
  unreadable.hint()
  return unreadable.count > 0 || (verdict && verdict.exit !== 0) ? 1 : 0
}
