/**
 * `sworn doctor`: looks for what is wrong with this set-up; changes nothing.
 * @module
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIT_KEYS, type LoadedConfig, readTextFile } from '@sworn/recorder'
import { reportVerdict, SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { findHolder } from '../operator/holder.ts'
import { checkLedger } from '../reading/check.ts'
import { findLedger } from '../reading/layout.ts'
import { loadFor } from '../reading/location.ts'
import { escapeText } from '../text/escape.ts'
import { formatTable } from '../text/table.ts'

interface Check {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}

export const doctor = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    config: { type: 'boolean', about: 'every value in force with its origin' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn doctor --config',
  notes: ['Exit 0: nothing is wrong. 1: something is.'],
  async run([path], flags, io) {
    const config = await loadFor(io, { log_path: path })
    if (flags.config) return await printConfig(config, flags.json, io)
    const checks = [
      checkNode(),
      ...checkFiles(config),
      ...checkSecrets(config.directories.state),
      checkHolder(config),
      await checkLog(config, io),
      checkPolicy(config),
    ]
    const ok = checks.every((check) => check.ok)
    if (flags.json) await io.out(JSON.stringify({ ok, checks }))
    else {
      const rows = checks.map((check) => [check.ok ? 'ok' : 'WRONG', check.what, check.detail])
      const lines = formatTable([{ title: '' }, { title: 'CHECK' }, { title: 'FOUND', stretch: true }], rows, io.isTTY ? io.columns : 200)
      for (const line of lines.slice(1)) await io.out(line)
    }
    return ok ? 0 : 1
  },
})

async function printConfig(config: LoadedConfig, json: boolean, io: Io): Promise<ExitCode> {
  const { values, origins, files, locked, refusals } = config
  if (json) {
    await io.out(JSON.stringify({ values, origins, files, locked, refusals }))
    return 0
  }
  const set = AUDIT_KEYS.filter((key) => values[key] !== undefined)
  const rows = set.map((key) => [
    key,
    JSON.stringify(values[key]),
    `${origins[key]!.kind}${origins[key]!.kind === 'default' ? '' : ` ${origins[key]!.name}`}${locked.includes(key) ? ', locked' : ''}`,
  ])
  const columns = [{ title: 'KEY' }, { title: 'VALUE', stretch: true as const }, { title: 'FROM', stretch: true as const }]
  for (const line of formatTable(columns, rows, io.isTTY ? io.columns : 200)) await io.out(line)
  return 0
}

function checkNode(): Check {
  return { what: 'node', ok: true, detail: process.version }
}

function checkFiles(config: LoadedConfig): Check[] {
  const read = config.files.map(({ path, kind, trusted }) => ({
    what: `${kind} configuration`,
    ok: trusted || !config.refusals.some((refusal) => refusal.file === path),
    detail: `${path}${trusted ? '' : ' (not trusted; `sworn trust` after reading it)'}`,
  }))
  return read.length > 0 ? read : [{ what: 'configuration', ok: true, detail: 'no file, defaults' }]
}

/** Private keys that others can read, on systems with modes. */
function checkSecrets(state: string): Check[] {
  const directory = join(state, 'keys')
  if (!existsSync(directory)) return [{ what: 'keys', ok: true, detail: `none yet in ${directory}` }]
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const open = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
  const detail = open.length === 0 ? `${files.length} files in ${directory}, this user's only` : `others can read ${open.join(', ')}`
  return [{ what: 'keys', ok: open.length === 0, detail }]
}

/** Who holds the ledger; a stopped holder makes gates fail closed. */
function checkHolder(config: LoadedConfig): Check {
  const holder = findHolder(config.values.log_path)
  if (!holder) return { what: 'recorder', ok: true, detail: 'nobody holds the ledger' }
  const { pid, stopped } = holder
  return { what: 'recorder', ok: !stopped, detail: stopped ? `process ${pid} is stopped; gated actions are refused` : `process ${pid}` }
}

async function checkLog(config: LoadedConfig, io: Io): Promise<Check> {
  const what = 'ledger'
  try {
    const files = findLedger(config.values.log_path, io.cwd)
    const report = await checkLedger(files, { strict: false, now: io.now(), cwd: io.cwd, state: config.directories.state })
    const verdict = reportVerdict(report)
    return { what, ok: verdict.exit === 0, detail: `${files.path}: ${report.size} entries; ${verdict.lastLine}` }
  } catch (e) {
    if (SwornError.is(e, 'LEDGER_NOT_FOUND')) return { what, ok: true, detail: `none yet at ${config.values.log_path}` }
    return { what, ok: false, detail: SwornError.is(e) ? `${e.code} ${e.message}` : 'cannot be read' }
  }
}

function checkPolicy(config: LoadedConfig): Check {
  const { policy } = config.values
  if (policy === undefined) return { what: 'policy', ok: true, detail: 'none: everything is recorded, nothing is blocked' }
  const there = readTextFile(policy) !== undefined
  return {
    what: 'policy',
    ok: there,
    detail: escapeText(there ? `${policy}; \`sworn policy check\` reads it` : `${policy} does not exist: everything is blocked`),
  }
}
