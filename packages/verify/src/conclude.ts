/**
 * The end of a verification: the checkpoints beside the log, then one claim a level.
 * @module
 */
import { equalBytes, parseHex } from './bytes.ts'
import type { LevelName } from './findings.ts'
import { createFrontier, foldRoot } from './frontier.ts'
import { leafHash } from './merkle.ts'
import type { CompleteLevel, Level, Report, SignedLevel } from './report.ts'
import type { Beside, Run } from './run.ts'
import { checkSignedSize, finishSigned, isForged } from './signed.ts'

/** Checks what lies beside the log against what was read, and writes the report. */
export async function conclude(run: Run): Promise<Report> {
  const size = run.chain.next()
  if (run.holes > 0) run.roots = undefined
  await checkNotes(run, size)
  checkFork(run)
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
    ...(root && { root }),
    hash: run.chain.hash(),
    ...(run.origin !== undefined && { origin: run.origin }),
    ...(run.logId !== undefined && { logId: run.logId }),
    ...(run.pruned && run.prune && { pruned: run.prune }),
    pinned: run.options.trust !== undefined,
    ...(run.options.require && { required: run.options.require }),
  }
}

/** Of the notes beyond the end the largest counts: the others say the same of less. */
async function checkNotes(run: Run, size: number): Promise<void> {
  const beyond: { signer?: Beside; beside?: Beside } = {}
  for (const checkpoint of run.beside) {
    if (await checkBeside(run, checkpoint, size)) beyond[checkpoint.own ? 'signer' : 'beside'] = checkpoint
  }
  const expected = (checkpoint: Beside): string => `${checkpoint.size} entries were expected, found ${size}`
  if (beyond.signer) run.findings.add('rollback', beyond.signer.at, expected(beyond.signer))
  if (beyond.beside) run.findings.add('truncated_below_checkpoint', beyond.beside.at, expected(beyond.beside))
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

/** True when the checkpoint lies beyond the end and nothing else is wrong with it. */
async function checkBeside(run: Run, checkpoint: Beside, size: number): Promise<boolean> {
  const { note, at, own } = checkpoint
  if (checkpoint.origin !== (run.origin ?? checkpoint.origin)) {
    run.findings.add('state_invalid', at, 'the origin of this log was expected')
    return false
  }
  if (checkpoint.size > size) {
    const forged = await isForged(run.signed, note, checkpoint.size)
    if (forged) run.findings.add('signature_invalid', at, 'a signature that verifies was expected')
    return !forged
  }
  const root = run.roots?.at(checkpoint.size)
  if (root && !equalBytes(root, checkpoint.root)) {
    run.findings.add(own ? 'fork' : 'root_mismatch', at, 'the root of the checkpoint was expected')
  } else if (root && (await checkSignedSize(run.signed, note, checkpoint.size, at))) await run.anchors.see(note, checkpoint.size, at)
  return false
}

/** Two notes of one size and different roots: one of them belongs to another history. */
function checkFork(run: Run): void {
  run.beside.forEach((checkpoint, i) => {
    const next = run.beside[i + 1]
    if (next?.size === checkpoint.size && !equalBytes(next.root, checkpoint.root)) {
      run.findings.add('fork', checkpoint.at, 'one root of this size was expected, found two')
    }
  })
}

function describeLevels(run: Run, size: number): Report['levels'] {
  const holds = (...levels: LevelName[]): boolean => !levels.some((level) => run.findings.breaks(level))
  const tree = holds('bytes', 'chain', 'tree') && run.roots !== undefined
  const signed = describeSigned(run, size, tree && holds('signed'))
  const anchored = run.anchors.finish(() => signed.holds, run.options.now)
  return {
    bytes: level(holds('bytes'), `${size - run.first} lines of the fixed form`, 'not every line is what its form says'),
    chain: level(
      holds('bytes', 'chain'),
      `${run.first} to ${size}, each linked to the one before`,
      'not every entry follows on the one before',
    ),
    tree: level(
      tree,
      `root of size ${size}`,
      run.roots ? `the root of size ${size} is not that of the signed log` : 'unknown behind a gap',
    ),
    signed,
    anchored,
    complete: describeComplete(run, holds('bytes', 'chain', 'complete')),
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
  const rest = newest.size < size ? `; ${size - newest.size} entries behind it by the chain only` : ''
  const before = uncheckedBelow > 0 ? `; up to ${uncheckedBelow} not checkable with this key` : ''
  const but = below ? '' : '; but the log does not hold'
  return { holds: below && known, ...facts, epoch: index, vkey: key.vkey, detail: `up to ${newest.size} ${by}${before}${rest}${but}` }
}

function describeComplete(run: Run, range: boolean): CompleteLevel {
  const sessions = run.sessions?.count()
  const whole = !sessions || sessions.broken + sessions.untracked === 0
  const scope = !range ? 'none' : sessions && sessions.open + sessions.reopened === 0 && whole ? 'session' : 'range'
  const gaps = run.gaps > 0 ? `; ${run.gaps} log.gap records name events that were never recorded` : ''
  const counted = sessions
    ? `; sessions: ${sessions.complete} complete, ${sessions.open} open, ${sessions.reopened} reopened, ${sessions.broken} broken, ${sessions.untracked} untracked`
    : ''
  const pruned = run.pruned && run.prune ? `; those before were pruned: their existence is signed, their content is not here` : ''
  const detail = `${range ? `every entry from ${run.first} on is here${pruned}` : 'entries are missing, changed or withheld'}${counted}${gaps}`
  return { holds: range && whole, scope, ...(sessions && { sessions }), detail }
}
