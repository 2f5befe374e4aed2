/**
 * What a sink should hold, block by block: a leaf for each entry that it was sent.
 *
 * Read from the ledger's lines and mapped as delivery maps them. Of entries that were pruned only the leaves are left
 * (`tree/L0`): enough to compare exact lines, nothing to map another form from.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type LedgerFiles, readRange } from '@sworn/recorder/segments'
import type { Range } from '../holdings.ts'
import type { Shape } from '../shape.ts'
import { type Line, openSource } from '../source.ts'
import { type Claim, isSigned, leafOf } from './leaf.ts'

/** Entries of one block: its leaves take 32 MB. */
export const BLOCK = 1 << 20
const HASH_BYTES = 32

/** What is known of an entry: it is not sent; it is sent; it was pruned, and nobody can say what was. */
export const [LEFT_OUT, SENT, UNKNOWN] = [0, 1, 2]

export interface Block extends Range {
  /** 32 bytes an entry; zeros where it is left out or unknown. */
  readonly leaves: Buffer
  readonly states: Buffer
  /** All of them are leaves of the ledger's own tree. */
  readonly inTree: boolean
}

export interface ExpectOptions {
  readonly files: LedgerFiles
  readonly claim: Claim
  readonly shape: Shape
  /** True when the sink gets every entry as it is: nothing needs to be mapped. */
  readonly whole: boolean
}

/** Blocks from entry 0 on; the last one ends where the ledger does. @throws SwornError LINE_MALFORMED; the file system's errors */
export async function* expectedBlocks(options: ExpectOptions): AsyncGenerator<Block> {
  const source = openSource(options.files, 0)
  let block = beginBlock(0, options)
  try {
    for (let lines = await source.read(); lines.length > 0; lines = await source.read()) {
      for (const line of lines) {
        while (line.seq >= block.from + BLOCK) {
          fillPruned(block, block.from + BLOCK, options)
          yield endBlock(block)
          block = beginBlock(block.from + BLOCK, options)
        }
        fillPruned(block, line.seq, options)
        await put(block, line, options)
      }
    }
    if (block.to > block.from) yield endBlock(block)
  } finally {
    await source.close()
  }
}

interface Growing {
  readonly from: number
  to: number
  leaves: Buffer
  states: Buffer
  inTree: boolean
}

function beginBlock(from: number, { whole, claim }: ExpectOptions): Growing {
  return { from, to: from, inTree: whole && claim === 'lines', leaves: Buffer.alloc(1024 * HASH_BYTES), states: Buffer.alloc(1024) }
}

function endBlock({ from, to, leaves, states, inTree }: Growing): Block {
  const known = states.subarray(0, to - from)
  return { from, to, leaves: leaves.subarray(0, (to - from) * HASH_BYTES), states: known, inTree: inTree && !known.includes(UNKNOWN) }
}

/** Room for entries up to `to`. */
function grow(block: Growing, to: number): void {
  const wanted = to - block.from
  if (wanted > block.states.length) {
    const room = Math.min(BLOCK, Math.max(wanted, 2 * block.states.length))
    block.leaves = Buffer.concat([block.leaves, Buffer.alloc((room - block.states.length) * HASH_BYTES)])
    block.states = Buffer.concat([block.states, Buffer.alloc(room - block.states.length)])
  }
  block.to = to
}

async function put(block: Growing, line: Line, { claim, shape, whole }: ExpectOptions): Promise<void> {
  grow(block, line.seq + 1)
  const body = whole ? line.bytes : (await shape(line))?.body
  if (body === undefined) return
  if (whole && isSigned(line.bytes)) block.inTree = false
  const at = line.seq - block.from
  block.leaves.set(leafOf(claim, body), at * HASH_BYTES)
  block.states[at] = SENT
}

/** Entries up to `to` that the ledger does not have any more. */
function fillPruned(block: Growing, to: number, { files, claim, whole }: ExpectOptions): void {
  if (to <= block.to) return
  const from = block.to
  grow(block, to)
  block.states.fill(UNKNOWN, from - block.from, to - block.from)
  const path = files.directory && join(files.directory, 'tree', 'L0')
  if (!whole || claim !== 'lines' || path === undefined || !existsSync(path)) return
  let at = from
  for (const chunk of readRange(path, from * HASH_BYTES, to * HASH_BYTES)) {
    const count = Math.floor(chunk.length / HASH_BYTES)
    block.leaves.set(chunk.subarray(0, count * HASH_BYTES), (at - block.from) * HASH_BYTES)
    block.states.fill(SENT, at - block.from, at - block.from + count)
    at += count
  }
}
