/**
 * `sworn sinks reconcile`: what a sink holds against the ledger, and what is said of it.
 * @module
 */
import { findLedger, type LedgerFiles } from '@sworn/analyze/reading'
import { listSinks, type Named, type Reconciliation, reconcile, type SinkPlan, sinkPlaces } from '@sworn/deliver'
import { SwornError } from '@sworn/verify'
import type { ExitCode } from '../frame/command.ts'
import type { Io } from '../frame/io.ts'
import { VERSION } from '../frame/version.ts'
import { planConfigured } from '../open-delivery.ts'
import { loadFor } from '../reading/location.ts'
import { readOpening } from '../reading/opening.ts'

/** The sink of this name in the configuration in force. @throws SwornError CONFIG_INVALID */
export async function findPlan(path: string, origin: string, name: string, io: Io): Promise<SinkPlan> {
  const plans = await planConfigured({ config: await loadFor(io), info: { path, origin }, stdout: io.stdout, say: io.say })
  const plan = plans.find((one) => one.name === name)
  if (!plan) throw new SwornError('CONFIG_INVALID', 'a sink of this name was expected in the configuration', 'audit.sinks')
  return plan
}

/** Where a sink's state lies. @throws SwornError LEDGER_DETACHED; USAGE when no sink of this name was delivered to */
export function placeOf({ directory, path }: LedgerFiles, name: string): string {
  if (directory === undefined) throw new SwornError('LEDGER_DETACHED', 'a lone file has no place for what was delivered', path)
  if (listSinks(directory).includes(name)) return directory
  throw new SwornError('USAGE', 'the name of a sink was expected; `sworn sinks status` lists them', 'NAME')
}

/** @param path of the ledger, absolute. @throws SwornError as `reconcile` and `placeOf`; CONFIG_INVALID */
export async function reconcileSink(path: string, name: string, json: boolean, io: Io): Promise<ExitCode> {
  const files = findLedger(path, '/')
  const directory = placeOf(files, name)
  const { origin = '' } = await readOpening(files)
  const plan = await findPlan(path, origin, name, io)
  const found = await reconcile({ files, origin, version: VERSION, plan, places: sinkPlaces(directory, name), signal: io.signal })
  const equal = isEqual(found) && found.tree?.holds !== false
  if (json) await io.out(JSON.stringify({ ok: equal, sink: name, ...toJson(found) }))
  else for (const line of describe(found, name)) await io.out(line)
  return equal ? 0 : 1
}

function isEqual({ missing, extra, altered, unplaced }: Reconciliation): boolean {
  return missing.count + extra.count + altered.count + unplaced === 0
}

function toJson({ findsExtra, ...found }: Reconciliation): object {
  return { ...found, finds_extra: findsExtra }
}

const CLAIMS = {
  lines: 'the exact lines of the ledger',
  bodies: 'byte for byte what would be sent now',
  values: 'as JSON values what would be sent now',
  presence: 'only that something is there: each record of this format names the one before',
} as const

function describe(found: Reconciliation, name: string): readonly string[] {
  const { claim, equal, missing, extra, altered, unplaced, parked, waiting, unknown, findsExtra, tree } = found
  return [
    `${name}: ${equal === 1 ? '1 entry' : `${equal} entries`} as they should be; compared: ${CLAIMS[claim]}`,
    ...named('missing', missing, parked > 0 ? `; ${parked} are parked` : ''),
    ...named('altered', altered),
    ...named('extra', extra),
    ...(unplaced > 0 ? [`extra, of no entry of this ledger: ${unplaced}`] : []),
    ...(unknown > 0 ? [`not to be told, pruned here: ${unknown}`] : []),
    ...(waiting > 0 ? [`not delivered yet: ${waiting}`] : []),
    ...(findsExtra ? [] : ['what was never sent would not be found: this sink is asked entry by entry']),
    ...describeTree(tree, isEqual(found)),
  ]
}

function named(what: string, { count, seqs }: Named, rest = ''): readonly string[] {
  if (count === 0) return []
  return [`${what}: ${count} (seq ${seqs.slice(0, 20).join(', ')}${count > 20 ? ', …' : ''})${rest}`]
}

function describeTree(tree: Reconciliation['tree'], equal: boolean): readonly string[] {
  if (tree && !tree.holds)
    return [`the ledger's own lines do not give the root of its checkpoint of size ${tree.size}: run \`sworn verify\``]
  return tree && equal ? [`the tree over what it holds is that of the ledger's checkpoint of size ${tree.size}, root ${tree.root}`] : []
}
