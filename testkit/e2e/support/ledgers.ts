/**
 * Ledgers as the real recorder writes them, on a real disk, and their lines in memory for the attacker.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRecorder, EVENT_TYPES, openLedger, openPort } from '@sworn/recorder'
import { GENESIS, type HashName, linkLine, parseLine, parseVkey, type Report, type VerifierKey, verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { fullEvent } from './full-event.ts'

export interface Shape {
  readonly hash?: HashName
  readonly recordSignatures?: 'all'
  /** How often the recorder is closed and opened again in between. */
  readonly restarts?: number
  readonly rotateBytes?: number
  /** A gap record and a new key epoch in the middle. */
  readonly epochs?: true
}

export interface Written {
  readonly path: string
  readonly home: string
  readonly hash: HashName
  readonly files: readonly string[]
  /** Without LF. */
  readonly lines: readonly Uint8Array[]
  /** The newest checkpoint, beside the log. */
  readonly note: string
  /** The records kept beside it, without LF. */
  readonly reserved: readonly Uint8Array[]
  /** The key of the first epoch, pinned before anybody attacked. */
  readonly trust: VerifierKey
}

/** Every event type once a run, each with every member; the ledger and its keys stand in `directory`. */
export async function writeLedger(directory: string, shape: Shape = {}): Promise<Written> {
  const [path, home] = [join(directory, 'audit'), join(directory, 'home')]
  const runs = 1 + (shape.restarts ?? 0)
  for (let run = 0; run < runs; run++) {
    await writeRun({ path, home, run }, shape)
    if (shape.epochs && run === 0) beginEpoch(path, home)
  }
  return readLedger(path, home, shape.hash ?? 'sha256')
}

export async function writeRun({ path, home, run }: { path: string; home: string; run: number }, shape: Shape = {}): Promise<void> {
  const { hash, recordSignatures, rotateBytes } = shape
  const port = await openPort({
    path,
    home,
    ...(hash && { hash }),
    ...(recordSignatures && { recordSignatures }),
    ...(rotateBytes && { rotateBytes }),
  })
  const recorder = createRecorder({ port })
  for (const [i, type] of EVENT_TYPES.entries()) {
    await recorder.record(fullEvent(type, run * 1000 + i))
    if (rotateBytes && i % 5 === 4) await recorder.flush()
  }
  await recorder.close()
}

function beginEpoch(path: string, home: string): void {
  const ledger = openLedger({ path, home })
  ledger.appendReserved('log.gap', { reason: 'shed', dropped: 3 })
  ledger.rotateKey()
  ledger.close()
}

export function readLedger(path: string, home: string, hash: HashName): Written {
  const names = readdirSync(join(path, 'segments')).filter((name) => name.endsWith('.jsonl'))
  const files = names.toSorted().map((name) => join(path, 'segments', name))
  const lines = files.flatMap((file) => splitLines(readFileSync(file)))
  const { vkey } = JSON.parse(Buffer.from(lines[0]!).toString('utf8')) as { vkey: string }
  const note = readFileSync(join(path, 'checkpoint'), 'utf8')
  return { path, home, hash, files, lines, note, reserved: splitLines(readFileSync(join(path, 'reserved.jsonl'))), trust: parseVkey(vkey) }
}

function splitLines(bytes: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    lines.push(Uint8Array.from(bytes.subarray(at, end)))
    at = end + 1
  }
  return lines
}

export interface CheckOptions {
  /** false: the attacker has the file alone. */
  readonly beside?: boolean
}

/** Verifies `lines` as if they had been found, with the key of `log` pinned. */
export function check(log: Written, lines: readonly Uint8Array[] = log.lines, { beside = true }: CheckOptions = {}): Promise<Report> {
  const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
  return verifyLog([bytes], {
    primitives: nodePrimitives,
    trust: log.trust,
    strict: true,
    ...(beside && { checkpoints: [log.note], reserved: log.reserved }),
  })
}

/** The payload of a line, parsed. */
export function payloadOf(line: Uint8Array): Record<string, never> & { event_type: string } {
  return JSON.parse(`${Buffer.from(parseLine(line).body).toString('utf8')}}`)
}

/** The line with another payload under the old suffix. */
export function withPayload(line: Uint8Array, payload: unknown): Uint8Array {
  const { body } = parseLine(line)
  return Buffer.concat([Buffer.from(JSON.stringify(payload).slice(0, -1)), line.subarray(body.length)])
}

/** Payloads linked anew from `from` on, as somebody without a key can. */
export function rehash(log: Written, from: number, payloads: readonly unknown[]): Uint8Array[] {
  let head = from === 0 ? GENESIS : parseLine(log.lines[from - 1]!).entryHash
  const rest = payloads.map((payload, i) => {
    const linked = linkLine(nodePrimitives, log.hash, JSON.stringify(payload), from + i, head)
    head = linked.entryHash
    return linked.line
  })
  return [...log.lines.slice(0, from), ...rest]
}
