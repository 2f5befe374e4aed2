/**
 * Work in small steps beside the commits: the unread part of the last segment is verified, closed
 * segments get their line in SHA256SUMS and become read-only.
 *
 * @module
 */
import { createHash, type Hash } from 'node:crypto'
import { basename } from 'node:path'
import { GENESIS, SwornError } from '@sworn/verify'
import { MAX_LINE_BYTES } from './body.ts'
import type { Core } from './core.ts'
import { appendFile, readFile, readSlice, truncateFile } from './files.ts'
import { namedSegments, type SegmentRef } from './layout.ts'
import { ownHashHolds, tryLine } from './scan.ts'

/** About 2 ms of hashing: commits wait for one step at most. */
const STEP_BYTES = 512 << 10

export interface Upkeep {
  /** True while there is work. */
  pending(): boolean
  /** One bounded step. @throws SwornError LEDGER_CORRUPT when a line that was taken on trust does not hold */
  step(): void
}

interface Summing {
  readonly ref: SegmentRef
  readonly hash: Hash
  at: number
}

/** For a core that was just opened: `core.writer.end` bytes of the active segment are not read yet. */
export function createUpkeep(core: Core): Upkeep {
  const { ops, layout } = core.env
  const verified = createVerification(core)
  const summed = readSums(core)
  let known = -1
  let queue: SegmentRef[] = []
  let summing: Summing | undefined
  function refill(): void {
    if (known === core.writer.firstSeq) return
    known = core.writer.firstSeq
    queue = namedSegments(ops, layout).filter((ref) => !ref.packed && ref.path !== core.writer.path && !summed.has(basename(ref.path)))
  }
  function sum(): void {
    refill()
    summing ??= next(queue.shift())
    if (!summing) return
    const bytes = readSlice(ops, summing.ref.path, summing.at, Math.min(summing.at + STEP_BYTES, ops.stat(summing.ref.path)?.size ?? 0))
    summing.at += bytes.length
    summing.hash.update(bytes)
    if (bytes.length > 0) return
    const name = basename(summing.ref.path)
    ops.chmod(summing.ref.path, 0o444)
    appendFile(ops, layout.sums, Buffer.from(`${summing.hash.digest('hex')}  ${name}\n`), { durable: true })
    summed.add(name)
    summing = undefined
  }
  return {
    pending() {
      refill()
      return verified.pending() || summing !== undefined || queue.length > 0
    },
    step() {
      verified.step()
      sum()
    },
  }
}

/** The names that have their line; what a crash left of a last line is cut. */
function readSums({ env: { ops, layout } }: Core): Set<string> {
  const bytes = readFile(ops, layout.sums) ?? Buffer.alloc(0)
  const whole = bytes.lastIndexOf(10) + 1
  if (whole < bytes.length) truncateFile(ops, layout.sums, whole)
  const lines = bytes.toString('latin1', 0, whole).split('\n')
  return new Set(lines.filter((line) => /^[0-9a-f]{64} {2}/.test(line)).map((line) => line.slice(66)))
}

function next(ref: SegmentRef | undefined): Summing | undefined {
  return ref && { ref, hash: createHash('sha256'), at: 0 }
}

/** About a step of bytes, more when a single line is longer. */
function readLines(core: Core, path: string, { at, end }: { at: number; end: number }): Buffer {
  const step = readSlice(core.env.ops, path, at, Math.min(end, at + STEP_BYTES))
  return step.includes(10) ? step : readSlice(core.env.ops, path, at, Math.min(end, at + 2 * MAX_LINE_BYTES))
}

/** Verifies the active segment from its start to where it ended when it was opened; ends with its rotation. */
function createVerification(core: Core) {
  const { writer } = core
  const { path, end } = writer
  const { hash } = core.identity
  let at = 0
  let seq = core.writer.firstSeq
  let previous = seq === 0 ? GENESIS : undefined
  function check(text: Buffer): void {
    const line = tryLine(text)
    const holds =
      line !== undefined && line.seq === seq && (previous === undefined || line.previousHash === previous) && ownHashHolds(line, hash)
    if (!holds) throw new SwornError('LEDGER_CORRUPT', 'a record below the newest signed size does not hold', `seq=${seq}`)
    seq++
    previous = line.entryHash
  }
  return {
    pending: () => at < end && core.writer === writer,
    step() {
      if (at >= end || core.writer !== writer) return
      const bytes = readLines(core, path, { at, end })
      const whole = bytes.lastIndexOf(10) + 1
      if (whole === 0) throw new SwornError('LEDGER_CORRUPT', 'a line without end', `seq=${seq}`)
      for (let start = 0; start < whole; ) {
        const lf = bytes.indexOf(10, start)
        check(bytes.subarray(start, lf))
        start = lf + 1
      }
      at += whole
    },
  }
}
