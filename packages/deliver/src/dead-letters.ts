/**
 * What a sink refused for good: parked with the reason, whole, and sent again only when somebody asks.
 *
 * One JSON line an entry, 0600, on disk before the cursor passes it. The file is bounded; when it is full, delivery
 * to that sink waits, because dropping would be silent.
 * @module
 */
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isJsonObject, parseStrict, SwornError } from '@sworn/verify'
import { appendFile, readFile, sizeOf, syncDirectory } from './files.ts'

export interface DeadLetter {
  readonly seq: number
  readonly reason: string
  readonly at: string
  /** The entry as it stands in the ledger. */
  readonly line: string
}

/** 64 MiB. */
export const MAX_DEAD_BYTES = 64 << 20

const CHUNK_BYTES = 1 << 20

/** True when `bytes` more would be too many. */
export function isFull(path: string, bytes: number, maxBytes: number): boolean {
  return sizeOf(path) + bytes > maxBytes
}

/** @throws SwornError IO_FAILED */
export function park(path: string, letters: readonly DeadLetter[]): Promise<void> {
  return appendFile(path, formatLetters(letters))
}

export function formatLetters(letters: readonly DeadLetter[]): string {
  return letters.map((letter) => `${JSON.stringify(letter)}\n`).join('')
}

/** Every letter, oldest first; half a line that a crash left is no letter: its entry was shipped or parked again. */
export function readLetters(path: string): readonly DeadLetter[] {
  return (readFile(path) ?? '').split('\n').flatMap((text) => parseLetter(text) ?? [])
}

/** How many letters there are. */
export type CountLetters = (path: string) => number

interface Counted {
  readonly ino: bigint
  readonly birthtimeNs: bigint
  /** Offset behind the last whole line. */
  end: number
  count: number
}

/** Counts, and remembers how far: the next time only what was added is read. For whoever asks again and again. */
export function createLetterCount(): CountLetters {
  const known = new Map<string, Counted>()
  return (path) => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (!found) return 0
    const { ino, birthtimeNs, size } = found
    const before = known.get(path)
    const isSame = before?.ino === ino && before.birthtimeNs === birthtimeNs && before.end <= size
    const place = isSame ? before : { ino, birthtimeNs, end: 0, count: 0 }
    known.set(path, place)
    for (const line of linesFrom(path, place.end)) {
      place.end += line.length + 1
      if (parseLetter(line.toString('utf8'))) place.count++
    }
    return place.count
  }
}

/** Whole lines from an offset on. */
function* linesFrom(path: string, from: number): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    let rest = Buffer.alloc(0)
    for (let at = from; ; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const read = readSync(file, chunk, 0, chunk.length, at)
      if (read === 0) return
      at += read
      rest = Buffer.concat([rest, chunk.subarray(0, read)])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.subarray(0, end)
        rest = rest.subarray(end + 1)
      }
    }
  } finally {
    closeSync(file)
  }
}

/**
 * Takes what is parked away from those that park, to send it again. After a crash it is still there, and is taken first.
 * @returns the file that holds it; undefined when nothing is parked
 */
export function takeLetters(path: string): string | undefined {
  const taken = path.replace(/\.jsonl$/, '.replaying.jsonl')
  if (!existsSync(taken)) {
    if (sizeOf(path) === 0) return undefined
    renameSync(path, taken)
    syncDirectory(dirname(path))
  }
  return taken
}

/** Everything in `taken` was sent or is parked again. */
export function dropTaken(taken: string): void {
  rmSync(taken, { force: true })
  syncDirectory(dirname(taken))
}

function parseLetter(text: string): DeadLetter | undefined {
  try {
    const value = parseStrict(text)
    if (!isJsonObject(value)) return undefined
    const { seq, reason, at, line } = value
    const isLetter = typeof seq === 'number' && typeof reason === 'string' && typeof at === 'string' && typeof line === 'string'
    return isLetter ? { seq, reason, at, line } : undefined
  } catch (e) {
    if (SwornError.is(e)) return undefined
    throw e
  }
}
