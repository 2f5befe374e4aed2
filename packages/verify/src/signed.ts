/**
 * What a log's keys signed: checkpoints, key transitions, single records.
 *
 * A size counts as signed when its root is the tree's and the key of its epoch signed it. Whether that key
 * means anything is the verifier's trust: a key that only the log itself names is not `known`, and trust
 * never comes from the log. Source: docs/format.md, checkpoints and key epochs.
 * @module
 */
import { createEpochs, type Epoch, type EpochChain, parseTransition, type Transition } from './epochs.ts'
import type { FindingClass, Findings } from './findings.ts'
import type { VerifierKey } from './keys.ts'
import { signableText } from './line.ts'
import { isSignedBy, type Note, type NoteSignature, parseNote } from './note.ts'
import type { Primitives } from './primitives.ts'

/** A seq, or the name of what lies beside the log. */
export type Where = number | string

/** Of one verification; owned by `verifyLog`. */
export interface SignedState {
  readonly p: Primitives
  readonly findings: Findings
  readonly trust: VerifierKey | undefined
  /** Undefined until a key is named by trust or by the log. */
  chain: EpochChain | undefined
  /** The chain was begun from trust alone: the log has not named its first key, or starts later. */
  assumed: boolean
  identity: VerifierKey | undefined
  /** Index of the first epoch that trust reaches. */
  knownFrom: number | undefined
  newest: { size: number; epoch: Epoch } | undefined
  /** Signatures that no key is there for. */
  unchecked: number
}

export function createSigned(p: Primitives, findings: Findings, trust: VerifierKey | undefined): SignedState {
  const state: SignedState = {
    p,
    findings,
    trust,
    chain: undefined,
    assumed: false,
    identity: undefined,
    knownFrom: undefined,
    newest: undefined,
    unchecked: 0,
  }
  if (trust) {
    begin(state, trust, -1)
    state.assumed = true
  }
  return state
}

/** The log names its first key, and the identity key that may sign transitions. */
export function openKeys(state: SignedState, key: VerifierKey, identity: VerifierKey | undefined): void {
  begin(state, key, -1)
  state.identity = identity
}

/**
 * Checks who signed a root that the tree has at `size`, and counts it as signed.
 * @returns false when the signature is missing or wrong; reported as a finding at `where`
 */
export async function checkSignedSize(state: SignedState, note: Note, size: number, where: Where): Promise<boolean> {
  const signer = await findSigner(state.p, state.chain, note, size)
  if (signer === 'unchecked') state.unchecked += 1
  else if (typeof signer === 'string') state.findings.add(signer, where, SIGNER_MESSAGES[signer])
  else advance(state, size, signer)
  return typeof signer !== 'string' || signer === 'unchecked'
}

/**
 * The epochs with those that come behind them, as `notes` hand the key on; what is no valid transition is left out.
 * The state stays as it is.
 */
export async function learnEpochs(state: SignedState, notes: readonly string[]): Promise<EpochChain | undefined> {
  const [first, ...rest] = state.chain?.epochs ?? []
  if (!first) return undefined
  const longer = createEpochs(first.key, first.after)
  for (const { key, after } of rest) longer.add(key, after)
  for (const text of notes) {
    const found = readTransition(text)
    if (found && !(await checkSuccession(state, longer, found.note, found.transition)))
      longer.add(found.transition.newKey, found.transition.size)
  }
  return longer
}

function readTransition(text: string): { note: Note; transition: Transition } | undefined {
  try {
    const note = parseNote(text)
    return { note, transition: parseTransition(note.text) }
  } catch {
    return undefined // no transition
  }
}

/** Checks a key transition, whose root is the tree's, and begins its epoch. */
export async function checkTransition(state: SignedState, note: Note, t: Transition, where: Where): Promise<void> {
  const entersTrust = t.newKey.vkey === state.trust?.vkey && (state.chain === undefined || state.assumed)
  if (!entersTrust && !state.chain) {
    state.unchecked += 1
    return
  }
  const problem = entersTrust ? await checkSigner(state.p, note, [t.newKey]) : await checkSuccession(state, state.chain!, note, t)
  if (problem) {
    state.findings.add(problem, where, 'the signatures of the present key and of its successor were expected')
  } else if (entersTrust) begin(state, t.newKey, t.size)
  else {
    advance(state, t.size, state.chain!.last())
    const epoch = state.chain!.add(t.newKey, t.size)
    if (t.newKey.vkey === state.trust?.vkey) state.knownFrom = epoch.index
  }
}

/** Checks the signature that one record carries. */
export async function checkRecordSignature(
  state: SignedState,
  origin: string,
  record: { seq: number; entryHash: string; signature: Uint8Array },
): Promise<void> {
  const epoch = state.chain?.at(record.seq + 1)
  if (!epoch) {
    state.unchecked += 1
    return
  }
  const message = signableText(origin, record.seq, record.entryHash)
  if (!(await isSignedBy(state.p, epoch.key, message, record.signature))) {
    state.findings.add('signature_invalid', record.seq, 'the record signature of the epoch key was expected')
  }
}

/** Reports a trusted key that the log never reached. Called once, at the end. */
export function finishSigned(state: SignedState): void {
  if (state.trust && state.chain && state.knownFrom === undefined) {
    state.findings.add('signature_invalid', 0, 'the trusted key was expected, the log names another')
  }
}

function begin(state: SignedState, key: VerifierKey, after: number): void {
  state.chain = createEpochs(key, after)
  state.assumed = false
  state.knownFrom = key.vkey === state.trust?.vkey ? 0 : undefined
}

function advance(state: SignedState, size: number, epoch: Epoch): void {
  if (size > (state.newest?.size ?? -1)) state.newest = { size, epoch }
}

const SIGNER_MESSAGES = {
  signature_missing: 'a signature by a key of this log was expected',
  signature_invalid: 'a signature that verifies was expected',
  key_epoch_violation: 'the key of the epoch was expected, found that of another',
} as const
type SignerProblem = keyof typeof SIGNER_MESSAGES

/** Whose signature a note carries. `unchecked`: no key is known for a log of that size. */
export type Signer = Epoch | SignerProblem | 'unchecked'

/** The epoch whose key signed the note over `size` entries, or what is wrong with its signatures. */
export async function findSigner(p: Primitives, chain: EpochChain | undefined, note: Note, size: number): Promise<Signer> {
  const due = chain?.at(size)
  for (const epoch of chain?.epochs.toSorted((a, b) => Number(b === due) - Number(a === due)) ?? []) {
    const found = findSignature(note, epoch.key)
    if (!found) continue
    if (!(await isSignedBy(p, epoch.key, note.text, found.signature))) return 'signature_invalid'
    return epoch === due ? epoch : 'key_epoch_violation'
  }
  return due ? 'signature_missing' : 'unchecked' // signed before the first key that is known here
}

async function checkSuccession(state: SignedState, chain: EpochChain, note: Note, t: Transition): Promise<FindingClass | undefined> {
  const present = chain.last()
  if (present.key.vkey !== t.oldKey.vkey || present.after >= t.size) return 'key_epoch_violation'
  const old = state.identity ? [t.oldKey, state.identity] : [t.oldKey]
  return (await checkSigner(state.p, note, old)) ?? (await checkSigner(state.p, note, [t.newKey]))
}

/** One of `keys` must have signed; the first that did counts. */
async function checkSigner(p: Primitives, note: Note, keys: readonly VerifierKey[]): Promise<FindingClass | undefined> {
  for (const key of keys) {
    const found = findSignature(note, key)
    if (found) return (await isSignedBy(p, key, note.text, found.signature)) ? undefined : 'signature_invalid'
  }
  return 'signature_missing'
}

function findSignature(note: Note, key: VerifierKey): NoteSignature | undefined {
  return note.signatures.find(({ name, id }) => name === key.name && id === key.id)
}
