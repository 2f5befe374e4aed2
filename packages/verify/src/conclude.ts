/**
 * The end of a verification: the checkpoints beside the log, then one claim a level.
 * @module
 */
import { checkNotes } from './beside.ts'
import { equalBytes, parseHex } from './bytes.ts'
import { BROKEN_BY, type LevelName } from './findings.ts'
import { createFrontier, foldRoot } from './frontier.ts'
import { leafHash } from './merkle.ts'
import { type CompleteLevel, formatSeqs, type Level, type Report, type SignedLevel } from './report.ts'
import type { Run } from './run.ts'
import { finishSigned } from './signed.ts'

/** Checks what lies beside the log against what was read, and writes the report. */
export async function conclude(run: Run): Promise<Report> {
  const size = run.chain.next()
  if (run.holes > 0) run.roots = undefined
  await checkNotes(run, size)
  checkAcknowledged(run, size)
  finishSigned(run.signed)
  checkStubs(run)
  checkPrune(run)
  const root = run.roots?.at(size)
  return {
    levels: describeLevels(run, size),
    findings: run.findings.list,
    findingsOmitted: run.findings.omitted(),
    first: run.first,
    size,
    head: run.chain.head(),
    ...(root && run.roots && { root, frontier: run.roots.hashes() }),
    hash: run.chain.hash(),
    ...(run.origin !== undefined && { origin: run.origin }),
    ...(run.logId !== undefined && { logId: run.logId }),
    ...(run.pruned && run.prune && { pruned: run.prune }),
    ...(run.erased.records.length > 0 && { erased: run.erased }),
    pinned: run.options.trust !== undefined,
    ...(run.options.require && { required: run.options.require }),
  }
}

/** The appender remembers an entry that was on disk: it is still there, with its hash. */
function checkAcknowledged({ p, options, kept, roots, findings }: Run, size: number): void {
  const { acknowledged } = options
  if (!acknowledged || !roots) return
  const before = kept.get(acknowledged.size - 1)
  const here = kept.get(acknowledged.size)
  if (acknowledged.size <= size && (!before || !here)) return // pruned
  const grown = before && createFrontier(p, { size: acknowledged.size - 1, hashes: before })
  grown?.push(leafHash(p, parseHex(acknowledged.entryHash)))
  if (!here || !grown || !equalBytes(grown.root(), foldRoot(p, here)))
    findings.add('acknowledged_lost', acknowledged.size - 1, 'an entry that was acknowledged as on disk was expected')
}

/** Entries may be gone where a log.prune that covers them lies below a signed size. */
function checkPrune(run: Run): void {
  const signedSize = run.signed.newest?.size ?? 0
  if (run.pruned && !(run.prune && run.prune.seq < signedSize))
    run.findings.add('segment_missing', 0, `a signed log.prune for the entries before seq ${run.first} was expected`)
}

/** A stub is legal where a log.erasure below a signed size names it. */
function checkStubs(run: Run): void {
  const signedSize = run.signed.newest?.size ?? 0
  for (const [seq, erasedBy] of run.stubs) {
    if (erasedBy === undefined || erasedBy >= signedSize) run.findings.add('withheld', seq, 'a record or a signed log.erasure was expected')
  }
}

function describeLevels(run: Run, size: number): Report['levels'] {
  const holds = (level: LevelName): boolean => !BROKEN_BY[level].some((name) => run.findings.breaks(name))
  const tree = holds('tree') // where the tree is lost a line is malformed or missing
  const signed = describeSigned(run, size, tree && holds('signed'))
  const anchored = run.anchors.finish(() => signed.holds, run.options.now)
  const lines = size - run.first === 1 ? '1 line' : `${size - run.first} lines`
  return {
    bytes: level(holds('bytes'), `${lines} of the fixed form`, 'not every line is what its form says'),
    chain: level(
      holds('chain'),
      `${formatSeqs(run.first, size)}, each linked to the one before`,
      'not every entry follows on the one before',
    ),
    tree: level(
      tree,
      `root of size ${size}`,
      run.roots ? `the root of size ${size} is not that of the signed log` : 'unknown behind a gap',
    ),
    signed,
    anchored,
    complete: describeComplete(run, holds('complete'), size),
  }
}

function level(holds: boolean, detail: string, otherwise: string): Level {
  return { holds, detail: holds ? detail : otherwise }
}

function describeSigned(run: Run, size: number, below: boolean): SignedLevel {
  const { newest, chain, knownFrom, unchecked } = run.signed
  const known = knownFrom !== undefined && newest !== undefined && newest.epoch.index >= knownFrom
  const uncheckedBelow = knownFrom === undefined ? 0 : Math.max(0, chain!.epochs[knownFrom]!.after)
  const facts = { known, unchecked, uncheckedBelow, takeovers: run.takeovers, size: newest?.size ?? 0 }
  if (!newest) return { holds: false, ...facts, detail: chain ? 'no size is signed' : 'not checkable without a key' }
  const { key, index } = newest.epoch
  const by = known ? `by ${key.name}, epoch ${index}` : `by ${key.name}, a key only this ledger vouches for`
  const before = uncheckedBelow > 0 ? `; ${formatSeqs(0, uncheckedBelow)} not checkable with this key` : ''
  const but = below ? '' : '; but the log does not hold'
  const detail = `${formatSeqs(uncheckedBelow, newest.size)} ${by}${before}${describeRest(run, newest.size, size)}${but}`
  return { holds: below && known, ...facts, epoch: index, vkey: key.vkey, detail }
}

function describeRest(run: Run, signed: number, size: number): string {
  if (signed === size) return ''
  if (signed + 1 === size && run.lastCheckpoint === signed) return "; behind it only the checkpoint's own record"
  return `; behind it ${size - signed === 1 ? '1 entry' : `${size - signed} entries`} by the chain only`
}

function describeComplete(run: Run, range: boolean, size: number): CompleteLevel {
  const sessions = run.sessions?.count()
  const whole = !sessions || sessions.broken + sessions.untracked === 0
  const scope = !range ? 'none' : sessions && sessions.open + sessions.reopened === 0 && whole ? 'session' : 'range'
  const gaps =
    run.gaps > 0
      ? `; ${run.gaps === 1 ? '1 log.gap record names' : `${run.gaps} log.gap records name`} events that were never recorded`
      : ''
  const counted = sessions
    ? `; sessions: ${sessions.complete} complete, ${sessions.open} open, ${sessions.reopened} reopened, ${sessions.broken} broken, ${sessions.untracked} untracked`
    : ''
  const pruned = run.pruned && run.prune ? `; those before were pruned: their existence is signed, their content is not here` : ''
  const here = size > run.first ? `${formatSeqs(run.first, size)}, none missing` : 'no entry, and none was expected'
  const detail = `${range ? `${here}${pruned}` : 'entries are missing, changed or withheld'}${counted}${gaps}`
  return { holds: range && whole, scope, ...(sessions && { sessions }), detail }
}
