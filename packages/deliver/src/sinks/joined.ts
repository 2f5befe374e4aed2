/**
 * The bodies of many entries as one: copied from where they were read, without a text in between, or not copied at all.
 * @module
 */
import { bytesOf, type Item } from '../sink.ts'

export interface Joining {
  /** Stands between each two bodies: one ASCII character. */
  readonly between: string
  readonly first?: string
  readonly last?: string
}

/** Bodies with `between` between each two, and what stands around them. UTF-8; may be the memory that the bodies lie in. */
export function joinBodies(items: readonly Item[], { between, first = '', last = '' }: Joining): Buffer {
  const bodies = items.map(bytesOf)
  const step = between.charCodeAt(0)
  const there = first === '' && last === '' ? spanOf(bodies, step) : undefined
  if (there) return there
  const steps = Math.max(0, bodies.length - 1)
  const joined = Buffer.allocUnsafe(bodies.reduce((sum, { length }) => sum + length, first.length + steps + last.length))
  let at = joined.write(first)
  for (const [n, body] of bodies.entries()) {
    if (n > 0) joined[at++] = step
    at += body.copy(joined, at)
  }
  joined.write(last, at)
  return joined
}

/**
 * The same in pieces, most of them the memory that the bodies were read into: where they lie behind each other there,
 * the LF between them is overwritten with `between`. Copied where that would be many small pieces.
 */
export function joinInPlace(items: readonly Item[], joining: Joining): readonly Buffer[] {
  const { between, first = '', last = '' } = joining
  const runs = runsOf(items.map(bytesOf), between.charCodeAt(0))
  if (runs.length * LEAST_RUN > items.length) return [joinBodies(items, joining)]
  const step = Buffer.from(between)
  return [Buffer.from(first), ...runs.flatMap((run, n) => (n > 0 ? [step, run] : [run])), Buffer.from(last)]
}

/** Bodies a piece, on average, from which on pieces cost less than a copy. */
const LEAST_RUN = 16
const LF = 10

function runsOf(bodies: readonly Buffer[], step: number): readonly Buffer[] {
  const runs: Buffer[] = []
  for (let from = 0, to = 1; from < bodies.length; from = to++) {
    const first = bodies[from]!
    let end = first.byteOffset + first.length
    const memory = new Uint8Array(first.buffer)
    for (let next = bodies[to]; next?.buffer === first.buffer && next.byteOffset === end + 1; next = bodies[++to]) {
      if (memory[end] !== LF && memory[end] !== step) break
      memory[end] = step
      end += 1 + next.length
    }
    runs.push(Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset))
  }
  return runs
}

/** The memory from the first body to the last, where they lie behind each other as they are to be joined: lines of one read do. */
function spanOf(bodies: readonly Buffer[], step: number): Buffer | undefined {
  const [first, last] = [bodies[0], bodies.at(-1)]
  if (!first || !last || first.buffer !== last.buffer) return undefined
  const span = Buffer.from(first.buffer, first.byteOffset, Math.max(0, last.byteOffset + last.length - first.byteOffset))
  let at = first.byteOffset
  for (const { buffer, byteOffset, length } of bodies) {
    const isNext =
      buffer === span.buffer && byteOffset === at && (byteOffset === first.byteOffset || span[at - 1 - first.byteOffset] === step)
    if (!isNext) return undefined
    at += length + 1
  }
  return span
}
