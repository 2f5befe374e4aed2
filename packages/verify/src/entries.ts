/**
 * One line of a log and what it does to a verification under way: chain, tree, and the records to look into.
 *
 * A promise only where a record or a signature has to be looked at; all other lines are done at once.
 * @module
 */
import { concat, toHex, utf8 } from './bytes.ts'
import type { Link } from './chain.ts'
import { SwornError } from './errors.ts'
import { type JsonObject, parseStrict } from './json.ts'
import { readSignature, type Suffix } from './line.ts'
import { checkRecord } from './records.ts'
import { createRoots } from './roots.ts'
import type { Run } from './run.ts'
import { isReservedAt } from './scan.ts'
import { findFrontier } from './segment.ts'
import type { Sessions } from './sessions.ts'
import { checkRecordSignature } from './signed.ts'
import { type Cursor, MAX_LINE_BYTES } from './splitter.ts'

const CLOSE = utf8('}')
const MAX_STUBS = 10_000

/** What `inspect` asks of a line. */
export interface Entry {
  readonly suffix: Suffix
  readonly leaf: Uint8Array
  readonly hashHolds: boolean
}

/** Checks the line under the cursor. */
export function checkLine(run: Run, cursor: Cursor): Promise<void> | undefined {
  if (cursor.tooLong) {
    run.findings.add('suffix_malformed', run.chain.next(), `a line of at most ${MAX_LINE_BYTES} bytes was expected`)
    run.chain.skip()
    run.holes += 1
    return undefined
  }
  const link = run.chain.check(cursor.bytes, cursor.start, cursor.end)
  if (link.problem) reportLink(run, link, cursor)
  if (!link.formed) {
    run.holes += 1
    return undefined
  }
  growTree(run, link)
  const { seq } = link.suffix
  if (run.closed) run.findings.add('closed_log_extended', seq, 'nothing was expected behind log.close')
  if (link.stub) return withhold(run, seq)
  const reserved = link.hashHolds && isReservedAt(cursor.bytes, cursor.start, link.suffix.bodyEnd)
  const parsed = reserved || (link.hashHolds && run.sessions !== undefined)
  if (!parsed && seq > 0 && link.suffix.signatureAt < 0 && !isSignatureDue(run, seq)) return undefined
  return inspect(run, link, cursor, parsed ? { reserved, sessions: run.sessions } : undefined)
}

function reportLink(run: Run, link: Link, { bytes, start }: Cursor): void {
  const { seq, bodyEnd } = link.suffix
  const ahead = link.problem === 'seq_gap' && link.hashHolds && seq > link.expected
  const frontier = ahead ? findFrontier(run.p, bytes.subarray(start, bodyEnd), seq) : undefined
  if (!frontier) run.findings.add(link.problem!, link.expected, link.message)
  else {
    run.findings.add('segment_missing', link.expected, `the entries before seq ${seq} were expected`)
    run.roots = createRoots(run.p, { size: seq, hashes: frontier.hashes() }, run.kept) // the tree of what is here
  }
}

function growTree(run: Run, link: Link): void {
  if (run.holes === 1 && link.mended) run.roots?.push(link.mended)
  run.holes = 0
  // After a gap the tree is lost, unless a segment record brought its frontier.
  if (run.roots?.size !== link.suffix.seq) run.roots = undefined
  run.roots?.push(link.leaf)
}

function withhold(run: Run, seq: number): undefined {
  if (seq === 0) run.findings.add('record_malformed', seq, 'log.open was expected, found a withheld record')
  else if (run.stubs.size < MAX_STUBS) run.stubs.set(seq, undefined)
  else run.findings.add('withheld', seq, 'the record was expected, found its hashes alone')
}

function isSignatureDue(run: Run, seq: number): boolean {
  return run.allSigned || (run.options.signedRecords?.includes(seq) ?? false)
}

/** What to do with a payload besides. `sessions`: who follows them, when nobody has yet. */
interface Parse {
  readonly reserved: boolean
  readonly sessions: Sessions | undefined
}

/** Looks into a record, and at the signature of a line that has or needs one. */
export async function inspect(run: Run, link: Entry, cursor: Cursor, parse: Parse | undefined): Promise<void> {
  const { seq, signatureAt } = link.suffix
  const payload = parse && readPayload(run, cursor.bytes.subarray(cursor.start, link.suffix.bodyEnd), seq, parse.reserved)
  const type = payload?.event_type
  if (payload && typeof type === 'string' && type.startsWith('log.')) {
    if (parse?.reserved) await checkRecord(run, type, payload, seq)
    else run.findings.add('record_malformed', seq, 'a reserved record in compact form was expected')
  } else if (payload) parse?.sessions?.see(payload)
  if (seq === 0 && type !== 'log.open' && link.hashHolds) run.findings.add('record_malformed', 0, 'log.open was expected')
  if (signatureAt >= 0) await checkSignature(run, link, cursor)
  else if (isSignatureDue(run, seq)) run.findings.add('signature_missing', seq, 'a record signature was expected')
}

function readPayload(run: Run, body: Uint8Array, seq: number, reserved: boolean): JsonObject | undefined {
  try {
    return parseStrict(concat(body, CLOSE)) as JsonObject // the first byte is {
  } catch (e) {
    const twice = SwornError.is(e, 'JSON_DUPLICATE_MEMBER')
    const strict = twice ? 'duplicate_member' : 'json_invalid'
    run.findings.add(reserved ? 'record_malformed' : strict, seq, twice ? 'member names that differ were expected' : 'I-JSON was expected')
    return undefined
  }
}

async function checkSignature(run: Run, link: Entry, { bytes }: Cursor): Promise<void> {
  const { seq } = link.suffix
  try {
    const signature = readSignature(bytes, link.suffix)!
    await checkRecordSignature(run.signed, run.origin ?? '', { seq, entryHash: toHex(link.leaf.subarray(1)), signature })
  } catch (e) {
    if (!SwornError.is(e, 'LINE_MALFORMED')) throw e
    run.findings.add('suffix_malformed', seq, 'a signature in canonical base64 was expected')
  }
}
