/**
 * One verification under way: its options and what the modules share while the log streams by.
 *
 * Owned by `verifyLog`; nothing here outlives the call.
 * @module
 */
import { type Anchors, createAnchors, type WitnessPolicy } from './anchors.ts'
import { text } from './bytes.ts'
import { type Chain, createChain } from './chain.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { createFindings, type Findings, type LevelName } from './findings.ts'
import type { VerifierKey } from './keys.ts'
import { GENESIS } from './line.ts'
import { type Note, parseNote } from './note.ts'
import type { HashName, Primitives } from './primitives.ts'
import { createRoots, type Kept, type Roots } from './roots.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSigned, type SignedState } from './signed.ts'

/** A signed note and where it was found, such as the name of its file, which findings about it then say. */
export interface NamedNote {
  note: Uint8Array | string
  name: string
}

export interface VerifyOptions {
  primitives: Primitives
  /** The chain's hash; found out from the first line when not given. */
  hash?: HashName
  /** The key the verifier pinned: of the first epoch, or of a later one. */
  trust?: VerifierKey
  /** Signed notes found beside the log. Attacker-controlled: those that no key of the log signed change no claim. */
  checkpoints?: readonly (Uint8Array | string | NamedNote)[]
  /** Signed notes from the signer's own memory, outside the log: a log that they contradict was rolled back or forked. */
  signerNotes?: readonly (Uint8Array | string)[]
  /** What the appender's own memory says was on disk: that many entries, the last with this entry hash (64 hex characters). */
  acknowledged?: { size: number; entryHash: string }
  /**
   * Lines of reserved.jsonl: for a pruned log whose leaves are fed before its entries, and for the keys of notes beside a log
   * that was cut. Attacker-controlled.
   */
  reserved?: readonly Uint8Array[]
  /** Witnesses the verifier trusts. */
  witness?: WitnessPolicy
  /** The level `reportVerdict` asks for; `complete` also parses every line to follow the sessions. */
  require?: LevelName
  /** Parses every line: I-JSON, no member twice. */
  strict?: boolean
  /** A writer is live: a last line without LF is in progress, not damaged. */
  inProgressTail?: boolean
  /** Milliseconds since 1970, the verifier's clock. */
  now?: number
  /** seqs whose record signature must be there, whatever the log says. */
  signedRecords?: readonly number[]
  /** Where the stream begins, when that is not seq 0 or a log.segment record: a pruned log. Trusted by the caller. */
  start?: { seq: number; previousHash: string; frontier: readonly Uint8Array[] }
}

export type OptionName = keyof VerifyOptions

/** A checkpoint beside the log, read before the stream begins. Unverified. */
export interface Beside {
  note: Note
  origin: string
  size: number
  root: Uint8Array
  at: string
  /** From the signer's own memory. */
  own: boolean
}

export interface Run {
  readonly p: Primitives
  readonly options: VerifyOptions
  readonly findings: Findings
  readonly chain: Chain
  /** Undefined once a gap has lost the tree. */
  roots: Roots | undefined
  readonly signed: SignedState
  readonly anchors: Anchors
  readonly sessions: Sessions | undefined
  readonly beside: readonly Beside[]
  /** Edges at the sizes of `beside`. */
  readonly kept: Kept
  readonly first: number
  /** Malformed lines since the last good one. */
  holes: number
  origin: string | undefined
  logId: string | undefined
  /** Every record must carry a signature. */
  allSigned: boolean
  /** The newest checkpoints among the records, by size, with the cosignatures of the log.anchor records about them. */
  readonly noted: Map<number, Note>
  /** Size of the newest log.checkpoint. */
  lastCheckpoint: number
  /** Time of the newest log.* record, milliseconds. */
  lastTimeMs: number
  closed: boolean
  /** Entries below `first` are gone; the leaves of the tree were fed in their place. */
  readonly pruned: boolean
  /** The first log.prune that covers them. */
  prune: { seq: number; policy: string } | undefined
  /** log.gap records: events that were never recorded. */
  gaps: number
  takeovers: { from: number; to: number }[]
  /** What log.erasure records name, and seq of the first 100 of them. */
  readonly erased: { targets: number; readonly records: number[] }
  /** seq of each stub -> seq of the first log.erasure that names it. */
  readonly stubs: Map<number, number | undefined>
}

/** Where the stream begins: given, or as its first line shows. */
export interface Start {
  seq: number
  previousHash: string
  frontier: readonly Uint8Array[]
}

export const GENESIS_START: Start = { seq: 0, previousHash: GENESIS, frontier: [] }

/** What is known before the first line is read. */
export interface Preparation {
  readonly findings: Findings
  readonly beside: readonly Beside[]
  readonly kept: Kept
}

export function prepare(options: VerifyOptions): Preparation {
  const findings = createFindings()
  const { checkpoints = [], signerNotes = [], acknowledged } = options
  const found = [...readBeside(signerNotes, findings, true), ...readBeside(checkpoints, findings, false)]
  const beside = found.sort((a, b) => a.size - b.size)
  const sizes = [...beside.map(({ size }) => size), ...(acknowledged ? [acknowledged.size - 1, acknowledged.size] : [])]
  return { findings, beside, kept: new Map(sizes.map((size) => [size, undefined])) }
}

/** True when every line is parsed. */
export function isParsing({ strict, require }: VerifyOptions): boolean {
  return strict === true || require === 'complete'
}

/** @param pruned the tree so far, when the log's first entries are gone */
export function createRun(options: VerifyOptions, { findings, beside, kept }: Preparation, start: Start, pruned?: Roots): Run {
  const p = options.primitives
  return {
    p,
    options,
    findings,
    chain: createChain(p, { seq: start.seq, previousHash: start.previousHash, ...(options.hash && { hash: options.hash }) }),
    roots: pruned ?? createRoots(p, { size: start.seq, hashes: start.frontier }, kept),
    signed: createSigned(p, findings, options.trust),
    anchors: createAnchors(p, findings, options.witness),
    sessions: isParsing(options) ? createSessions(start.seq > 0) : undefined,
    beside,
    kept,
    first: start.seq,
    holes: 0,
    origin: options.trust?.name,
    logId: undefined,
    allSigned: false,
    noted: new Map(),
    lastCheckpoint: 0,
    lastTimeMs: Number.NEGATIVE_INFINITY,
    closed: false,
    pruned: pruned !== undefined,
    prune: undefined,
    gaps: 0,
    takeovers: [],
    erased: { targets: 0, records: [] },
    stubs: new Map(),
  }
}

const isNamed = (found: Uint8Array | string | NamedNote): found is NamedNote => typeof found === 'object' && 'note' in found

/** Parses notes; what is none is reported and left out: a warning where anybody may have put it, a finding where the signer keeps its own. */
function readBeside(notes: NonNullable<VerifyOptions['checkpoints']>, findings: Findings, own: boolean): Beside[] {
  const name = own ? 'signer state' : 'checkpoint'
  return notes.flatMap((found, i) => {
    const file = isNamed(found) ? found.name : undefined
    const note = tryNote(isNamed(found) ? found.note : found)
    if (note) return [{ ...note, at: `${name} of size ${note.size}${file === undefined ? '' : ` in ${file}`}`, own }]
    findings.add('state_invalid', file ?? `${name} ${i + 1}`, 'a signed checkpoint was expected', own ? 'finding' : 'warning')
    return []
  })
}

function tryNote(bytes: Uint8Array | string): Omit<Beside, 'at' | 'own'> | undefined {
  try {
    const note = readNote(typeof bytes === 'string' ? bytes : text(bytes))
    const { origin, size, root } = parseCheckpoint(note.text)
    return { note, origin, size, root }
  } catch {
    return undefined
  }
}

/** A text alone is a note that nobody signed. */
function readNote(whole: string): Note {
  return /\n\n./.test(whole) ? parseNote(whole) : { text: whole.replace(/\n\n$/, '\n'), signatures: [] }
}
