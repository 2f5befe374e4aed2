/**
 * What a sink acknowledged, range by range: the ledger's own tree over the range, so that what the sink holds can be
 * compared with it later.
 *
 * One JSON line an acknowledged batch, on disk before the cursor moves; after a crash the last range may stand twice.
 * The file is begun anew at 16 MiB, and the one before is kept.
 * @module
 */
import { renameSync } from 'node:fs'
import { createFrontier, hashInto, toBase64 } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { appendFile, sizeOf } from './files.ts'
import type { Line } from './source.ts'

const MAX_BYTES = 16 << 20

export interface Receipt {
  readonly origin: string
  /** Entries `[from, to)`. */
  readonly from: number
  readonly to: number
  /** RFC 9162 root over their entry hashes, the first of the range as leaf 0; base64. Absent where they were gone. */
  readonly root?: string
  /** How many of them were sent; the others the filter left out. */
  readonly sent: number
  readonly parked: number
  readonly at: string
  /** The sink's own name for it. */
  readonly id?: string
  /** Why entries were not delivered: they were pruned or are missing. */
  readonly lost?: string
}

/** @throws SwornError IO_FAILED */
export async function writeReceipts(path: string, receipts: readonly Receipt[]): Promise<void> {
  if (sizeOf(path) > MAX_BYTES) renameSync(path, path.replace(/\.jsonl$/, '.1.jsonl'))
  await appendFile(path, receipts.map((receipt) => `${JSON.stringify(receipt)}\n`).join(''))
}

/** Entries `[from, to)` without a step between them. */
export interface Run {
  readonly from: number
  readonly to: number
  /** Base64 of the tree's root over them. */
  readonly root: string
}

export function runsOf(lines: readonly Pick<Line, 'seq' | 'entryHash'>[]): readonly Run[] {
  const starts = lines.flatMap(({ seq }, i) => (i === 0 || lines[i - 1]!.seq + 1 !== seq ? [i] : []))
  return starts.map((start, i) => {
    const run = lines.slice(start, starts[i + 1])
    return { from: run[0]!.seq, to: run.at(-1)!.seq + 1, root: rootOf(run) }
  })
}

function rootOf(lines: readonly Pick<Line, 'entryHash'>[]): string {
  const frontier = createFrontier(nodePrimitives)
  const input = Buffer.alloc(33) // 0x00 | entry hash, as `leafHash` has it: one for all of them
  const leaf = new Uint8Array(32)
  for (const { entryHash } of lines) {
    input.write(entryHash, 1, 'hex')
    hashInto(nodePrimitives, 'sha256', input, leaf, 0)
    frontier.push(leaf)
  }
  return toBase64(frontier.root())
}
