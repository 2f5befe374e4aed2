/**
 * Foreign logs on disk: which files are one, the keys that a user gives, and the verdict.
 *
 * A file is read whole, at most 256 MiB.
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  type AivsBundle,
  ALL_FOREIGN_FORMATS,
  checkAegisRows,
  checkAivs,
  type ForeignFinding,
  type ForeignFormat,
  type ForeignKey,
  type ForeignOptions,
  type ForeignReport,
  findBreak,
  findForeignFormat,
  parseForeignKeys,
} from '@sworn/dialects'
import { foreignPrimitives } from '@sworn/dialects/node'
import { readTextFile } from '@sworn/recorder/reading'
import { type LevelName, parseVkey, SwornError } from '@sworn/verify'
import { BUNDLE, isGzip, isSqlite } from './may-be-foreign.ts'

/** Of a log, or of the rows of a database. */
export const MAX_BYTES = 256 * 1024 * 1024
const MAX_INPUT_BYTES = 16 * 1024 * 1024
const BUNDLE_FILES = ['audit_log.jsonl', 'manifest.json', 'session_sig.txt', 'public_key.pem'] as const

/** A foreign log that was found, ready to be checked. */
export interface ForeignLog {
  readonly format: string
  check(options: Omit<ForeignOptions, 'primitives'>): Promise<ForeignReport>
}

/**
 * The foreign log at `path`, an AIVS bundle included, packed or not; undefined for everything unknown. Call it for what
 * `mayBeForeign` lets through.
 * @throws SwornError IO_FAILED when it is larger than 256 MiB, or an archive that cannot be read
 */
export async function findForeign(path: string): Promise<ForeignLog | undefined> {
  if (statSync(path).isDirectory()) return findBundle(path) ?? findBundle(join(path, BUNDLE))
  const bytes = readWhole(path)
  if (isGzip(bytes)) return toBundle(await unpack(bytes, path))
  if (isSqlite(bytes)) return openRows(path)
  const format = findForeignFormat(bytes)
  return format && toLog(format, bytes)
}

/** The log at `path` as one of the format called `name`, whatever it looks like; undefined where that has no recipe. */
export async function foreignAs(path: string, name: string): Promise<ForeignLog | undefined> {
  const format = ALL_FOREIGN_FORMATS.find((one) => one.name === name)
  const bytes = format && readWhole(path)
  return bytes && (isSqlite(bytes) ? openRows(path) : toLog(format, bytes))
}

function toLog(format: ForeignFormat, bytes: Uint8Array): ForeignLog {
  return {
    format: format.name,
    async check(options) {
      if (options.inputs?.length && !format.inputs)
        throw new SwornError('USAGE', `a foreign log that refers to other files was expected: ${format.name} has none`, '--input')
      return format.check(bytes, { primitives: foreignPrimitives, ...options })
    },
  }
}

/** Aegis's database: its rows, read once. @throws SwornError JSON_INVALID for another database */
async function openRows(path: string): Promise<ForeignLog> {
  const { readAegisRows } = await import('./aegis-sqlite.ts')
  const { lines, highest } = await readAegisRows(path, MAX_BYTES)
  const rows = Buffer.from(lines.join('\n'))
  return { format: 'aegis-rows', check: (options) => checkAegisRows(rows, { primitives: foreignPrimitives, ...options }, highest) }
}

/** The files of `session_proof/` in a packed bundle, by their names. Nothing is written, and nothing in it is run. */
async function unpack(bytes: Buffer, path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { unpackTar } = await import('modern-tar')
  try {
    const entries = await unpackTar(gunzipSync(bytes, { maxOutputLength: MAX_BYTES }))
    return new Map(entries.flatMap(({ header, data }) => (data ? [[header.name.replace(/^(?:\.\/)?(?:session_proof\/)?/, ''), data]] : [])))
  } catch (cause) {
    throw new SwornError('IO_FAILED', 'a .tar.gz of at most 256 MiB was expected', path, { cause })
  }
}

/** The bytes of a file. @throws SwornError IO_FAILED when it is larger than 256 MiB */
export function readWhole(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new SwornError('IO_FAILED', 'a file was expected', path)
    if (stat.size > MAX_BYTES) throw new SwornError('IO_FAILED', 'a foreign log of at most 256 MiB was expected', path)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function findBundle(folder: string): ForeignLog | undefined {
  const files = BUNDLE_FILES.filter((name) => existsSync(join(folder, name)))
  return toBundle(new Map(files.map((name) => [name, readWhole(join(folder, name))])))
}

function toBundle(files: ReadonlyMap<string, Uint8Array>): ForeignLog | undefined {
  const log = files.get('audit_log.jsonl')
  if (!log || !files.has('manifest.json')) return undefined
  const bundle: AivsBundle = { ...Object.fromEntries(BUNDLE_FILES.map((name) => [name, files.get(name)])), 'audit_log.jsonl': log }
  return { format: 'aivs', check: (options) => checkAivs(bundle, { primitives: foreignPrimitives, ...options }) }
}

/**
 * The keys of a `--key`: a verifier key, or a file or text with a PEM key, a JWK or a keyring.
 * @throws SwornError KEY_INVALID, which names the option and never the text
 */
export function readForeignKeys(given: string, cwd: string): ForeignKey[] {
  const text = (readTextFile(resolve(cwd, given)) ?? given).trim()
  try {
    return isVkey(text) ? [{ algorithm: 'Ed25519', publicKey: parseVkey(text).publicKey }] : parseForeignKeys(text)
  } catch (e) {
    if (!SwornError.is(e, 'KEY_INVALID')) throw e
    throw new SwornError('KEY_INVALID', e.message, '--key', { cause: e })
  }
}

function isVkey(text: string): boolean {
  return /^[^+\s]+\+[0-9a-f]{8}\+\S+$/.test(text)
}

/** A head assertion or checkpoint. @throws SwornError IO_FAILED when the file is not there */
export function readHead(file: string | undefined, cwd: string): string | undefined {
  if (file === undefined) return undefined
  const text = readTextFile(resolve(cwd, file))
  if (text === undefined) throw new SwornError('IO_FAILED', 'there is no such file', file)
  return text
}

/** Documents that a log refers to, of at most 16 MiB each. @throws SwornError IO_FAILED */
export function readInputs(files: readonly string[], cwd: string): Buffer[] {
  return files.map((file) => {
    const path = resolve(cwd, file)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat?.isFile() || stat.size > MAX_INPUT_BYTES) throw new SwornError('IO_FAILED', 'a file of at most 16 MiB was expected', file)
    return readWhole(path)
  })
}

export interface ForeignVerdict {
  readonly exit: 0 | 1
  readonly lastLine: string
}

/** What the report comes to at the level asked for: the strongest that the format and what was given allow, by default. */
export function foreignVerdict(report: ForeignReport, pinned: boolean, require?: LevelName): ForeignVerdict {
  const asked = require ?? (pinned && report.claims.signed.possible ? 'signed' : report.claims.chain.possible ? 'chain' : 'bytes')
  const { holds, possible, detail } = report.claims[asked]
  if (!holds) return { exit: 1, lastLine: `${asked} does not hold: ${(possible && describe(findBreak(report.findings, asked))) || detail}` }
  if (report.findings[0]) return { exit: 1, lastLine: `${asked} holds, but ${describe(report.findings[0])}` }
  const limit = asked === 'signed' || report.claims.signed.holds ? '' : '; who wrote it is not shown'
  return { exit: 0, lastLine: `${asked} holds: ${detail}${limit}` }
}

function describe(finding: ForeignFinding | undefined): string | undefined {
  return finding && `${finding.class}${finding.record === undefined ? '' : ` at record ${finding.record}`}, ${finding.message}`
}
