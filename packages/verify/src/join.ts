/**
 * Joins a part that was checked for itself to the log before it, as if its lines had been read here.
 *
 * What is compared is what the part took on trust: its first position and the hash it names before it. Its
 * subtrees become the tree's; its records are looked into now, in their order.
 * @module
 */
import { concat } from './bytes.ts'
import type { PartItem } from './carry.ts'
import { inspect } from './entries.ts'
import { createFrontier } from './frontier.ts'
import { createSuffix, entryHashOf, findSuffix } from './line.ts'
import type { Part } from './part.ts'
import type { Primitives } from './primitives.ts'
import type { RecordSigner } from './record-signer.ts'
import { createWindow, type Hashes, type Kept, REACH, type Roots, rootOf, type Tail, type Window } from './roots.ts'
import type { Run } from './run.ts'

const LEAF = Uint8Array.of(0)

/** @returns false, with nothing changed, when the part does not follow or its lines have to be read here */
export async function joinPart(run: Run, part: Part): Promise<boolean> {
  const before = run.roots
  if (!before || !follows(run, part)) return false
  const whole = (size: number, hashes: Hashes): Hashes => extend(run.p, before, part.first, size, hashes)
  run.chain.advance(part.size, part.head, part.hash)
  for (const [size, hashes] of part.kept) run.kept.set(size, whole(size, hashes))
  for (const item of part.items) await inspectItem(run, item, part.first, before, whole)
  if (part.sessions) run.sessions?.add(part.sessions)
  run.roots = createJoined(run.p, joinTails(before, part, whole), { size: part.size, hashes: whole(part.size, part.hashes) }, run.kept)
  return true
}

function follows(run: Run, part: Part): boolean {
  if (run.closed || (run.options.signedRecords?.length ?? 0) > 0 || (run.allSigned && part.unsigned)) return false
  if (run.sessions && !(part.sessions && run.sessions.hasRoomFor(part.sessions))) return false
  return (!part.signer || isSigner(run, part.signer, part)) && run.chain.isNext(part.first, part.previous, part.hash)
}

/** True when all of the part's records are the signer's to sign, as far as is known where it begins. */
function isSigner({ origin, signed }: Run, signer: RecordSigner, { first, size }: Part): boolean {
  const epoch = signed.chain?.at(first + 1)
  return epoch?.key.vkey === signer.vkey && epoch === signed.chain?.at(size) && (origin ?? '') === signer.origin
}

/** The tree's edge at `size`, from its edge where the part begins and the part's own. */
function extend(p: Primitives, before: Roots, first: number, size: number, hashes: Hashes): Hashes {
  const frontier = createFrontier(p, { size: first, hashes: before.hashes() })
  frontier.append(size, hashes)
  return frontier.hashes()
}

async function inspectItem(
  run: Run,
  item: PartItem,
  first: number,
  before: Roots,
  whole: (size: number, hashes: Hashes) => Hashes,
): Promise<void> {
  const { line, edge, reserved } = item
  const suffix = createSuffix()
  findSuffix(line, 0, line.length, suffix) // it held where the part was checked
  const at = (size: number): Uint8Array | undefined => {
    const known = run.kept.get(size)
    if (known) return rootOf(run.p, known)
    if (size === edge?.size) return rootOf(run.p, whole(size, edge.hashes))
    return size < first && suffix.seq + 1 - size < REACH ? before.at(size) : undefined
  }
  run.roots = { ...before, at }
  const entry = { suffix, leaf: concat(LEAF, entryHashOf(line, suffix)), hashHolds: true }
  await inspect(
    run,
    entry,
    { bytes: line, start: 0, end: line.length, tooLong: false },
    reserved ? { reserved, sessions: undefined } : undefined,
  )
}

/** The leaves that a later record may still ask for: the newest tails that reach back far enough, without a gap. */
function joinTails(before: Roots, { tail }: Part, whole: (size: number, hashes: Hashes) => Hashes): readonly Tail[] {
  const all = [...before.tails(), { ...tail, hashes: whole(tail.size, tail.hashes) }]
  const end = tail.size + tail.leaves.length / 32
  const from = Math.max(
    0,
    all.findLastIndex(({ size }) => end - size >= REACH),
  )
  for (const { leaves } of all.slice(0, from)) release(leaves)
  return all.slice(from)
}

/** Given back at once where the host can: the collector sees only how little stands for them, and lets them lie. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer?.(0)
}

/** The roots behind joined parts; leaves are hashed again only when something asks for a size among them. */
function createJoined(p: Primitives, tails: readonly Tail[], end: { size: number; hashes: Hashes }, kept: Kept): Roots {
  let window: Window | undefined
  const open = (): Window => {
    if (window) return window
    window = createWindow(p, createFrontier(p, tails[0]), kept)
    for (const { leaves } of tails) window.pushLeaves(leaves)
    return window
  }
  return {
    get size() {
      return window?.size ?? end.size
    },
    push: (input) => open().push(input),
    at: (size) => rootOf(p, window || size !== end.size ? open().hashesAt(size) : end.hashes),
    hashes: () => window?.hashesAt(window.size) ?? end.hashes,
    tails: () => (window ? [window.tail()] : tails),
  }
}
