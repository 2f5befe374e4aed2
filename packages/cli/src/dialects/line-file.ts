/**
 * A file of lines that is there whole or not at all, and whose count is not believed but read back.
 *
 * Written beside its name and renamed at the end; a crash leaves `<file>.part` and no `<file>`. 0600: an export holds
 * what the ledger holds.
 * @module
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readRange } from '@sworn/analyze/reading'
import { SwornError } from '@sworn/verify'

/** What a file holds, as it was read back from the disk. */
export interface Written {
  /** Of a file of lines. */
  readonly lines?: number
  /** Of a table. */
  readonly rows?: number
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface LineFile {
  write(line: string): void
  /** @throws SwornError IO_FAILED when the file does not hold what was written */
  close(): Promise<Written & { readonly lines: number }>
  /** Leaves nothing. */
  discard(): void
}

const LF = 0x0a
const CHUNK = 256 * 1024

export function openLineFile(path: string): LineFile {
  const part = `${path}.part`
  rmSync(part, { force: true })
  let file: number | undefined = openSync(part, 'wx', 0o600)
  let held: string[] = []
  let length = 0
  let lines = 0
  const flush = () => {
    if (file !== undefined && held.length > 0) writeFileSync(file, `${held.join('\n')}\n`) // at the file's position, whole
    held = []
    length = 0
  }
  const end = () => {
    if (file !== undefined) closeSync(file)
    file = undefined
  }
  return {
    write(line) {
      lines += 1
      held.push(line)
      length += line.length
      if (length >= CHUNK) flush()
    },
    async close() {
      flush()
      end()
      const written = await readBack(part)
      if (written.lines !== lines) throw new SwornError('IO_FAILED', `${lines} lines were written, ${written.lines} are there`, part)
      renameSync(part, path)
      return written
    },
    discard() {
      end()
      rmSync(part, { force: true })
    },
  }
}

/** Counts and hashes a file. */
export async function readBack(path: string): Promise<{ lines: number; bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let lines = 0
  let bytes = 0
  for (const chunk of readRange(path, 0)) {
    hash.update(chunk)
    bytes += chunk.length
    await nextTurn() // signals get theirs
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines += 1
  }
  return { lines, bytes, sha256: hash.digest('hex') }
}
