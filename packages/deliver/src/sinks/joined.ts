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
