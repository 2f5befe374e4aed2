/**
 * Which events of the last 100,000 records are already in the log.
 *
 * Key: (producer_id, event_id). Whether the content is the same is answered by the record itself, which
 * is read back: duplicates are rare, events are not. `index/ids` keeps the table over restarts: rows of
 * fixed size, each with its own check, derivable from the lines, so never synced.
 * Source: docs/format.md, "Idempotency".
 * @module
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FileOps } from './file-ops.ts'
import { appendFile, readSlice, replaceFile } from './files.ts'

const WINDOW = 100_000
const FIRST_ROWS = 1024
/** key 16 | seq u64le | entry hash 32 | CRC-32 u32le of the rest */
const KEY_BYTES = 16
const HASH_AT = KEY_BYTES + 8
const CHECK_AT = HASH_AT + 32
const ROW_BYTES = CHECK_AT + 4
const WORD = 2 ** 32
/** About one row a chain when the window is full. */
const CHAINS = 1 << 17
const NOWHERE = -1
/** The key that is looked for: one at a time. */
const SOUGHT = Buffer.alloc(KEY_BYTES)

export interface Seen {
  readonly seq: number
  /** 64 hex characters. */
  readonly entryHash: string
}

export interface Dedupe {
  find(key: string): Seen | undefined
  note(key: string, seen: Seen): void
  /** Writes what was noted. */
  flush(): void
}

/** Rows that the file holds, and from which seq on the lines must be read again. */
export interface StoredIds {
  readonly rows: Buffer
  readonly from: number
  /** True when the file is exactly `rows`. */
  readonly whole: boolean
}

/** Stands for one event of one producer: 16 bytes and more as characters, of which the first 16 count. */
export function eventKey(producerId: string, eventId: string): string {
  return hash('sha256', `${producerId.length} ${producerId} ${eventId}`, 'binary')
}

/**
 * Reads the newest rows of `index/ids`. Rows from `trusted` on are left out: a crash may have put other
 * records there. A row that does not hold ends the reading; the lines behind it are read again.
 */
export function readIds(ops: FileOps, index: string, trusted: number): StoredIds {
  const path = join(index, 'ids')
  const size = ops.stat(path)?.size ?? 0
  const start = Math.max(0, Math.floor(size / ROW_BYTES) - WINDOW) * ROW_BYTES
  const bytes = size === 0 ? Buffer.alloc(0) : readSlice(ops, path, start, size)
  let end = 0
  let from = 0
  while (end + ROW_BYTES <= bytes.length && rowHolds(bytes, end)) {
    const seq = Number(bytes.readBigUInt64LE(end + KEY_BYTES))
    if (seq >= trusted) break
    from = seq + 1
    end += ROW_BYTES
  }
  return { rows: bytes.subarray(0, end), from: Math.max(from, trusted - WINDOW, 0), whole: start === 0 && end === size }
}

/** Starts from stored rows; the file is made to hold exactly these. */
export function openDedupe(ops: FileOps, index: string, stored: StoredIds): Dedupe {
  const path = join(index, 'ids')
  if (!stored.whole) replaceFile(ops, path, stored.rows, { durable: false })
  const table = createTable(stored.rows)
  let pending = Buffer.alloc(FIRST_ROWS * ROW_BYTES)
  let used = 0
  let fileRows = stored.rows.length / ROW_BYTES
  return {
    find: table.find,
    note(key, seen) {
      if (used === pending.length) pending = Buffer.concat([pending, pending])
      const row = writeRow(pending, used, key, seen)
      table.set(row)
      used += ROW_BYTES
    },
    flush() {
      if (used === 0) return
      fileRows += used / ROW_BYTES
      if (fileRows > 3 * WINDOW) {
        replaceFile(ops, path, table.rows(), { durable: false })
        fileRows = WINDOW
      } else appendFile(ops, path, pending.subarray(0, used), { durable: false })
      used = 0
    },
  }
}

/**
 * The last rows by key: a ring of rows, and chains of the places whose keys begin alike.
 *
 * No object for each row: 100,000 of them would be looked at by every collection of the heap.
 */
function createTable(first: Buffer) {
  let ring = Buffer.alloc(Math.max(FIRST_ROWS * ROW_BYTES, first.length))
  const heads = new Int32Array(CHAINS).fill(NOWHERE)
  const nexts = new Int32Array(WINDOW)
  let count = 0
  const chainOf = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at) % CHAINS
  function forget(place: number): void {
    const chain = chainOf(ring, place * ROW_BYTES)
    const next = nexts[place]!
    if (heads[chain] === place) heads[chain] = next
    else {
      let before = heads[chain]!
      while (nexts[before] !== place) before = nexts[before]!
      nexts[before] = next
    }
  }
  function set(row: Buffer): void {
    const place = count++ % WINDOW
    if (count > WINDOW) forget(place)
    if (ring.length < (place + 1) * ROW_BYTES) ring = Buffer.concat([ring, Buffer.alloc(ring.length)])
    row.copy(ring, place * ROW_BYTES)
    const chain = chainOf(row, 0)
    nexts[place] = heads[chain]!
    heads[chain] = place
  }
  for (let at = 0; at < first.length; at += ROW_BYTES) set(first.subarray(at, at + ROW_BYTES))
  return {
    set,
    find(key: string): Seen | undefined {
      SOUGHT.write(key, 'latin1')
      let place = heads[chainOf(SOUGHT, 0)]!
      while (place !== NOWHERE && SOUGHT.compare(ring, place * ROW_BYTES, place * ROW_BYTES + KEY_BYTES) !== 0) place = nexts[place]!
      if (place === NOWHERE) return undefined
      const at = place * ROW_BYTES
      return { seq: Number(ring.readBigUInt64LE(at + KEY_BYTES)), entryHash: ring.toString('hex', at + HASH_AT, at + CHECK_AT) }
    },
    /** Oldest first; called once the ring is full. */
    rows(): Buffer {
      const oldest = (count % WINDOW) * ROW_BYTES
      return Buffer.concat([ring.subarray(oldest, WINDOW * ROW_BYTES), ring.subarray(0, oldest)])
    },
  }
}

function writeRow(target: Buffer, at: number, key: string, seen: Seen): Buffer {
  const row = target.subarray(at, at + ROW_BYTES)
  row.write(key, 0, KEY_BYTES, 'latin1')
  row.writeUInt32LE(seen.seq % WORD, KEY_BYTES)
  row.writeUInt32LE(Math.floor(seen.seq / WORD), KEY_BYTES + 4)
  row.write(seen.entryHash, HASH_AT, 'hex')
  row.writeUInt32LE(crc32(row.subarray(0, CHECK_AT)), CHECK_AT)
  return row
}

/** Not a signature: tells a written row from a page that never reached the disk. */
function rowHolds(bytes: Buffer, at: number): boolean {
  return crc32(bytes.subarray(at, at + CHECK_AT)) === bytes.readUInt32LE(at + CHECK_AT)
}
