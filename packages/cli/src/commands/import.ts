/**
 * `sworn import`: a log of another format becomes events, after it was checked by its own rules.
 *
 * The check's result is recorded first, as an event; then every record, marked as reported by somebody else. Whatever
 * is secret is masked on the way in, as in any event. A second import of the same file changes nothing.
 * @module
 */
import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { DIALECTS, type Dialect, type Event, type ForeignReport } from '@sworn/dialects'
import { ERRORS, type LevelName, SwornError, text } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { foreignAs, foreignVerdict, MAX_BYTES, readForeignKeys, readHead, readWhole } from '../dialects/foreign.ts'
import { importReport, toImported } from '../dialects/import.ts'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { openFor } from '../opening.ts'
import { escapeText } from '../text/escape.ts'

const READABLE = DIALECTS.filter((dialect) => dialect.openReader)
const SQLITE = 'aegis-sqlite'
const NAMES = [...READABLE.map(({ name }) => name), SQLITE]
const WAITING = 1000

export const importCommand = defineCommand({
  args: 'FILE [PATH]',
  maxArgs: 2,
  flags: {
    dialect: { type: 'string', value: 'NAME', choices: NAMES, about: 'the format' },
    key: { type: 'string', value: 'KEY', about: 'the key you trust, for formats that are signed: PEM, JWK or keyring' },
    head: { type: 'string', value: 'FILE', about: 'a head assertion that came another way' },
    require: { type: 'string', choices: ['chain', 'signed', 'complete'], about: 'import nothing unless this claim of the log holds' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn import agent-audit.jsonl --dialect gantz ./audit',
  notes: [
    'The first event is an instrumentation_report with the claims of the log; each other event has source.kind import, vantage reported.',
    'What an event has no member for is kept in metadata.ext.<dialect>, so that `sworn export` gives the record back.',
    'Exit 1: the log does not hold, a record could not be read, or another one came before under its event_id. The others are imported all the same, unless --require says otherwise.',
  ],
  async run([file, path], flags, io) {
    if (file === undefined) throw new SwornError('USAGE', 'a file to import was expected')
    const dialect = READABLE.find(({ name }) => name === (flags.dialect === SQLITE ? 'aegis-rows' : flags.dialect))
    if (!dialect) throw new SwornError('USAGE', 'a dialect was expected', '--dialect')
    const source = await readSource(resolve(io.cwd, file), flags.dialect === SQLITE)
    const checked = await check(resolve(io.cwd, file), dialect, flags, io)
    if (checked?.refused) {
      io.err(escapeText(`error: ${checked.refused}; nothing was imported`))
      return 1
    }
    const records = readAll(source.lines, dialect, file, io)
    const first = importReport(dialect, { name: basename(file), sha256: source.sha256, lines: source.lines.length }, checked?.report)
    const events = records.map(({ event, place }) => toImported(event, dialect, source.sha256, place))
    const refused = await recordAll([first, ...events], path, source.sha256, io)
    const findings = checked ? checked.report.findings.length + checked.report.findingsOmitted : 0
    const unreadable = source.lines.length - records.length
    await say({ imported: events.length - refused, unreadable, refused, findings, verdict: checked?.lastLine }, flags.json, io)
    return findings > 0 || unreadable > 0 || refused > 0 ? 1 : 0
  },
})

interface Source {
  readonly sha256: string
  readonly lines: readonly string[]
}

/** @throws SwornError IO_FAILED; JSON_INVALID when the file is not UTF-8, or no database where one was expected; NODE_TOO_OLD */
async function readSource(path: string, isDatabase: boolean): Promise<Source> {
  const bytes = readWhole(path)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (isDatabase) {
    const { readAegisRows } = await import('../dialects/aegis-sqlite.ts')
    return { sha256, lines: (await readAegisRows(path, MAX_BYTES)).lines }
  }
  const lines = decode(bytes, path)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
  return { sha256, lines: lines.filter((line) => line.trim() !== '') }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return text(bytes)
  } catch {
    throw new SwornError('JSON_INVALID', 'UTF-8 was expected', path)
  }
}

interface CheckFlags {
  readonly key: string | undefined
  readonly head: string | undefined
  readonly require: string | undefined
}

/** Undefined when the format has nothing to check; `refused` when --require asks for more than holds. */
async function check(
  path: string,
  dialect: Dialect,
  flags: CheckFlags,
  io: Io,
): Promise<{ report: ForeignReport; lastLine: string; refused?: string } | undefined> {
  const found = await foreignAs(path, dialect.name)
  if (!found) {
    if (flags.require) throw new SwornError('USAGE', `${dialect.name} has no means to be checked`, '--require')
    return undefined
  }
  const keys = flags.key === undefined ? [] : readForeignKeys(flags.key, io.cwd)
  const head = readHead(flags.head, io.cwd)
  const report = await found.check({ keys, ...(head !== undefined && { head }) })
  const { exit, lastLine } = foreignVerdict(report, keys.length > 0, flags.require as LevelName | undefined) // one of the choices
  return { report, lastLine, ...(flags.require && exit === 1 && { refused: lastLine }) }
}

/** The records that can be read; the others are named. */
function readAll(lines: readonly string[], dialect: Dialect, file: string, io: Io): { event: Event; place: number }[] {
  const read = dialect.openReader!({ primitives: nodePrimitives }) // READABLE
  const codes = new Set<string>()
  const records = lines.flatMap((line, i) => {
    try {
      return [{ event: read(line), place: i + 1 }]
    } catch (e) {
      if (!SwornError.is(e)) throw e
      if (!codes.has(e.code)) io.err(`hint: ${ERRORS[e.code]}`)
      codes.add(e.code)
      io.err(escapeText(`error: ${e.code} ${e.message} (at ${file}:${i + 1})`))
      return []
    }
  })
  return records
}

/** @returns how many had the id of another record of this file: of a ledger that has its own events once more, imported, say */
async function recordAll(events: readonly Event[], path: string | undefined, sha256: string, io: Io): Promise<number> {
  const { recorder } = await openFor(io, { path, forOthers: true, shortLived: true, producerId: `import-${sha256.slice(0, 32)}` })
  let refused = 0
  const record = async (event: Event): Promise<void> => {
    try {
      await recorder.record(event, { level: 'batch', required: true })
    } catch (e) {
      if (!SwornError.is(e, 'EVENT_ID_CONFLICT')) throw e
      refused++
    }
  }
  try {
    for (let at = 0; at < events.length; at += WAITING) await Promise.all(events.slice(at, at + WAITING).map(record))
    await recorder.flush()
  } finally {
    await recorder.close()
  }
  return refused
}

interface Outcome {
  readonly imported: number
  readonly unreadable: number
  readonly refused: number
  readonly findings: number
  readonly verdict: string | undefined
}

async function say({ imported, unreadable, refused, findings, verdict }: Outcome, json: boolean, io: Io): Promise<void> {
  const ok = findings === 0 && unreadable === 0 && refused === 0
  if (json) await io.out(JSON.stringify({ ok, imported, unreadable, refused, findings, verdict: verdict ?? null }))
  else {
    const left = [
      ...(unreadable > 0 ? [`${unreadable} records could not be read`] : []),
      ...(refused > 0 ? [`${refused} left out: another record came under its event_id before`] : []),
    ]
    await io.out([`${imported} events imported`, ...left].join(', '))
    await io.out(escapeText(verdict ?? 'the format has no integrity of its own: nothing of it was checked'))
  }
}
