/**
 * What a mirror holds, read from its lines: not from what was known of them when they came.
 * @module
 */

import { createFrontier } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import type { Range } from '../holdings.ts'
import { leafOf } from '../reconcile/leaf.ts'
import type { MirrorStore } from './store.ts'

/** Of one answer; a range that holds more ends early. */
const MAX_BYTES = 8 << 20
/** Of one root; more than that is asked for in parts. */
const MAX_WIDTH = 1 << 16

/** Whole lines with LF, from the first on: as many as fit. */
export async function readHeld(store: MirrorStore, range: Range): Promise<Buffer<ArrayBuffer>> {
  const found: Buffer[] = []
  let bytes = 0
  for await (const line of store.lines(range)) {
    bytes += line.bytes.length + 1
    if (bytes > MAX_BYTES && found.length > 0) break
    found.push(line.bytes, Buffer.from('\n'))
  }
  return Buffer.concat(found)
}

/** RFC 9162 root over the lines; undefined where one is missing or does not hold, or for more than 65,536. */
export async function rootOfHeld(store: MirrorStore, range: Range): Promise<Uint8Array | undefined> {
  if (range.to - range.from > MAX_WIDTH) return undefined
  const frontier = createFrontier(nodePrimitives)
  for await (const { bytes, seq } of store.lines(range)) {
    if (seq !== range.from + frontier.size) return undefined
    frontier.push(leafOf('lines', bytes))
  }
  return frontier.size === range.to - range.from ? frontier.root() : undefined
}
