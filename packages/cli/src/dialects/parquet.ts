/**
 * A Parquet file as the target of an export: there whole or not at all.
 * @module
 */
import { renameSync, rmSync } from 'node:fs'
import { convertToParquet, type Duckdb, toParquetRow } from '@sworn/deliver'
import { openLineFile, readBack } from './line-file.ts'
import type { Exported, Target } from './target.ts'

export function openParquetTarget(path: string, name: string, duckdb: Duckdb): Target {
  const rows = openLineFile(`${path}.rows`)
  const [source, part] = [`${path}.rows`, `${path}.part`]
  return {
    write: async (entry) => rows.write(toParquetRow(entry)),
    async close(): Promise<Exported> {
      const { lines } = await rows.close()
      try {
        await convertToParquet(source, part, { rows: lines, duckdb })
      } finally {
        rmSync(source, { force: true })
      }
      const { bytes, sha256 } = await readBack(part)
      renameSync(part, path)
      return { name, file: { rows: lines, bytes, sha256 } }
    },
    discard() {
      rows.discard()
      for (const left of [source, part]) rmSync(left, { force: true })
    },
  }
}
