/**
 * Runs the verifier over a copy in PostgreSQL: the rows' lines in order, the checkpoints beside them.
 *
 * The copy is as attacker-controlled as any file. What this user's own signer remembers is not held against it: a copy
 * may be behind. `--checkpoint` is how somebody says how far it has to reach. No message holds the connection.
 * @module
 */
import type { PostgresCopy } from '@sworn/deliver'
import { createLogCheck, isJsonObject, type JsonValue, type LogCheck, parseVkey, type Report, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { type CheckOptions, toVerifyOptions } from './check.ts'
import { findKnown, type Opening, readKey, readKnownLedgers } from './trusted-ledgers.ts'

export interface PostgresPlace {
  /** A DSN. */
  readonly connection: string
  /** Default `sworn_entry`. */
  readonly table?: string | undefined
  /** Which ledger, where the tables hold several. */
  readonly origin?: string | undefined
}

const CHUNK_BYTES = 1 << 18

export function isPostgres(path: string | undefined): path is string {
  return path !== undefined && /^postgres(ql)?:\/\//.test(path)
}

/** Host and database, for people. @throws SwornError USAGE; the text is not repeated, it may hold a password */
export function showPostgres(connection: string): string {
  const url = URL.parse(connection)
  if (!url || url.host === '') throw new SwornError('USAGE', 'postgres://USER@HOST:PORT/DATABASE was expected', 'PATH')
  return `postgres://${url.host}${url.pathname}`
}

/** @throws SwornError SINK_UNREADABLE, DRIVER_MISSING, USAGE, CONFIG_INVALID, KEY_INVALID; what `signal` was aborted with */
export async function checkPostgres({ connection, table = 'sworn_entry', origin }: PostgresPlace, options: CheckOptions): Promise<Report> {
  const { openPostgresCopy } = await import('@sworn/deliver')
  const copy = await openPostgresCopy({ connection, table })
  try {
    return await check(copy, await chooseOrigin(copy, origin), options)
  } finally {
    await copy.close()
  }
}

async function chooseOrigin(copy: PostgresCopy, wanted: string | undefined): Promise<string> {
  const origins = await copy.origins()
  const [only] = origins
  if (wanted !== undefined && origins.includes(wanted)) return wanted
  if (wanted === undefined && only !== undefined && origins.length === 1) return only
  const there = origins.length === 0 ? 'there is none' : `there are ${origins.slice(0, 10).join(', ')}`
  throw new SwornError('USAGE', `the origin of a ledger was expected; ${there}`, '--origin')
}

async function check(copy: PostgresCopy, origin: string, options: CheckOptions): Promise<Report> {
  const checkpoints = await copy.notes(origin)
  let log: LogCheck | undefined
  let held: Buffer[] = []
  let bytes = 0
  const flush = async () => {
    await log?.feed(Buffer.concat(held))
    held = []
    bytes = 0
  }
  for await (const { line } of copy.rows(origin, { from: 0, to: Number.POSITIVE_INFINITY }, options.signal)) {
    log ??= begin(line, checkpoints, options)
    const one = Buffer.from(`${line}\n`)
    held.push(one)
    bytes += one.length
    if (bytes >= CHUNK_BYTES) await flush()
  }
  log ??= begin('', checkpoints, options)
  await flush()
  if (log.size === 0) log.add('record_malformed', 'seq=0', 'log.open was expected, found no entry')
  return log.finish()
}

/** @param line the first one: it says of which ledger the copy claims to be */
function begin(line: string, checkpoints: readonly string[], options: CheckOptions): LogCheck {
  const opening = readOpening(line)
  const known = findKnown(readKnownLedgers(options.state), '', opening)
  const trust = options.key ? readKey(options.key, options.cwd, opening.origin) : known && parseVkey(known.vkey)
  const base = toVerifyOptions(options, trust)
  return createLogCheck({ primitives: nodePrimitives, ...base, checkpoints: [...checkpoints, ...(base.checkpoints ?? [])] })
}

function readOpening(line: string): Opening {
  try {
    const entry: JsonValue = JSON.parse(line)
    const { event_type: type, origin, log_id: logId } = isJsonObject(entry) ? entry : {}
    if (type !== 'log.open') return {}
    return { ...(typeof origin === 'string' && { origin }), ...(typeof logId === 'string' && { logId }) }
  } catch {
    return {} // the verification says what is wrong with it
  }
}
