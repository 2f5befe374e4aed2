/**
 * Folders for what benches write, gone afterwards.
 *
 * They lie under SWORN_BENCH_DIR, or the system's temporary folder. A folder in memory makes every figure
 * about fdatasync meaningless; the report names the file system for that reason.
 * @module
 */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `statfs` types by name, for the report. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs (no disk)',
  1481003842: 'xfs',
  2435016766: 'btrfs',
}

/** The folder under which benches write. */
export function benchRoot(): string {
  return process.env.SWORN_BENCH_DIR ?? tmpdir()
}

/** The file system that benches write to. */
export function fileSystemName(): string {
  const type = statfsSync(benchRoot()).type
  return FILE_SYSTEMS[type] ?? `type 0x${type.toString(16)}`
}

/** Runs `use` with a new folder and removes it, whatever happens. */
export async function withWorkdir<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(benchRoot(), 'sworn-bench-'))
  try {
    return await use(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
