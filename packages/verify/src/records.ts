/**
 * The reserved records of a log (`log.*`): what each must say, checked against what was seen.
 *
 * Only records whose own hash held come here; their content is still the writer's word. Unknown `log.*`
 * types and members are left alone. Rules: docs/format.md, reserved records.
 * @module
 */
import { equalBytes } from './bytes.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { parseTransition } from './epochs.ts'
import { SwornError } from './errors.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { parseVkey } from './keys.ts'
import { LABEL } from './line.ts'
import { type Note, parseNote } from './note.ts'
import type { Run } from './run.ts'
import { readSegment } from './segment.ts'
import { checkSignedSize, checkTransition, openKeys } from './signed.ts'

/** How far the appender's clock may go back, or be ahead of the verifier's, without a warning. */
const CLOCK_TOLERANCE_MS = 5_000
const MAX_TAKEOVERS = 100
const MAX_ERASURES = 100
/** Checkpoints that an anchor may still be about; some 150 bytes each. */
const MAX_NOTED = 4096
/** As a note has at most. */
const MAX_SIGNATURES = 100
const TIMESTAMP = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z$/

type Rule = (run: Run, payload: JsonObject, seq: number) => void | Promise<void>

/**
 * Checks one reserved record and takes in what it says.
 * @throws SwornError LEDGER_FOREIGN_FILE when the log names a format that is not ours
 */
export async function checkRecord(run: Run, type: string, payload: JsonObject, seq: number): Promise<void> {
  try {
    checkTime(run, textOf(payload, 'timestamp'), seq)
    if (Object.hasOwn(RULES, type)) await RULES[type]!(run, payload, seq)
  } catch (e) {
    if (!SwornError.is(e) || e.code === 'LEDGER_FOREIGN_FILE') throw e
    run.findings.add('record_malformed', seq, `${type}: ${e.message}`)
  }
}

const RULES: Record<string, Rule> = {
  'log.open': open,
  'log.start': (run, payload) => {
    const { unsigned_from: from, found: to } = payload
    if (typeof from !== 'number' || typeof to !== 'number' || from >= to) return
    if (run.takeovers.length < MAX_TAKEOVERS) run.takeovers.push({ from, to })
  },
  'log.segment': segment,
  'log.checkpoint': checkpoint,
  'log.anchor': anchor,
  'log.key_transition': transition,
  'log.recovered': (run, _payload, seq) => run.findings.add('recovered', seq, 'a torn tail was cut here after a crash'),
  'log.gap': (run, payload, seq) => {
    run.gaps += 1
    if (payload.reason === 'segment_missing') run.findings.add('segment_missing', seq, 'the recorder found a segment gone')
  },
  'log.erasure': erasure,
  'log.prune': (run, payload, seq) => {
    const { minimum_index: minimum } = payload
    if (typeof minimum !== 'number' || minimum > seq) throw refuse('a minimum_index up to this record was expected')
    if (minimum >= run.first) run.prune ??= { seq, policy: textOf(payload, 'policy') }
  },
  'log.close': (run, payload, seq) => {
    if (payload.final_size !== seq + 1) throw refuse('final_size of this record was expected')
    run.closed = true
  },
}

function open(run: Run, payload: JsonObject, seq: number): void {
  if (seq !== 0) throw refuse('no second log.open was expected')
  if (textOf(payload, 'format') !== LABEL) throw new SwornError('LEDGER_FOREIGN_FILE', `the format ${LABEL} was expected`, 'seq=0')
  if (payload.hash !== run.chain.hash()) throw refuse('the hash of this chain was expected')
  const key = parseVkey(textOf(payload, 'vkey'))
  const origin = textOf(payload, 'origin')
  if (key.name !== origin) throw refuse('a key named like the origin was expected')
  const identity = payload.identity_vkey === undefined ? undefined : parseVkey(textOf(payload, 'identity_vkey'))
  run.origin = origin
  run.logId = textOf(payload, 'log_id')
  run.allSigned = payload.record_signatures === 'all'
  openKeys(run.signed, key, identity)
}

function segment(run: Run, payload: JsonObject, seq: number): void {
  const root = readSegment(run.p, payload, seq).root()
  const known = run.roots?.at(seq)
  if (known && !equalBytes(known, root)) run.findings.add('root_mismatch', seq, 'the frontier of the tree was expected')
}

async function checkpoint(run: Run, payload: JsonObject, seq: number): Promise<void> {
  const note = parseNote(textOf(payload, 'checkpoint'))
  const { origin, size, root } = parseCheckpoint(note.text)
  if (origin !== (run.origin ??= origin)) throw refuse('the origin of this log was expected')
  if (size > seq || size <= run.lastCheckpoint) throw refuse('a size between the checkpoint before and the own seq was expected')
  run.lastCheckpoint = size
  if (!checkRoot(run, size, root, seq)) return
  if (!(await checkSignedSize(run.signed, note, size, seq))) return
  remember(run, size, note)
  await run.anchors.see(note, size, seq)
}

function remember({ noted }: Run, size: number, note: Note): void {
  noted.set(size, note)
  const [oldest] = noted.keys()
  if (noted.size > MAX_NOTED && oldest !== undefined) noted.delete(oldest)
}

/** A cosignature on a checkpoint among the records before; on one that lies too far back it says nothing here. */
async function anchor(run: Run, payload: JsonObject, seq: number): Promise<void> {
  const { size } = payload
  if (typeof size !== 'number' || size > seq) throw refuse('a size up to the own seq was expected')
  const note = run.noted.get(size)
  if (!note) return
  const { signatures } = parseNote(`${note.text}\n${textOf(payload, 'receipt')}\n`)
  const known = new Set(note.signatures.map(({ line }) => line))
  note.signatures.push(...signatures.filter(({ line }) => !known.has(line)).slice(0, MAX_SIGNATURES - note.signatures.length))
  await run.anchors.see(note, size, seq)
}

async function transition(run: Run, payload: JsonObject, seq: number): Promise<void> {
  const note = parseNote(textOf(payload, 'note'))
  const parsed = parseTransition(note.text)
  if (parsed.origin !== (run.origin ??= parsed.origin) || parsed.size !== seq)
    throw refuse('origin and seq of the record itself were expected')
  if (checkRoot(run, seq, parsed.root, seq)) await checkTransition(run.signed, note, parsed, seq)
}

/** True when the tree has this root at `size`; reports a mismatch, and a size that one pass cannot check. */
function checkRoot(run: Run, size: number, root: Uint8Array, seq: number): boolean {
  const known = run.roots?.at(size)
  if (known && equalBytes(known, root)) return true
  if (known) run.findings.add('root_mismatch', seq, `the root of size ${size} was expected`)
  else if (run.roots && size >= run.first) run.findings.add('stale', seq, 'the checkpoint lies too far back to be checked', 'warning')
  return false
}

function erasure(run: Run, payload: JsonObject, seq: number): void {
  const { targets } = payload
  if (!Array.isArray(targets)) throw refuse('targets were expected')
  for (const target of targets) {
    const named = isJsonObject(target) && typeof target.seq === 'number' ? target.seq : -1
    if (run.stubs.has(named)) run.stubs.set(named, run.stubs.get(named) ?? seq)
    if (named >= run.first) run.erased.targets++ // the others were pruned
  }
  if (run.erased.records.length < MAX_ERASURES) run.erased.records.push(seq)
}

function checkTime(run: Run, timestamp: string, seq: number): void {
  const timeMs = TIMESTAMP.test(timestamp) ? Date.parse(timestamp) : Number.NaN
  if (Number.isNaN(timeMs)) throw refuse('a timestamp in UTC was expected')
  if (run.lastTimeMs - timeMs >= CLOCK_TOLERANCE_MS)
    run.findings.add('time_regression', seq, 'a time not before the last reserved record was expected')
  if (run.options.now !== undefined && timeMs - run.options.now >= CLOCK_TOLERANCE_MS) {
    run.findings.add('time_future', seq, 'a time not after the present was expected')
  }
  run.lastTimeMs = timeMs
}

function textOf(payload: JsonObject, name: string): string {
  const value = payload[name]
  if (typeof value !== 'string') throw refuse(`the text member ${name} was expected`)
  return value
}

function refuse(message: string): SwornError {
  return new SwornError('LINE_MALFORMED', message)
}
