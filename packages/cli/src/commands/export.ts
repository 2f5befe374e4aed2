/**
 * `sworn export`: entries in another format, with a manifest of what that format could not say.
 *
 * Streams. The ledger's own records stay: no dialect has them. With `--verified` the ledger is checked first, and only
 * what was checked leaves.
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import { reportVerdict, SwornError } from '@sworn/verify'
import { SELECT_FLAGS, selectEntries } from '../dialects/entries.ts'
import { type Checked, formatManifest } from '../dialects/manifest.ts'
import { EXPORT_NAMES, openTarget } from '../dialects/open-target.ts'
import { defineCommand } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { checkApart } from '../querying/output.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'
import { createUnreadable } from '../reading/unreadable.ts'
import { escapeText } from '../text/escape.ts'

export const exportCommand = defineCommand({
  args: '[PATH]',
  maxArgs: 1,
  flags: {
    dialect: { type: 'string', value: 'NAME', choices: EXPORT_NAMES, about: 'the format' },
    output: { type: 'string', short: 'o', value: 'FILE', about: 'write FILE and FILE.manifest.json instead of stdout' },
    verified: { type: 'boolean', about: 'check the ledger first; what does not hold is not exported' },
    'sign-key': { type: 'string', value: 'PEM', about: 'private key for dialects that sign: Ed25519 for sahu, P-256 for aat' },
    ...SELECT_FLAGS,
  },
  example: 'sworn export --dialect ocsf --since 1d -o day.ndjson',
  notes: [
    'docs/reference/dialects.md says what each dialect can name, where the rest goes and what is lost; so does the manifest.',
    'FILE appears whole or not at all; its lines are counted and hashed from the disk.',
  ],
  async run([path], flags, io) {
    if (flags.dialect === undefined) throw new SwornError('USAGE', 'a dialect was expected', '--dialect')
    const files = findLedger(await ledgerPath(io, path), io.cwd)
    const output = flags.output === undefined ? undefined : resolve(io.cwd, flags.output)
    if (output !== undefined) checkApart(output, files)
    const checked = flags.verified ? await checkFirst(files, io) : undefined
    if (checked === false) return 1
    const unreadable = createUnreadable(io)
    const select = { now: io.now(), below: checked?.size ?? Number.POSITIVE_INFINITY, onUnreadable: unreadable.tell }
    const { counts, entries } = await selectEntries(files, flags, select)
    const { origin } = await readOpening(files)
    const { target, dialect } = await openTarget({ name: flags.dialect, output, origin, signKey: flags['sign-key'], io })
    try {
      if (output) rmSync(`${output}.manifest.json`, { force: true }) // of an export before: it says nothing of this one
      for await (const entry of entries()) await target.write(entry)
      const exported = await target.close()
      if (output && exported) {
        const file = { name: basename(output), ...exported.file }
        const filter = filterText(flags)
        const created = new Date(io.now()).toISOString()
        const manifest = formatManifest({ dialect, counts, file, sidecar: exported.sidecar, filter, origin, checked, created })
        writeFileSync(`${output}.manifest.json`, manifest, { mode: 0o600 })
      }
    } catch (e) {
      target.discard()
      throw e
    }
    io.say('info', `${counts.events} events exported, ${counts.log_records} records of the ledger's own left out`)
    unreadable.hint()
    return unreadable.count > 0 ? 1 : 0
  },
})

/** False when the ledger does not hold; said on stderr. */
async function checkFirst(files: LedgerFiles, io: Io): Promise<Checked | false> {
  const { checkLedger } = await import('../reading/check.ts')
  const report = await checkLedger(files, { strict: false, now: io.now(), cwd: io.cwd, state: stateDirectory(io), signal: io.signal })
  const { exit, lastLine } = reportVerdict(report)
  if (exit === 0) return { level: report.pinned ? 'signed' : 'tree', verdict: lastLine, size: report.size, head: report.head }
  io.err(escapeText(`error: ${lastLine}; nothing was exported`))
  io.err('hint: `sworn verify` shows every finding')
  return false
}

/** The filters as they were given, for the manifest. */
function filterText(flags: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(SELECT_FLAGS).flatMap((name) => {
    const value = flags[name]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return []
    return [`--${name} ${String(value)}`]
  })
}
