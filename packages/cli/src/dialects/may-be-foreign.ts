/**
 * Whether a path can be a foreign log, told without reading more than its beginning.
 *
 * A ledger of ours and a segment of it, compressed or not, is none; `sworn verify` on them loads no dialect.
 * @module
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseLine, SwornError } from '@sworn/verify'

/** Longer than any line of ours. */
const HEAD_BYTES = 2 << 20
/** The folder inside an AIVS bundle. */
export const BUNDLE = 'session_proof'
const LF = 0x0a
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const SQLITE_HEAD = 'SQLite format 3\0'
/** Tag 18 of CBOR: COSE_Sign1. */
const COSE = 0xd2

export function mayBeForeign(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return existsSync(join(path, BUNDLE)) || existsSync(join(path, 'audit_log.jsonl'))
  if (!stat?.isFile() || existsSync(`${path}.ledger`)) return false
  const head = readHead(path)
  const first = head.find((byte) => byte > 0x20)
  if (isGzip(head)) return !path.endsWith('.jsonl.gz')
  if (first === COSE || first === OPEN_BRACKET || isSqlite(head)) return true
  if (first !== OPEN_BRACE) return false
  const end = head.indexOf(LF)
  return !isEntry(head.subarray(0, end < 0 ? head.length : end))
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

export function isSqlite(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, SQLITE_HEAD.length)).equals(Buffer.from(SQLITE_HEAD))
}

function isEntry(line: Uint8Array): boolean {
  try {
    parseLine(line)
    return true
  } catch (e) {
    if (SwornError.is(e)) return false
    throw e
  }
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  const file = openSync(path, 'r')
  try {
    return head.subarray(0, readSync(file, head, 0, head.length, 0))
  } finally {
    closeSync(file)
  }
}
