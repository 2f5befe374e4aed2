/**
 * The bodies of many entries as one: copied from where they were read, without a text in between.
 * @module
 */
import { bytesOf, type Item } from '../sink.ts'

/** Bodies with `between` between each two, and what stands around them. UTF-8. */
export function joinBodies(
  items: readonly Item[],
  { between, first = '', last = '' }: { between: string; first?: string; last?: string },
): Buffer {
  const parts: Uint8Array[] = [Buffer.from(first)]
  const step = Buffer.from(between)
  for (const [n, item] of items.entries()) {
    if (n > 0) parts.push(step)
    parts.push(bytesOf(item))
  }
  parts.push(Buffer.from(last))
  return Buffer.concat(parts)
}
