/**
 * Legal holds by command: kept beside the keys, recorded in the ledger.
 *
 * The order is the one that holds longer: a hold counts before it is recorded, and its release is recorded before it ends.
 * @module
 */
import { addHold, type Hold, readHolds, releaseHold } from '@sworn/analyze/retention'
import type { LoadedConfig } from '@sworn/recorder'
import { SwornError } from '@sworn/verify'
import type { Io } from '../frame/io.ts'
import { openFor } from '../opening.ts'
import { escapeText } from '../text/escape.ts'
import { formatTable } from '../text/table.ts'

interface HoldFlags {
  readonly name: string | undefined
  readonly where: string | undefined
  readonly reason: string | undefined
  readonly json: boolean
}

export interface HoldPlace {
  readonly config: LoadedConfig
  /** `keys/<log_id>`. */
  readonly keys: string
}

const MAX_REASON = 1024

/** @throws SwornError USAGE, FILTER_INVALID; what opening the ledger throws */
export async function runHold(action: string, { name, where, reason, json }: HoldFlags, { config, keys }: HoldPlace, io: Io): Promise<0> {
  if (action === 'list') return await list(readHolds(keys), json, io)
  if (action !== 'add' && action !== 'release') throw new SwornError('USAGE', 'hold list, hold add or hold release was expected')
  if (!name || !reason || reason.length > MAX_REASON)
    throw new SwornError('USAGE', `a name, and --reason of at most ${MAX_REASON} characters, were expected`)
  if (action === 'add') {
    if (!where) throw new SwornError('USAGE', '--where with the entries that are to be held was expected')
    const hold = { name, where, reason, since: new Date(io.now()).toISOString() }
    addHold(keys, hold)
    await record(config, { action: 'add', ...hold }, io)
  } else {
    const hold = readHolds(keys).find((one) => one.name === name)
    if (hold) await record(config, { action: 'release', name, where: hold.where, reason }, io)
    releaseHold(keys, name)
  }
  await io.out(
    json ? JSON.stringify({ ok: true, action, name }) : escapeText(`legal hold ${name} ${action === 'add' ? 'added' : 'released'}`),
  )
  return 0
}

async function record(config: LoadedConfig, hold: Readonly<Record<string, string>>, io: Io): Promise<void> {
  const { recorder } = await openFor(io, { path: config.values.log_path, here: true })
  try {
    await recorder.record(
      { event_type: 'config_reloaded', target: 'legal_hold', metadata: { source: 'sworn retain', hold } },
      { level: 'sync', required: true },
    )
  } finally {
    await recorder.close()
  }
}

async function list(holds: readonly Hold[], json: boolean, io: Io): Promise<0> {
  if (json) await io.out(JSON.stringify({ holds }))
  else if (holds.length === 0) await io.out('no legal hold')
  else {
    const columns = [{ title: 'HOLD' }, { title: 'SINCE' }, { title: 'WHERE', stretch: true as const }, { title: 'REASON' }]
    const rows = holds.map(({ name, since, where, reason }) => [name, since, where, reason])
    for (const line of formatTable(columns, rows, io.isTTY ? io.columns : 400)) await io.out(line)
  }
  return 0
}
