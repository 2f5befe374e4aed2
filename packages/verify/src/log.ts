/**
 * Verifies a whole log as it streams by: form, chain, tree, signatures, completeness.
 *
 * Never throws for what a log contains: everything wrong is a finding, and every finding breaks its level.
 * Memory does not grow with the log. A payload is interpreted only where it is a reserved record whose
 * hash held. Everything read is attacker-controlled. Format: docs/format.md.
 * @module
 */
import { concat, toHex, utf8 } from './bytes.ts'
import type { Link } from './chain.ts'
import { conclude } from './conclude.ts'
import { SwornError } from './errors.ts'
import type { Frontier } from './frontier.ts'
import { isJsonObject, type JsonObject, parseStrict } from './json.ts'
import { createSuffix, findSuffix, readSignature } from './line.ts'
import { leafHash } from './merkle.ts'
import type { Primitives } from './primitives.ts'
import { checkRecord, readSegment } from './records.ts'
import type { Report } from './report.ts'
import { createRoots } from './roots.ts'
import { createRun, GENESIS_START, type OptionName, type Run, type Start, type VerifyOptions } from './run.ts'
import { isReservedAt } from './scan.ts'
import { checkRecordSignature } from './signed.ts'
import { type Cursor, createSplitter, MAX_LINE_BYTES } from './splitter.ts'

const CLOSE = utf8('}')
const MAX_STUBS = 10_000
const OPTIONS: Record<OptionName, true> = {
  primitives: true,
  hash: true,
  trust: true,
  checkpoints: true,
  witness: true,
  require: true,
  strict: true,
  inProgressTail: true,
  now: true,
  signedRecords: true,
  start: true,
}

/**
 * Verifies a log.
 *
 * @param source the bytes of the log's files, in order; chunks of any size, which may be reused after each step
 * @returns every level with what holds, and all findings; pass it to `reportVerdict`
 * @throws SwornError LEDGER_FOREIGN_FILE when the log names another format; PROOF_INVALID when `start` carries no
 *   frontier of its size; CONFIG_INVALID for an unknown option; whatever `source` throws
 */
export async function verifyLog(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: VerifyOptions): Promise<Report> {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTIONS, name)) throw new SwornError('CONFIG_INVALID', 'unknown option', name)
  }
  const splitter = createSplitter()
  let run: Run | undefined
  for await (const chunk of source) {
    splitter.feed(chunk)
    while (splitter.next()) {
      run ??= createRun(options, options.start ?? findStart(options.primitives, splitter.cursor))
      const pending = checkLine(run, splitter.cursor)
      if (pending) await pending
    }
  }
  run ??= createRun(options, options.start ?? GENESIS_START)
  if (splitter.hasTail() && !options.inProgressTail)
    run.findings.add('suffix_malformed', run.chain.next(), 'LF was expected at the end of the last line')
  return conclude(run)
}

/** A stream that begins with a log.segment record begins there; any other begins at seq 0. */
function findStart(p: Primitives, { bytes, start, end }: Cursor): Start {
  const suffix = createSuffix()
  if (findSuffix(bytes, start, end, suffix) !== undefined || suffix.seq === 0) return GENESIS_START
  const previousHash = String.fromCharCode(...bytes.subarray(suffix.previousAt, suffix.previousAt + 64))
  const frontier = findFrontier(p, bytes.subarray(start, suffix.bodyEnd), suffix.seq)
  return frontier ? { seq: suffix.seq, previousHash, frontier: frontier.hashes() } : GENESIS_START
}

/** The frontier of a line that is a well-formed log.segment. */
function findFrontier(p: Primitives, body: Uint8Array, seq: number): Frontier | undefined {
  try {
    const payload = isReservedAt(body, 0, body.length) ? parseStrict(concat(body, CLOSE)) : undefined
    return isJsonObject(payload) && payload.event_type === 'log.segment' ? readSegment(p, payload, seq) : undefined
  } catch {
    return undefined // not one; the line is judged where it is read
  }
}

/** Checks one line; a promise only where a signature or a record has to be looked at. */
function checkLine(run: Run, cursor: Cursor): Promise<void> | undefined {
  if (cursor.tooLong) {
    run.findings.add('suffix_malformed', run.chain.next(), `a line of at most ${MAX_LINE_BYTES} bytes was expected`)
    run.chain.skip()
    run.holes += 1
    return undefined
  }
  const link = run.chain.check(cursor.bytes, cursor.start, cursor.end)
  if (link.problem) reportLink(run, link, cursor)
  if (!link.entryHash) {
    run.holes += 1
    return undefined
  }
  growTree(run, link, link.entryHash)
  const { seq } = link.suffix
  if (run.closed) run.findings.add('closed_log_extended', seq, 'nothing was expected behind log.close')
  if (link.stub) return withhold(run, seq)
  const reserved = link.hashHolds && isReservedAt(cursor.bytes, cursor.start, link.suffix.bodyEnd)
  const parsed = reserved || (link.hashHolds && run.sessions !== undefined)
  if (!parsed && seq > 0 && link.suffix.signatureAt < 0 && !isSignatureDue(run, seq)) return undefined
  return inspect(run, link, cursor, parsed ? { reserved } : undefined)
}

function reportLink(run: Run, link: Link, { bytes, start }: Cursor): void {
  const { seq, bodyEnd } = link.suffix
  const ahead = link.problem === 'seq_gap' && link.hashHolds && seq > link.expected
  const frontier = ahead ? findFrontier(run.p, bytes.subarray(start, bodyEnd), seq) : undefined
  if (!frontier) run.findings.add(link.problem!, link.expected, link.message)
  else {
    run.findings.add('segment_missing', link.expected, `the entries before seq ${seq} were expected`)
    run.roots = createRoots(run.p, { size: seq, hashes: frontier.hashes() }, run.wanted) // the tree of what is here
  }
}

function growTree(run: Run, link: Link, entryHash: Uint8Array): void {
  if (run.holes === 1 && link.mended) run.roots?.push(leafHash(run.p, link.mended))
  run.holes = 0
  // After a gap the tree is lost, unless a segment record brought its frontier.
  if (run.roots?.size !== link.suffix.seq) run.roots = undefined
  run.roots?.push(leafHash(run.p, entryHash))
}

function withhold(run: Run, seq: number): undefined {
  if (seq === 0) run.findings.add('record_malformed', seq, 'log.open was expected, found a withheld record')
  else if (run.stubs.size < MAX_STUBS) run.stubs.set(seq, undefined)
  else run.findings.add('withheld', seq, 'the record was expected, found its hashes alone')
}

function isSignatureDue(run: Run, seq: number): boolean {
  return run.allSigned || (run.options.signedRecords?.includes(seq) ?? false)
}

async function inspect(run: Run, link: Link, cursor: Cursor, parse: { reserved: boolean } | undefined): Promise<void> {
  const { seq, signatureAt } = link.suffix
  const payload = parse && readPayload(run, cursor.bytes.subarray(cursor.start, link.suffix.bodyEnd), seq, parse.reserved)
  const type = payload?.event_type
  if (payload && typeof type === 'string' && type.startsWith('log.')) {
    if (parse?.reserved) await checkRecord(run, type, payload, seq)
    else run.findings.add('record_malformed', seq, 'a reserved record in compact form was expected')
  } else if (payload) run.sessions?.see(payload)
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

async function checkSignature(run: Run, link: Link, { bytes }: Cursor): Promise<void> {
  const { seq } = link.suffix
  try {
    const signature = readSignature(bytes, link.suffix)!
    await checkRecordSignature(run.signed, run.origin ?? '', { seq, entryHash: toHex(link.entryHash!), signature })
  } catch (e) {
    if (!SwornError.is(e, 'LINE_MALFORMED')) throw e
    run.findings.add('suffix_malformed', seq, 'a signature in canonical base64 was expected')
  }
}
