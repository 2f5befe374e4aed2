/**
 * `sworn sinks`: how far each sink is, whether it holds what it was sent, and sending again what was refused or lost.
 *
 * One process delivers a ledger: where one runs it is asked by a file, else this command delivers itself.
 * @module
 */
import { resolve } from 'node:path'
import { findLedger } from '@sworn/analyze/reading'
import { openDelivery, readSinkStatus, type SinkStatus, sinkPlaces, writeRequest } from '@sworn/deliver'
import { acquireDelivery } from '@sworn/recorder/reading'
import { SwornError } from '@sworn/verify'
import { defineCommand, type ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { VERSION } from '../frame/version.ts'
import { findPlan, placeOf, reconcileSink } from '../operator/reconcile.ts'
import { loadFor } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'
import { escapeText } from '../text/escape.ts'
import { formatTable } from '../text/table.ts'

export const sinks = defineCommand({
  args: 'status [PATH] | replay NAME [PATH] | reconcile NAME [PATH]',
  maxArgs: 3,
  flags: {
    json: { type: 'boolean', about: 'one JSON object' },
    from: { type: 'string', value: 'SEQ', about: 'replay: deliver again from this entry on, instead of what is parked' },
  },
  example: 'sworn sinks status',
  notes: [
    'status: how far each sink is behind, what is parked, what keeps it. Exit 1 when one is in trouble, has parked or lost entries.',
    'replay: send the entries again that a sink refused, or with --from everything from there on.',
    'reconcile: ask the sink what it holds and compare: missing, altered and extra entries are named. Exit 1 when it differs.',
  ],
  async run([action = 'status', ...rest], flags, io) {
    if (action === 'status' && rest.length <= 1) return await status(await ledgerOf(rest[0], io), flags.json, io)
    const [name, path] = rest
    if (name === undefined || (action !== 'replay' && action !== 'reconcile'))
      throw new SwornError('USAGE', 'status, replay NAME or reconcile NAME was expected')
    if (action === 'reconcile') return await reconcileSink(await ledgerOf(path, io), name, flags.json, io)
    return await replay(await ledgerOf(path, io), name, parseSeq(flags.from), io)
  },
})

async function ledgerOf(path: string | undefined, io: Io): Promise<string> {
  return resolve(io.cwd, path ?? (await loadFor(io)).values.log_path)
}

async function status(path: string, json: boolean, io: Io): Promise<ExitCode> {
  const found = await readSinkStatus(path, io.now())
  if (json) await io.out(JSON.stringify({ sinks: found.map(toJson) }))
  else if (found.length === 0) await io.out('nothing was delivered from this ledger')
  else await printTable(found, io)
  return found.some(({ trouble, parked, lost }) => trouble !== undefined || parked > 0 || lost > 0) ? 1 : 0
}

function toJson({ name, next, behind, behindSeconds, parked, lost, trouble }: SinkStatus): object {
  return { name, next, behind, behind_seconds: behindSeconds, parked, lost, ...(trouble && { trouble }) }
}

async function printTable(found: readonly SinkStatus[], io: Io): Promise<void> {
  const columns = ['SINK', 'NEXT', 'BEHIND', 'SECONDS', 'PARKED', 'LOST'].map((title) => ({ title }))
  const cells = found.map(({ name, next, behind, behindSeconds, parked, lost, trouble }) => [
    ...[name, ...[next, behind, behindSeconds, parked, lost].map(String)],
    trouble ? escapeText(`${trouble.reason}; ${trouble.tries} tries since ${trouble.since}`) : '',
  ])
  for (const line of formatTable([...columns, { title: 'TROUBLE', stretch: true as const }], cells, io.isTTY ? io.columns : 400))
    await io.out(line)
}

function parseSeq(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new SwornError('USAGE', 'the number of an entry was expected', '--from')
  return Number(text)
}

/** How long this command delivers at most, where nobody else does. */
const REPLAY_MS = 600_000

async function replay(path: string, name: string, from: number | undefined, io: Io): Promise<ExitCode> {
  const files = findLedger(path, '/')
  const directory = placeOf(files, name)
  const request = () => writeRequest(sinkPlaces(directory, name).request, from === undefined ? {} : { from })
  const lock = await acquireDelivery(directory)
  if (lock === undefined) {
    request()
    await io.out('asked the process that delivers this ledger')
    return 0
  }
  await lock.release()
  const { origin = '' } = await readOpening(files)
  const plan = await findPlan(path, origin, name, io)
  request()
  const delivery = openDelivery({ path, origin, version: VERSION, sinks: [plan] })
  try {
    await delivery.settled(REPLAY_MS)
  } finally {
    await delivery.close()
  }
  return await status(path, false, io)
}
