/**
 * `sworn keys`: the keys of this user's ledgers. Shows public halves only; private keys never leave their files.
 * @module
 */
import { resolve } from 'node:path'
import { findLedger } from '@sworn/analyze/reading'
import { parseVkey, SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { adoptState } from '../operator/adopt-state.ts'
import { ledgerPath, stateDirectory } from '../reading/location.ts'
import { findKnown, type KnownLedger, readKnownLedgers, toPublicKey } from '../reading/trusted-ledgers.ts'
import { escapeText } from '../text/escape.ts'
import { formatTable } from '../text/table.ts'

export const keys = defineCommand({
  args: 'list | show [PATH] | export [PATH] | adopt [PATH]',
  maxArgs: 2,
  flags: {
    json: { type: 'boolean', about: 'one JSON object' },
    yes: { type: 'boolean', short: 'y', about: 'adopt without being asked' },
  },
  example: 'sworn keys export ./audit > audit-public.pem',
  notes: [
    'list: every ledger known here. show: the verifier key of one. export: the same as a PEM public key.',
    'adopt: accept a ledger as it is after its signer state was lost.',
  ],
  async run([action = 'list', path], flags, io) {
    const rows = readKnownLedgers(stateDirectory(io))
    if (action === 'list') {
      if (flags.json) await io.out(JSON.stringify({ ledgers: rows.map(toJson) }))
      else await printList(rows, io)
      return 0
    }
    if (action === 'adopt') return await adopt(await ledgerPath(io, path), flags.yes, io)
    if (action !== 'show' && action !== 'export') throw new SwornError('USAGE', 'list, show, export or adopt was expected')
    const row = findKnown(rows, resolve(io.cwd, await ledgerPath(io, path)), {})
    if (!row) throw new SwornError('LEDGER_NOT_FOUND', 'no ledger of this user is known at this path', path ?? '')
    if (action === 'show') await io.out(flags.json ? JSON.stringify(toJson(row)) : row.vkey)
    else await io.out(toPem(row.vkey))
    return 0
  },
})

async function adopt(path: string, yes: boolean, io: Io): Promise<ExitCode> {
  const files = findLedger(path, io.cwd)
  const question = 'Entries beyond the newest checkpoint may have been lost. Accept the ledger as it is?'
  if (!yes && !io.canAsk) throw new SwornError('USAGE', 'nobody can be asked here; pass --yes to accept the ledger as it is', path)
  if (!yes && !(await io.confirm(question))) return 1
  const { size, entries } = await adoptState(files, stateDirectory(io), io.now())
  await io.out(escapeText(`adopted ${files.path}: ${entries} entries, signed up to ${size}`))
  return 0
}

function toJson(row: KnownLedger): object {
  return { path: row.path, log_id: row.logId, vkey: row.vkey, signed_size: row.signedSize }
}

async function printList(rows: readonly KnownLedger[], io: Io): Promise<void> {
  const columns = [{ title: 'LEDGER', stretch: true as const }, { title: 'SIGNED UP TO' }, { title: 'VERIFIER KEY' }]
  const cells = rows.map((row) => [row.path, String(row.signedSize), row.vkey])
  for (const line of formatTable(columns, cells, io.isTTY ? io.columns : 400)) await io.out(line)
}

function toPem(vkey: string): string {
  return toPublicKey(parseVkey(vkey)).export({ format: 'pem', type: 'spki' }).toString().trimEnd()
}
