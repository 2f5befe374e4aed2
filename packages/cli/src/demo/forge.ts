/**
 * Three forgers of growing skill, each at work on a copy of a ledger.
 * @module
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GENESIS, type HashName, linkLine, parseLine, text } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

export interface Forgery {
  readonly title: string
  /** Changes the lines of the copy. */
  forge(lines: Buffer[]): Buffer[]
}

export const FORGERIES: readonly Forgery[] = [
  {
    title: 'one byte of one record is changed',
    forge: (lines) => lines.map((line, i) => (i === Math.floor(lines.length / 2) ? flipByte(line) : line)),
  },
  { title: 'the last event is dropped, with the closing records behind it', forge: dropLast },
  { title: 'a record is changed and every hash after it is computed anew', forge: rehash },
]

/** Copies the ledger directory `from` to `to` and forges the copy's only segment. */
export function forgeCopy(from: string, to: string, forgery: Forgery): void {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.sock') })
  const segments = join(to, 'segments')
  const name = readdirSync(segments).find((file) => file.endsWith('.jsonl'))!
  const lines = splitLines(readFileSync(join(segments, name)))
  writeFileSync(join(segments, name), Buffer.concat(forgery.forge(lines).flatMap((line) => [line, Buffer.from('\n')])))
}

function splitLines(bytes: Buffer): Buffer[] {
  const text = bytes.toString('latin1') // one character a byte: nothing is decoded
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'latin1'))
}

/** Everything from the last event on: a tail that ends as if the session went on. */
function dropLast(lines: Buffer[]): Buffer[] {
  return lines.slice(
    0,
    lines.findLastIndex((line) => !line.includes('"event_type":"log.')),
  )
}

/** Another letter in the event's type. */
function flipByte(line: Buffer): Buffer {
  const out = Buffer.from(line)
  out[out.indexOf('"event_type":"') + 14]! ^= 1
  return out
}

/** What somebody does who knows the format and has no key. */
function rehash(lines: Buffer[]): Buffer[] {
  const hash: HashName = lines[0]!.includes('"hash":"sha3-256"') ? 'sha3-256' : 'sha256'
  const victim = lines.findIndex((line) => line.includes('"decision":"deny"'))
  let previous = GENESIS
  return lines.map((line, seq) => {
    const payload = `${text(parseLine(line).body)}}`
    const linked = linkLine(
      nodePrimitives,
      hash,
      seq === victim ? payload.replace('"decision":"deny"', '"decision":"allow"') : payload,
      seq,
      previous,
    )
    previous = linked.entryHash
    return Buffer.from(linked.line)
  })
}
