/**
 * The vault's files: `vault/<yyyymmdd>.jsonl`, rows appended before the line that names their digest is written.
 *
 * Owned by the appender, like the segments. Crash: a row without its line, or half a row at the end of a file; the first
 * is harmless, the second is cut before the next row. `dropRows` leaves the old file or the new one.
 * Source: docs/format.md, "Committed values".
 * @module
 */
import { dirname, join } from 'node:path'
import type { Env } from '../ledger/core.ts'
import type { FileOps } from '../ledger/file-ops.ts'
import { appendFile, makeDirectory, readSlice, truncateFile, writeAll } from '../ledger/files.ts'
import { eachLine } from '../ledger/scan.ts'
import { MAX_ROW_CHARS, parseRow, type VaultRow } from './row.ts'

const FILE = /^\d{8}\.jsonl$/
const LF = 10

/** Puts rows on disk. @throws Error of the file system */
export function keepRows({ ops, layout, now }: Env, rows: readonly string[]): void {
  makeDirectory(ops, layout.vault)
  const path = join(layout.vault, `${new Date(now()).toISOString().slice(0, 10).replaceAll('-', '')}.jsonl`)
  cutTornRow({ ops }, path)
  appendFile(ops, path, Buffer.from(`${rows.join('\n')}\n`), { durable: true })
}

function cutTornRow({ ops }: Pick<Env, 'ops'>, path: string): void {
  const size = ops.stat(path)?.size ?? 0
  if (size === 0 || readSlice(ops, path, size - 1, size)[0] === LF) return
  const from = Math.max(0, size - MAX_ROW_CHARS - 1)
  const end = from + readSlice(ops, path, from, size).lastIndexOf(LF) + 1
  truncateFile(ops, path, end)
}

/** Gives every row; whatever else stands in a file is passed over. */
export function eachRow(env: Env, visit: (row: VaultRow, file: string) => void): void {
  for (const file of vaultFiles(env)) {
    eachLine(env.ops, file, 0, (line) => {
      const row = parseRow(line.toString('utf8'))
      if (row) visit(row, file)
      return true
    })
  }
}

/** Takes the rows that `goes` names out of every file, and the drafts that a crash left. */
export function dropRows(env: Env, goes: (row: VaultRow) => boolean): void {
  const { ops, layout } = env
  const found = new Set<string>()
  eachRow(env, (row, file) => {
    if (goes(row)) found.add(file)
  })
  const stays = (line: Buffer): boolean => {
    const row = parseRow(line.toString('utf8'))
    return row === undefined || !goes(row)
  }
  for (const file of found) rewriteLines(ops, file, stays)
  for (const name of ops.readdir(layout.vault)) if (name.endsWith('.tmp')) ops.unlink(join(layout.vault, name))
}

/** Keeps the lines that `keep` says, in constant memory. */
function rewriteLines(ops: FileOps, path: string, keep: (line: Buffer) => boolean): void {
  const draft = `${path}.tmp`
  if (ops.stat(draft)) ops.unlink(draft)
  const fd = ops.open(draft, 'create')
  try {
    eachLine(ops, path, 0, (line) => {
      if (keep(line)) writeAll(ops, fd, Buffer.concat([line, Buffer.of(LF)]))
      return true
    })
    ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
  ops.rename(draft, path)
  ops.syncDirectory(dirname(path))
}

/** True where something was ever committed. */
export function hasRows(env: Env): boolean {
  return vaultFiles(env).length > 0
}

function vaultFiles({ ops, layout }: Env): string[] {
  return ops
    .readdir(layout.vault)
    .filter((name) => FILE.test(name))
    .toSorted()
    .map((name) => join(layout.vault, name))
}
