/**
 * Spools that processes left behind: found by whoever opens the ledger next, and handed over under the producer's own name.
 *
 *   <state>/spool/<ledger>/<owner>.<pid>.<random>.jsonl
 *
 * The name says which process owns a file: by when it started, in which namespace of pids and at which boot, so that the
 * first process of a container is not taken for that of the one before. A process that does not run any more has left it;
 * who renames it owns it then. A process that ends while it hands over leaves it in turn: what was handed over twice is
 * there once. Whoever was taken for dead and lives (another container that shares the directory) notices: `file.ts`.
 * @module
 */
import { hash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SwornError } from '@sworn/verify'
import { nodePlatform } from '../handover/platform.ts'
import type { Port } from '../port/types.ts'
import { openSpoolFile, removeUnbegun } from './file.ts'
import { type SpoolOptions, withSpool } from './port.ts'

const NAME = /^([0-9a-f]{16})\.(\d{1,10})\.[0-9a-f-]{36}\.jsonl$/

/** Where the spools of one ledger lie. @param state the state directory of this user. @param ledger its path */
export function spoolDirectory(state: string, ledger: string): string {
  return join(state, 'spool', hash('sha256', resolve(ledger)).slice(0, 32))
}

/** A file of this process's own; it does not exist yet. */
export function ownSpoolPath(directory: string): string {
  return join(directory, `${identityOf(process.pid) ?? boot()}.${process.pid}.${randomUUID()}.jsonl`)
}

export interface LeftoverOptions extends Pick<SpoolOptions, 'lost' | 'say'> {
  /** A port to the ledger under this producer's name; closed afterwards. */
  readonly open: (producerId: string) => Promise<Port>
  readonly signal: AbortSignal
}

/**
 * Hands over what others left, one file after the other. What the ledger does not take yet stays for the next.
 * Never rejects. @returns files that were handed over
 */
export async function handOverLeftovers(directory: string, options: LeftoverOptions): Promise<number> {
  let count = 0
  for (const path of findLeftovers(directory)) {
    if (options.signal.aborted) return count
    if (await handOver(path, directory, options)) count++
  }
  return count
}

function findLeftovers(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter(isLeft)
      .toSorted()
      .map((name) => join(directory, name))
  } catch {
    return [] // there is none
  }
}

function isLeft(name: string): boolean {
  const [, owner, pid] = NAME.exec(name) ?? []
  if (owner === undefined) return false
  if (!isRunning(Number(pid))) return true
  const identity = identityOf(Number(pid))
  return owner !== boot() && owner !== identity && (identity !== undefined || process.platform !== 'linux')
}

/** Names one process of this namespace for ever; undefined where that cannot be looked at. Source: proc_pid_stat(5), field 22. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return hash('sha256', JSON.stringify([nodePlatform().bootId, readlinkSync('/proc/self/ns/pid'), started])).slice(0, 16)
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM' // of node:process
  }
}

async function handOver(left: string, directory: string, options: LeftoverOptions): Promise<boolean> {
  const path = ownSpoolPath(directory)
  try {
    renameSync(left, path) // whoever is faster has it
  } catch {
    return false
  }
  try {
    return removeUnbegun(path) || (await handOverFile(path, options))
  } catch (e) {
    renameSync(path, left) // for the next who looks
    options.say?.(SwornError.is(e) ? `${e.code} ${e.message}` : 'a spool could not be handed over')
    return false
  }
}

/** @throws SwornError when the file is no spool, or the ledger cannot be opened; the file is as it was */
async function handOverFile(path: string, { open, signal, ...options }: LeftoverOptions): Promise<boolean> {
  const file = openSpoolFile(path)
  file.close()
  const port = withSpool(await open(file.producerId), { ...options, path, producerId: file.producerId }, true)
  const stopped = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => stopped.resolve(), { once: true })
  if (!signal.aborted) await Promise.race([port.drained(), stopped.promise]) // it may have ended while the ledger was opened
  await port.close()
  return !signal.aborted
}

/** Names this boot of the machine; that of a process where no more of it can be known, and for versions before. */
function boot(): string {
  return hash('sha256', nodePlatform().bootId).slice(0, 16)
}
