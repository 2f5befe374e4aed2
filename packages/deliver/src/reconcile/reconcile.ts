/**
 * Whether a sink holds exactly what it was sent: block by block, by the tree's own hashes where it holds exact lines.
 *
 * A sink that can say the root of a range is asked for roots, and only where one differs for what lies below it. Every
 * other sink is read whole. Both ends may move meanwhile: what is beyond the cursor may be there already, and waits
 * otherwise. Nothing is changed at either end.
 * @module
 */
import type { LedgerFiles } from '@sworn/recorder/segments'
import { createFrontier, equalBytes, SwornError, toBase64 } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { readCursor } from '../cursor.ts'
import { readLetters } from '../dead-letters.ts'
import type { SinkPlan } from '../delivery.ts'
import { seenCheckpoint } from '../history.ts'
import type { Held, Holdings } from '../holdings.ts'
import type { SinkPlaces } from '../places.ts'
import { createShape, type Shape } from '../shape.ts'
import { openSource } from '../source.ts'
import { differing } from './differing.ts'
import { type Block, expectedBlocks, LEFT_OUT, SENT, UNKNOWN } from './expected.ts'
import { type Claim, leafOf } from './leaf.ts'

/** How many there are, and the first of them. */
export interface Named {
  readonly count: number
  readonly seqs: readonly number[]
}

export interface Reconciliation {
  readonly claim: Claim
  /** Entries that are there as they should be. */
  readonly equal: number
  /** Were sent and are not there. Those that the sink refused are counted by `parked` too. */
  readonly missing: Named
  /** Are there and were not sent, or are there twice. */
  readonly extra: Named
  /** Are there with another content. */
  readonly altered: Named
  /** What is there and names no entry of the ledger. */
  readonly unplaced: number
  readonly parked: number
  /** Entries that the sink has not got yet. */
  readonly waiting: number
  /** Entries that were pruned here: what the sink got for them cannot be told any more. */
  readonly unknown: number
  /** False when only entries that were asked for are found: what was never sent could be there too. */
  readonly findsExtra: boolean
  /** The ledger's newest checkpoint, when all lines below it were compared: whether the tree over them has its root. */
  readonly tree?: { readonly size: number; readonly root: string; readonly holds: boolean } | undefined
}

export interface ReconcileOptions {
  readonly files: LedgerFiles
  readonly origin: string
  /** Of sworn. */
  readonly version: string
  readonly plan: SinkPlan
  readonly places: SinkPlaces
  readonly signal: AbortSignal
}

/** Each of their records names the one before: what was sent depends on when delivery was started. */
const LINKED: readonly string[] = ['ocsf', 'aegis']
const MAX_NAMED = 100
/** Entries behind the end that are looked up: what may be recorded while one reads. */
const MAX_BEYOND = 1 << 18
const NO_LEAF = new Uint8Array(0)

/** @throws SwornError SINK_UNREADABLE, DRIVER_MISSING, SINK_DIVERGED, LINE_MALFORMED; the file system's errors */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { plan, places, files } = options
  const cursor = readCursor(places.cursor)
  if (!plan.holdings) throw new SwornError('SINK_UNREADABLE', 'a sink that can be asked what it holds was expected', plan.name)
  if (!cursor) throw new SwornError('SINK_UNREADABLE', 'a sink that was delivered to was expected', plan.name)
  const checkpoint = seenCheckpoint(files)
  const holdings = await plan.holdings()
  try {
    return await compare(options, holdings, { ...cursor, checkpoint })
  } finally {
    await holdings.close()
  }
}

type Until = Pick<NonNullable<ReturnType<typeof readCursor>>, 'first' | 'next' | 'checkpoint'>

async function compare(options: ReconcileOptions, holdings: Holdings, until: Until): Promise<Reconciliation> {
  const { plan, origin, version, files, places, signal } = options
  const claim = claimOf(plan, holdings)
  const whole = claim === 'lines' && plan.shape.where === undefined && plan.shape.records === 'all'
  const shape = createShape({ ...plan.shape, origin, version })
  const tally = createTally()
  const tree = createTree(until.checkpoint)
  let end = 0
  for await (const block of expectedBlocks({ files, claim, shape, whole })) {
    await compareBlock(block, { claim, holdings, until, tally, signal })
    tree.take(block)
    end = block.to
  }
  if (holdings.findsExtra) await compareBeyond(options, holdings, { end, claim, shape, tally })
  return {
    ...{ claim, ...tally.counts() },
    parked: readLetters(places.dead).length,
    waiting: Math.max(0, end - until.next),
    findsExtra: holdings.findsExtra,
    tree: tree.end(),
  }
}

/** What is held behind the end that was read: sent meanwhile, or by nobody. What was sent is in the ledger by now. */
async function compareBeyond(
  { files, signal }: ReconcileOptions,
  holdings: Holdings,
  { end, claim, shape, tally }: { readonly end: number; readonly claim: Claim; readonly shape: Shape; readonly tally: Tally },
): Promise<void> {
  const beyond = new Map<number, Uint8Array>()
  for await (const { seq, body, wrong } of holdings.read({ from: end, to: Number.POSITIVE_INFINITY }, signal)) {
    if (seq === undefined || beyond.has(seq) || beyond.size === MAX_BEYOND) tally.extra(seq)
    else beyond.set(seq, wrong === undefined ? leafOf(claim, body) : NO_LEAF)
  }
  const source = openSource(files, end)
  try {
    for (let lines = await source.read(); lines.length > 0 && beyond.size > 0; lines = await source.read()) {
      for (const line of lines) {
        const [leaf, item] = [beyond.get(line.seq), await shape(line)]
        if (!leaf || !item) continue
        beyond.delete(line.seq)
        if (equalBytes(leaf, leafOf(claim, item.body))) tally.equal(1)
        else tally.altered(line.seq)
      }
    }
  } finally {
    await source.close()
  }
  for (const seq of beyond.keys()) tally.extra(seq)
}

function claimOf({ shape: { dialect, redact } }: SinkPlan, { compares }: Holdings): Claim {
  if (dialect !== undefined && LINKED.includes(dialect)) return 'presence'
  if (compares === 'values') return 'values'
  return dialect === undefined && redact === undefined ? 'lines' : 'bodies'
}

interface Comparing {
  readonly claim: Claim
  readonly holdings: Holdings
  readonly until: Until
  readonly tally: Tally
  readonly signal: AbortSignal
}

const HASH_BYTES = 32
/** What was found of an entry. */
const [SAME, OTHER] = [1, 2]

async function compareBlock(block: Block, { claim, holdings, until, tally, signal }: Comparing): Promise<void> {
  const { from, to, leaves, states } = block
  const isDue = (seq: number) => seq >= (until.first ?? 0) && seq < until.next
  const seen = Buffer.alloc(to - from)
  for await (const { range, equal } of differing(block, holdings, signal)) {
    if (equal) {
      tally.equal(range.to - range.from)
      continue
    }
    for await (const held of holdings.read(range, signal)) judge(held)
    for (let seq = range.from; seq < range.to; seq++) {
      const [state, found] = [states[seq - from], seen[seq - from]]
      if (state === UNKNOWN) tally.unknown()
      else if (state === SENT && found === SAME) tally.equal(1)
      else if (state === SENT && found === OTHER) tally.altered(seq)
      else if (state === SENT && isDue(seq)) tally.missing(seq)
    }
  }

  function judge({ seq, body, wrong }: Held): void {
    if (seq === undefined || seq < from || seq >= to) return // what has no place is told behind the end
    const at = seq - from
    if (seen[at] !== 0 || states[at] === LEFT_OUT) tally.extra(seq)
    const isSame = wrong === undefined && leaves.compare(leafOf(claim, body), 0, HASH_BYTES, at * HASH_BYTES, (at + 1) * HASH_BYTES) === 0
    if (seen[at] !== SAME) seen[at] = isSame ? SAME : OTHER // of two, the one that is right stands for the entry
  }
}

type Tally = ReturnType<typeof createTally>

function createTally() {
  const lists = { missing: createNamed(), extra: createNamed(), altered: createNamed() }
  const numbers = { equal: 0, unplaced: 0, unknown: 0 }
  return {
    equal: (count: number) => void (numbers.equal += count),
    unknown: () => void numbers.unknown++,
    missing: lists.missing.add,
    altered: lists.altered.add,
    extra: (seq: number | undefined) => (seq === undefined ? void numbers.unplaced++ : lists.extra.add(seq)),
    counts: () => ({ ...numbers, missing: lists.missing.named(), extra: lists.extra.named(), altered: lists.altered.named() }),
  }
}

function createNamed() {
  const seqs: number[] = []
  let count = 0
  return {
    add(seq: number): void {
      count++
      if (seqs.length < MAX_NAMED) seqs.push(seq)
    },
    named: (): Named => ({ count, seqs: seqs.toSorted((a, b) => a - b) }),
  }
}

/** Grows with the blocks as long as each entry's leaf is the ledger's own, up to the checkpoint. */
function createTree(checkpoint: Until['checkpoint']) {
  const frontier = createFrontier(nodePrimitives)
  let root: string | undefined
  return {
    take({ from, to, leaves, inTree }: Block): void {
      if (!checkpoint || !inTree || frontier.size !== from) return
      for (let at = from; at < Math.min(to, checkpoint.size); at++) frontier.push(leaves, (at - from) * HASH_BYTES)
      if (frontier.size === checkpoint.size) root = toBase64(frontier.root())
    },
    end: (): Reconciliation['tree'] => (checkpoint && root !== undefined ? { ...checkpoint, holds: root === checkpoint.root } : undefined),
  }
}
