/**
 * The beginning of a pruned log: the leaves of the entries that are gone, and the records kept of them.
 *
 * Nothing here is trusted. The leaves are proved by the first signed checkpoint over the tree that grows from
 * them, each kept record by its leaf, the hash before the first entry by the last leaf; and that entries may be
 * gone at all by a signed log.prune. Source: docs/format.md, rotation and pruning.
 * @module
 */
import { concat, equalBytes, parseHex, toHex, utf8 } from './bytes.ts'
import type { Findings } from './findings.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { createSuffix, findSuffix, GENESIS, type Line, parseLine, previousHashOf } from './line.ts'
import { leafHash } from './merkle.ts'
import type { HashName, Primitives } from './primitives.ts'
import { createRoots, type Kept, type Roots } from './roots.ts'
import type { Start } from './run.ts'

const CLOSE = utf8('}')
const HASH_BYTES = 32

/** A kept record that is the tree's. */
export interface KeptRecord {
  readonly seq: number
  readonly type: string
  readonly payload: JsonObject
}

export interface Pruned {
  readonly roots: Roots
  /** Takes leaf hashes of entries from seq 0 on, cut anywhere. */
  feed(leaves: Uint8Array): void
  /** Where the entries begin whose first line this is, and the log's hash when a kept record tells it. */
  start(line: Uint8Array): { start: Start; hash: HashName | undefined }
  /** The records below the first entry, in order; what is not the tree's is reported. */
  records(findings: Findings): KeptRecord[]
}

/** @param lines of reserved.jsonl, without LF; attacker-controlled */
export function createPruned(p: Primitives, lines: readonly Uint8Array[], kept: Kept): Pruned {
  const parsed = lines.map(tryLine)
  const leaves = new Map<number, Uint8Array | undefined>(parsed.flatMap((line) => (line ? [[line.seq, undefined]] : [])))
  for (const seq of leaves.keys()) kept.set(seq, undefined) // a kept transition names the root there
  const roots = createRoots(p, { size: 0, hashes: [] }, kept)
  let rest: Uint8Array = new Uint8Array(0)
  let last: Uint8Array | undefined
  return {
    roots,
    feed(bytes) {
      const all = concat(rest, bytes)
      let at = 0
      for (; at + HASH_BYTES <= all.length; at += HASH_BYTES) {
        last = all.subarray(at, at + HASH_BYTES)
        if (leaves.has(roots.size)) leaves.set(roots.size, last)
        roots.pushLeaf(last)
      }
      rest = all.slice(at)
    },
    start(line) {
      const { size: seq } = roots
      const suffix = createSuffix()
      const previous = findSuffix(line, 0, line.length, suffix) === undefined ? previousHashOf(line, suffix) : parseHex(GENESIS)
      const follows = last !== undefined && equalBytes(leafHash(p, previous), last)
      // No hash has itself as its leaf: the link of the first line is then found broken like any other.
      const previousHash = toHex(follows || last === undefined ? previous : last)
      const [first] = parsed
      return { start: { seq, previousHash, frontier: roots.hashes() }, hash: first && hashOf(p, first) }
    },
    records(findings) {
      const hash = parsed[0] && hashOf(p, parsed[0])
      return parsed.flatMap((line) => {
        if (line && line.seq >= roots.size) return [] // read where it stands
        const record = line && hash && readRecord(p, line, hash, leaves.get(line.seq))
        if (!record) findings.add('record_malformed', line?.seq ?? 'reserved.jsonl', 'a kept record with the hash of its leaf was expected')
        return record ? [record] : []
      })
    },
  }
}

function tryLine(bytes: Uint8Array): Line | undefined {
  try {
    return parseLine(bytes)
  } catch {
    return undefined // reported with the others
  }
}

/** The hash under which the line is its own. */
function hashOf(p: Primitives, line: Line): HashName | undefined {
  return (['sha256', 'sha3-256'] as const).find((name) => toHex(p.hash(name, line.preimage)) === line.entryHash)
}

function readRecord(p: Primitives, line: Line, hash: HashName, leaf: Uint8Array | undefined): KeptRecord | undefined {
  const digest = p.hash(hash, line.preimage)
  if (toHex(digest) !== line.entryHash || !leaf || !equalBytes(leafHash(p, digest), leaf)) return undefined
  try {
    const payload = parseStrict(concat(line.body, CLOSE)) as JsonObject // the first byte is {
    const type = payload.event_type
    return typeof type === 'string' && type.startsWith('log.') ? { seq: line.seq, type, payload } : undefined
  } catch {
    return undefined
  }
}
