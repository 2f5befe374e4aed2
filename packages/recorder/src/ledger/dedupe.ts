/**
 * Which events of the last 100,000 records are already in the log.
 *
 * Key: (producer_id, event_id). Same key and same body: the first answer again. Same key, other body:
 * a conflict. `index/ids` keeps it over restarts: 96-byte rows, each with its own check, derivable
 * from the lines, so never synced. Source: docs/format.md, "Idempotency".
 * @module
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { FileOps } from './file-ops.ts'
import { appendFile, readFile, replaceFile } from './files.ts'

const WINDOW = 100_000
const FIRST_ROWS = 1024
const KEY_BYTES = 16
const ROW_BYTES = 96
const CHECK_BYTES = 8

export interface Seen {
  readonly seq: number
  /** 64 hex characters. */
  readonly entryHash: string
  readonly bodyHash: string
}

export interface Dedupe {
  find(producerId: string, eventId: string): Seen | undefined
  note(producerId: string, eventId: string, seen: Seen): void
  flush(): void
}

/** Rows below `size` that the file holds, and from which seq on the lines must be read again. */
export interface StoredIds {
  readonly rows: readonly Buffer[]
  readonly from: number
}

/** SHA-256 of the body as it was received, hex. */
export function bodyDigest(body: string): string {
  return hash('sha256', body)
}

/**
 * Reads `index/ids`. Rows from `trusted` on are left out: a crash may have put other records there.
 * A row that does not hold ends the reading; the lines behind it are read again.
 */
export function readIds(ops: FileOps, index: string, trusted: number): StoredIds {
  const bytes = readFile(ops, join(index, 'ids')) ?? Buffer.alloc(0)
  const rows: Buffer[] = []
  let from = 0
  for (let at = 0; at + ROW_BYTES <= bytes.length; at += ROW_BYTES) {
    const row = bytes.subarray(at, at + ROW_BYTES)
    if (!check(row).equals(row.subarray(ROW_BYTES - CHECK_BYTES))) break
    const seq = Number(row.readBigUInt64LE(KEY_BYTES))
    if (seq >= trusted) break
    rows.push(row)
    from = seq + 1
  }
  return { rows, from: Math.max(from, trusted - WINDOW, 0) }
}

/** Starts from stored rows and rewrites the file to exactly these. */
export function openDedupe(ops: FileOps, index: string, stored: StoredIds): Dedupe {
  const path = join(index, 'ids')
  const kept = stored.rows.slice(-WINDOW)
  replaceFile(ops, path, Buffer.concat(kept), { durable: false })
  const table = createTable()
  for (const row of kept) table.set(row)
  let pending: Buffer[] = []
  let fileRows = kept.length
  return {
    find: (producerId, eventId) => table.find(keyOf(producerId, eventId)),
    note(producerId, eventId, seen) {
      const row = formatRow(keyOf(producerId, eventId), seen)
      table.set(row)
      pending.push(row)
    },
    flush() {
      if (pending.length === 0) return
      fileRows += pending.length
      if (fileRows > 3 * WINDOW) {
        const rows = table.rows()
        replaceFile(ops, path, Buffer.concat(rows), { durable: false })
        fileRows = rows.length
      } else appendFile(ops, path, Buffer.concat(pending), { durable: false })
      pending = []
    },
  }
}

/** The last rows by key: a ring that grows to its window, so that 100,000 of them cost one buffer and one map. */
function createTable() {
  let ring = Buffer.alloc(FIRST_ROWS * ROW_BYTES)
  const places = new Map<string, number>()
  let count = 0
  function rowAt(place: number): Buffer {
    return ring.subarray(place * ROW_BYTES, (place + 1) * ROW_BYTES)
  }
  function forget(place: number): void {
    const key = rowAt(place).toString('latin1', 0, KEY_BYTES)
    if (places.get(key) === place) places.delete(key)
  }
  return {
    set(row: Buffer): void {
      const place = count % WINDOW
      if (count >= WINDOW) forget(place)
      if (ring.length <= place * ROW_BYTES) ring = Buffer.concat([ring, Buffer.alloc(ring.length)])
      ring.set(row, place * ROW_BYTES)
      places.set(row.toString('latin1', 0, KEY_BYTES), place)
      count++
    },
    find(key: Buffer): Seen | undefined {
      const place = places.get(key.toString('latin1', 0, KEY_BYTES))
      return place === undefined ? undefined : parseRow(rowAt(place))
    },
    rows(): Buffer[] {
      const first = Math.max(0, count - WINDOW)
      return Array.from({ length: count - first }, (_, i) => rowAt((first + i) % WINDOW))
    },
  }
}

function keyOf(producerId: string, eventId: string): Buffer {
  return hash('sha256', JSON.stringify([producerId, eventId]), 'buffer').subarray(0, KEY_BYTES)
}

/** key 16 | seq u64le | entry hash 32 | body hash 32 | check 8 */
function formatRow(key: Buffer, seen: Seen): Buffer {
  const row = Buffer.alloc(ROW_BYTES)
  key.copy(row, 0)
  row.writeBigUInt64LE(BigInt(seen.seq), KEY_BYTES)
  row.write(seen.entryHash, KEY_BYTES + 8, 'hex')
  row.write(seen.bodyHash, KEY_BYTES + 40, 'hex')
  check(row).copy(row, ROW_BYTES - CHECK_BYTES)
  return row
}

function parseRow(row: Buffer): Seen {
  return {
    seq: Number(row.readBigUInt64LE(KEY_BYTES)),
    entryHash: row.toString('hex', KEY_BYTES + 8, KEY_BYTES + 40),
    bodyHash: row.toString('hex', KEY_BYTES + 40, ROW_BYTES - CHECK_BYTES),
  }
}

/** Not a signature: tells a written row from a page that never reached the disk. */
function check(row: Buffer): Buffer {
  return hash('sha256', row.subarray(0, ROW_BYTES - CHECK_BYTES), 'buffer').subarray(0, CHECK_BYTES)
}
