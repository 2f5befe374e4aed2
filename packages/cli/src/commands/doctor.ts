/**
 * `sworn doctor`: looks for what is wrong with this set-up; changes nothing but for the probes that sinks get.
 * @module
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIT_KEYS, type LoadedConfig } from '@sworn/recorder'
import { reportVerdict, SwornError } from '@sworn/verify'
import { findCovered } from '../agents/covered.ts'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { checkCoverage } from '../operator/coverage-check.ts'
import { findHolder } from '../operator/holder.ts'
import { type Check, checkSinks, withoutSecrets } from '../operator/sink-checks.ts'
import { checkLedger } from '../reading/check.ts'
import { loadFor } from '../reading/location.ts'
import { findOwnLedger } from '../reading/trusted-ledgers.ts'
import { escapeText } from '../text/escape.ts'
import { formatTable, formatWhole } from '../text/table.ts'

export const doctor = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    config: { type: 'boolean', about: 'every value in force with its origin' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  example: 'sworn doctor --config',
  notes: [
    'Exit 0: nothing is wrong. 1: something is.',
    'Each configured sink gets a probe, which is no entry: written, read back and removed where that can be done.',
  ],
  async run([path], flags, io) {
    const config = await loadFor(io, { log_path: path })
    if (flags.config) return await printConfig(config, flags.json, io)
    const checks = [
      checkNode(),
      ...checkFiles(config),
      ...checkSecrets(config.directories.state),
      checkHolder(config),
      await checkLog(config, io),
      await checkCoverage(config.values.log_path, io.cwd),
      await checkPolicy(config, io),
      ...(await checkSinks(config, io)),
      ...checkAgents(io),
      ...(await checkSdks(io)),
    ]
    const ok = checks.every((check) => check.ok)
    if (flags.json) await io.out(JSON.stringify({ ok, checks }))
    else {
      const rows = checks.map((check) => [check.ok ? 'ok' : 'WRONG', check.what, check.detail])
      const lines = formatWhole(['', 'CHECK', 'FOUND'], rows, io.isTTY ? io.columns : Number.POSITIVE_INFINITY)
      for (const line of lines.slice(1)) await io.out(line)
    }
    return ok ? 0 : 1
  },
})

async function printConfig(config: LoadedConfig, json: boolean, io: Io): Promise<ExitCode> {
  const { origins, files, locked, refusals } = config
  const shown = Object.entries(config.values).map(([key, value]) => [key, withoutSecrets(key, value)])
  const values: Readonly<Record<string, unknown>> = Object.fromEntries(shown)
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
  const columns = [{ title: 'KEY' }, { title: 'VALUE' }, { title: 'FROM' }]
  for (const line of formatTable(columns, rows, Number.POSITIVE_INFINITY)) await io.out(line) // nothing cut
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

/** Agents whose folder is here, by their own configuration. */
function checkAgents(io: Io): Check[] {
  return findCovered(io).map(({ agent, ok, detail }) => ({ what: agent, ok, detail: escapeText(detail) }))
}

/** SDKs that this project could load, each copy: what `sworn/register` or `instrument` would see of it. */
async function checkSdks({ cwd }: Io): Promise<Check[]> {
  const { surveyPackages } = await import('@sworn/instrument') // no other command needs it
  return surveyPackages(cwd).map(({ package: what, version, adapter, tested, path, stops }) => {
    const known = tested ? '' : ', which is not tested'
    return {
      what,
      ok: true,
      detail: escapeText(`${version}${known}: adapter ${adapter}, under sworn/register or instrument(); can stop: ${stops} (${path})`),
    }
  })
}

async function checkLog(config: LoadedConfig, io: Io): Promise<Check> {
  const what = 'ledger'
  try {
    const files = findOwnLedger(config.values.log_path, io.cwd, config.directories.state)
    const report = await checkLedger(files, { strict: false, now: io.now(), cwd: io.cwd, state: config.directories.state })
    const verdict = reportVerdict(report)
    return { what, ok: verdict.exit === 0, detail: `${files.path}: ${report.size} entries; ${verdict.lastLine}` }
  } catch (e) {
    if (SwornError.is(e, 'LEDGER_NOT_FOUND')) return { what, ok: true, detail: `none yet at ${config.values.log_path}` }
    return { what, ok: false, detail: SwornError.is(e) ? `${e.code} ${e.message}` : 'cannot be read' }
  }
}

/** Whether what decides holds, signature and roles included, as a proxy would find it. */
async function checkPolicy(config: LoadedConfig, { cwd, env }: Io): Promise<Check> {
  const what = 'policy'
  const { policy: name, roles, policy_keys: keys = [] } = config.values
  if (name === undefined && roles === undefined) return { what, ok: true, detail: 'none: everything is recorded, nothing is blocked' }
  try {
    const { planGate } = await import('../open-gate.ts')
    const reserve = () => Promise.reject(new TypeError('nothing is counted here'))
    const { policy } = await planGate(config, cwd, { env, reserve, maskKey: undefined, actsOn: ['identity', 'server'] }).open()
    const signed = keys.length > 0 ? ', signed by a key that is trusted' : ''
    return { what, ok: true, detail: escapeText(policy ? `${name}: ${policy.name}, ${policy.mode}${signed}` : `roles of ${roles}`) }
  } catch (e) {
    if (!SwornError.is(e)) throw e
    return { what, ok: false, detail: escapeText(`${e.code} ${e.message}: everything is blocked`) }
  }
}
