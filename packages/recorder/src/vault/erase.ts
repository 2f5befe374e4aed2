/**
 * Erasure of one subject: its key is destroyed, then what was sealed under it goes, and the ledger says so.
 *
 * Order: key overwritten, unlinked, synced; log.erasure on disk and signed; rows out of the vault; torn tails that name
 * the subject. From the first step on nothing that was committed can be read, here or in any copy of the vault. The rows are the
 * list of what is left to do: a crash between two steps is finished by the next erasure of the same subject, which
 * names no target twice. No line is changed: chain, tree and every proof stay as they were.
 * Source: docs/format.md, "Committed values".
 * @module
 */
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import { checkpoint } from '../ledger/checkpoints.ts'
import { linkReserved, sync } from '../ledger/commit.ts'
import type { Core, Env } from '../ledger/core.ts'
import { readFile } from '../ledger/files.ts'
import { findIdentity } from '../ledger/identity.ts'
import { keyLayout } from '../ledger/layout.ts'
import { createEnv, type LedgerOptions } from '../ledger/options.ts'
import { parseReserved } from '../ledger/reserved.ts'
import { eachLine, tryLine } from '../ledger/scan.ts'
import { listSegments } from '../ledger/segments.ts'
import { digestsIn, mayCommit } from './digests.ts'
import { openRow, type VaultRow } from './row.ts'
import { dropRows, eachRow } from './store.ts'
import { createSubjectKeys, type SubjectKeys, subjectIdOf } from './subject-keys.ts'

export interface ErasureRequest {
  /** Whose data, as the events named it. */
  readonly subject: string
  /** Why: said in log.erasure. It must not name the subject. */
  readonly basis: string
  readonly requestId: string
  /** Who erases. */
  readonly actor: string
  /** Derived stores that have forgotten already, and those that could not. */
  readonly confirmed?: readonly string[]
  readonly unconfirmed?: readonly string[]
}

export interface ErasureTarget {
  readonly seq: number
  /** JSON pointer in the record. */
  readonly pointer: string
}

export interface ErasurePlan {
  /** Committed values of the subject that a record names, in order of seq. */
  readonly targets: readonly ErasureTarget[]
  /** Rows in the vault, of these and of values that no record names. */
  readonly rows: number
  /** A key that can still read them. */
  readonly key: boolean
  /** Torn tails in quarantine that name the subject or one of its values. */
  readonly quarantined: number
  /** Records whose event holds the subject's name itself, as a word: it was not committed there and stays. At most the first 100. */
  readonly inClear: { readonly records: number; readonly first: readonly number[] }
}

export interface Erasure extends ErasurePlan {
  /** seq of each log.erasure that was written; none when everything had been said and done before. */
  readonly recorded: readonly number[]
}

interface Findings extends ErasurePlan {
  readonly subjectId: string
  readonly tails: readonly string[]
  /** Targets that no log.erasure names yet. */
  readonly unsaid: readonly ErasureTarget[]
}

/** JSON of the targets of one record: below the default limit of a line with everything around it. */
const MAX_TARGETS_CHARS = 32_768
const MAX_FIRST = 100

/** Whose vault: what is needed to look for a subject. */
interface Place {
  readonly env: Env
  readonly logId: string
  readonly origin: string
  readonly macKey: Uint8Array
}

/**
 * What an erasure would do. Nothing is written, and nobody who records is disturbed.
 * @throws SwornError LEDGER_NOT_FOUND when no log.open is left, LEDGER_STATE_MISSING without the ledger's MAC key
 */
export function planErasure(options: LedgerOptions, subject: string): ErasurePlan {
  const env = createEnv(options)
  const found = findIdentity(env, listSegments(env))
  if (!found) throw new SwornError('LEDGER_NOT_FOUND', 'no log.open is left', env.layout.path)
  const { logId, origin } = found.identity
  const { mac } = keyLayout(env.home, logId)
  const macKey = readFile(env.ops, mac)
  if (!macKey) throw new SwornError('LEDGER_STATE_MISSING', 'the MAC key of this ledger is absent, and with it who its subjects are', mac)
  const place = { env, logId, origin, macKey }
  const { targets, rows, key, quarantined, inClear } = find(place, createKeys(place), subject)
  return { targets, rows, key, quarantined, inClear }
}

/** Erases. Nothing to do: nothing is written. @throws as every write */
export function erase(core: Core, request: ErasureRequest): Erasure {
  const { env, identity, macKey } = core
  const place = { env, logId: identity.logId, origin: identity.origin, macKey }
  const keys = createKeys(place)
  sync(core)
  const { subjectId, tails, unsaid, ...plan } = find(place, keys, request.subject)
  keys.destroy(subjectId)
  const recorded = plan.key || unsaid.length > 0 ? record(core, request, unsaid) : []
  if (plan.rows > 0) dropRows(env, (row) => row.subject_id === subjectId)
  for (const path of tails) env.ops.unlink(path)
  if (tails.length > 0) env.ops.syncDirectory(env.layout.quarantine)
  return { ...plan, recorded }
}

function createKeys({ env, logId }: Place): SubjectKeys {
  return createSubjectKeys({ ops: env.ops, home: env.home, logId, random: (bytes) => env.random(bytes) })
}

function find({ env, origin, macKey }: Place, keys: SubjectKeys, subject: string): Findings {
  const subjectId = subjectIdOf(macKey, subject)
  const rows = new Map<string, VaultRow>()
  const key = keys.find(subjectId, false)
  let count = 0
  eachRow(env, (row) => {
    if (row.subject_id !== subjectId) return
    count++
    if (!key || openRow(row, { key, origin })) rows.set(row.digest, row) // what never opened is no value of this subject
  })
  const name = JSON.stringify(subject).slice(1, -1)
  const { targets, inClear } = searchRecords(env, rows, name)
  const said = saidBefore(env)
  const tails = searchTails(env, [JSON.stringify(subject), ...rows.keys()])
  return {
    subjectId,
    targets,
    unsaid: targets.filter((target) => !said.has(keyOf(target))),
    rows: count,
    key: keys.has(subjectId),
    tails,
    quarantined: tails.length,
    inClear,
  }
}

function searchRecords(env: Env, rows: ReadonlyMap<string, VaultRow>, name: string): Pick<ErasurePlan, 'targets' | 'inClear'> {
  const targets: ErasureTarget[] = []
  const first: number[] = []
  let records = 0
  for (const { path } of listSegments(env)) {
    eachLine(env.ops, path, 0, (line) => {
      const named = saysName(line, name)
      if (!named && !mayCommit(line)) return true
      const seq = tryLine(line)?.seq ?? -1
      for (const digest of digestsIn(line)) {
        const row = rows.get(digest)
        if (row) targets.push({ seq, pointer: row.pointer })
      }
      if (named && records++ < MAX_FIRST) first.push(seq)
      return true
    })
  }
  return { targets, inClear: { records, first } }
}

const NOT_WITHIN = /(?:^|[^0-9A-Za-z]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})$/
const LONGEST_ESCAPE = 6
const WORD = /^[0-9A-Za-z]/

/** True where the event says the name, and not only one that it is a part of: 4711 stands in every other hash. @param name as JSON writes it */
function saysName(line: Buffer, name: string): boolean {
  if (!line.includes(name)) return false
  const text = Buffer.from(tryLine(line)?.body ?? line).toString('utf8')
  const isFree = { before: !WORD.test(name), behind: !WORD.test(name.at(-1) ?? '') }
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = isFree.before || NOT_WITHIN.test(text.slice(Math.max(0, at - LONGEST_ESCAPE), at))
    if (before && (isFree.behind || !WORD.test(text.slice(at + name.length, at + name.length + 1)))) return true
  }
  return false
}

/** Targets of the log.erasure records there are. */
function saidBefore({ ops, layout }: Env): ReadonlySet<string> {
  const said = new Set<string>()
  if (!ops.stat(layout.reserved)) return said
  eachLine(ops, layout.reserved, 0, (bytes) => {
    const line = tryLine(bytes)
    const members = line && parseReserved(line)
    if (members?.event_type === 'log.erasure' && Array.isArray(members.targets)) {
      for (const target of members.targets as ErasureTarget[]) said.add(keyOf(target)) // our own record
    }
    return true
  })
  return said
}

function keyOf({ seq, pointer }: ErasureTarget): string {
  return `${seq} ${pointer}`
}

function searchTails({ ops, layout }: Env, words: readonly string[]): string[] {
  return ops
    .readdir(layout.quarantine)
    .map((name) => join(layout.quarantine, name))
    .filter((path) => {
      const bytes = readFile(ops, path)
      return words.some((word) => bytes?.includes(word))
    })
}

/** Says it, in as many records as the targets need, and signs. */
function record(core: Core, request: ErasureRequest, targets: readonly ErasureTarget[]): number[] {
  const { basis, requestId, actor, confirmed = [], unconfirmed = [] } = request
  const recorded = cut(targets).map((some) => {
    const members = {
      targets: some,
      basis,
      request_id: requestId,
      actor,
      confirmed: ['key', 'vault', 'quarantine', ...confirmed],
      unconfirmed,
    }
    return linkReserved(core, 'log.erasure', members).seq
  })
  sync(core)
  checkpoint(core)
  sync(core)
  return recorded
}

function cut(targets: readonly ErasureTarget[]): ErasureTarget[][] {
  const pieces: ErasureTarget[][] = [[]]
  let chars = 0
  for (const target of targets) {
    const more = JSON.stringify(target).length
    if (chars + more > MAX_TARGETS_CHARS) {
      pieces.push([])
      chars = 0
    }
    pieces.at(-1)!.push(target)
    chars += more
  }
  return pieces
}
