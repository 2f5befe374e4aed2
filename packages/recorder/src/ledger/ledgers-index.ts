/**
 * `ledgers.json`: which ledger lies at which path, under which key, and up to which size it was signed.
 *
 * An index and the default trust store of `verify`; the keys themselves lie in `keys/<log_id>/`.
 * Written by temporary file and rename after reading it again, so that two ledgers merge their rows.
 * @module
 */
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import type { Env, Identity } from './core.ts'
import type { FileOps } from './file-ops.ts'
import { makeDirectory, readFile, writeNew } from './files.ts'

const FILE = 'ledgers.json'
const MAX_ATTEMPTS = 1000

export interface KnownLedger {
  readonly log_id: string
  readonly vkey: string
  /** The highest signed size known here. */
  readonly signed_size: number
}

/** Absolute real path → ledger. @throws SwornError IO_FAILED when the file is not what we wrote */
export function readLedgers(ops: FileOps, home: string): ReadonlyMap<string, KnownLedger> {
  const path = join(home, FILE)
  const bytes = readFile(ops, path)
  if (!bytes || bytes.length === 0) return new Map()
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null && Object.values(value).every(isKnown)) return new Map(Object.entries(value))
  } catch {
    // reported below without quoting the file
  }
  throw new SwornError('IO_FAILED', 'an object of ledgers by path was expected', path)
}

/** Where a ledger was found, and where it was before. */
export interface Place {
  readonly path: string
  readonly movedFrom?: string
}

/** @throws SwornError LEDGER_ROLLBACK when this path held a ledger before, LEDGER_NOT_FOUND when none may be made */
export function checkNew(env: Env, path: string): void {
  if (env.requireExisting) throw new SwornError('LEDGER_NOT_FOUND', 'a ledger was required to exist', env.layout.path)
  if (env.creation.previousLog) return // the operator decided
  if (readLedgers(env.ops, env.home).has(path))
    throw new SwornError('LEDGER_ROLLBACK', 'a ledger was here before and is gone', env.layout.path)
}

/**
 * Compares what lies here with what is known of it.
 *
 * @throws SwornError LEDGER_COPIED when the same ledger still lies at its old path, LEDGER_FORK when it has another key
 */
export function checkPlace(env: Env, path: string, identity: Identity): Place {
  for (const [other, row] of readLedgers(env.ops, env.home)) {
    if (row.log_id !== identity.logId) continue
    if (row.vkey !== identity.vkey) throw new SwornError('LEDGER_FORK', 'the ledger is known under another key', env.layout.path)
    if (other === path) return { path }
    if (holdsLedger(env, other, identity))
      throw new SwornError('LEDGER_COPIED', 'the same ledger lies at its old path too', env.layout.path)
    return { path, movedFrom: other }
  }
  return { path }
}

/** Remembers the ledger under this path alone. */
export function rememberPlace(env: Env, place: Place, identity: Identity, signedSize: number): void {
  makeDirectory(env.ops, env.home)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const seen = env.ops.stat(join(env.home, FILE))?.ino
    const rows = new Map(readLedgers(env.ops, env.home))
    const before = rows.get(place.path)
    if (before?.log_id === identity.logId && before.signed_size === signedSize) return
    for (const [other, row] of rows) if (row.log_id === identity.logId) rows.delete(other)
    rows.set(place.path, { log_id: identity.logId, vkey: identity.vkey, signed_size: signedSize })
    if (replaceUnchanged(env, rows, seen)) return
  }
  throw new SwornError('IO_FAILED', 'other processes write it without end', join(env.home, FILE))
}

/** Other ledgers of this user write their rows too: false when one did since `seen` was read. */
function replaceUnchanged({ ops, home, random }: Env, rows: ReadonlyMap<string, KnownLedger>, seen: bigint | undefined): boolean {
  const path = join(home, FILE)
  const temporary = `${path}.${Buffer.from(random(4)).toString('hex')}`
  writeNew(ops, temporary, Buffer.from(`${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`), { durable: true })
  if (ops.stat(path)?.ino !== seen) {
    ops.unlink(temporary)
    return false
  }
  ops.rename(temporary, path)
  ops.syncDirectory(home)
  return true
}

/** True when the kept log.open at `path` names this ledger. */
function holdsLedger(env: Env, path: string, identity: Identity): boolean {
  return [path, `${path}.ledger`].some((root) => {
    const found = env.ops.stat(root)
    if (!found?.directory) return false
    return readFile(env.ops, join(root, 'reserved.jsonl'))?.includes(`"log_id":"${identity.logId}"`) ?? false
  })
}

function isKnown(value: unknown): value is KnownLedger {
  if (typeof value !== 'object' || value === null) return false
  const { log_id, vkey, signed_size } = value as Record<string, unknown> // checked right here
  return typeof log_id === 'string' && typeof vkey === 'string' && Number.isSafeInteger(signed_size)
}
