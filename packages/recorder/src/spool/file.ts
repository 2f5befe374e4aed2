/**
 * A producer's own file of events that its ledger has not taken yet.
 *
 * 0600, made with the first event that waits, gone when all were handed over. Its first line names the producer and how
 * far the hand-over is, each other line is an event. `append` returns when the lines are on disk. After a crash the last line may be torn; it was
 * not acknowledged. Somebody who takes its owner for dead may take the file over, by renaming it: `isHere` says whether what
 * was appended before is in his hands or ours.
 * @module
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { SwornError } from '@sworn/verify'
import { formatLine, MAX_LINE_BYTES, parseLine, type Waiting } from './line.ts'

const LF = 10

const MAX_HEAD_BYTES = 4096
/** Of the digits in the first line. */
const HANDED_AT = '{"handed":"'.length
const DIGITS = /^\d{15}$/
const toDigits = (bytes: number) => String(bytes).padStart(15, '0')

/** What was read from one place of a file on. */
export interface Piece {
  /** In the order of the producer. */
  readonly waiting: readonly Waiting[]
  /** Lines that are none. */
  readonly broken: number
  /** Where the next piece begins. */
  readonly end: number
}

export interface SpoolFile {
  readonly producerId: string
  /** Where the first event stands that was not handed over. */
  readonly begin: number
  readonly bytes: number
  /** On disk when it returns. @throws SwornError IO_FAILED: none of it is there */
  append(waiting: readonly Waiting[]): void
  /** At most `bytes` and one line more; `end` is `from` at the end of the file. */
  read(from: number, bytes: number): Piece
  /** What stands before `end` was handed over: whoever finds this file goes on from there. @throws SwornError IO_FAILED */
  handed(end: number): void
  /** False when somebody took it over: what he did not see may be lost. */
  isHere(): boolean
  /** Everything was handed over: the file is gone. */
  remove(): void
  close(): void
}

/** @param producerId of a new file. @throws SwornError IO_FAILED, also for a file that is no spool */
export function openSpoolFile(path: string, producerId?: string): SpoolFile {
  const fd = attempt(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  })
  let size = 0
  let head: Head
  try {
    head = attempt(path, () => {
      syncDirectory(dirname(path))
      if (producerId !== undefined) writeHead(fd, producerId)
      const found = readHead(fd, fstatSync(fd).size)
      if (!found) throw new SwornError('IO_FAILED', 'the file is no spool', path)
      size = cutTorn(fd, fstatSync(fd).size)
      return found
    })
  } catch (e) {
    closeSync(fd) // the next event tries again
    throw e
  }
  const { dev, ino } = fstatSync(fd)

  return {
    ...head,
    get bytes() {
      return size
    },
    append(waiting) {
      const bytes = Buffer.concat(waiting.map(formatLine))
      attempt(path, () => {
        try {
          for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, size + done)
          fdatasyncSync(fd)
        } catch (e) {
          ftruncateSync(fd, size) // what was not acknowledged must not be handed over as if it were whole
          throw e
        }
      })
      size += bytes.length
    },
    read: (from, bytes) => readPiece(fd, from, Math.min(bytes, size - from), size),
    handed(end) {
      attempt(path, () => writeSync(fd, toDigits(end), HANDED_AT))
    },
    isHere() {
      const there = statSync(path, { throwIfNoEntry: false })
      return there?.ino === ino && there.dev === dev
    },
    remove() {
      closeSync(fd)
      rmSync(path, { force: true })
    },
    close: () => closeSync(fd),
  }
}

interface Head {
  readonly producerId: string
  readonly begin: number
}

const NEW_HEAD = `{"handed":"${toDigits(0)}","producer":`

/** The first line, where there is none yet or only a piece of one. */
function writeHead(fd: number, producerId: string): void {
  if (!isUnbegun(fd)) return
  ftruncateSync(fd, 0)
  const head = Buffer.from(`${NEW_HEAD}${JSON.stringify(producerId)}}\n`)
  if (writeSync(fd, head, 0, head.length, 0) < head.length) throw new Error('the disk is full')
}

/** Nothing, or a first line without its end: no event in it was ever acknowledged. */
function isUnbegun(fd: number): boolean {
  const text = readAt(fd, 0, MAX_HEAD_BYTES).toString('utf8')
  return !text.includes('\n') && (NEW_HEAD.startsWith(text) || text.startsWith(NEW_HEAD)) && text.length < MAX_HEAD_BYTES
}

/** Removes what a process left that died before its first event was in it. @returns whether it was one */
export function removeUnbegun(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    if (!isUnbegun(fd)) return false
  } finally {
    closeSync(fd)
  }
  rmSync(path, { force: true })
  return true
}

/** Undefined for a file that does not begin as one of ours. Hostile. */
function readHead(fd: number, size: number): Head | undefined {
  const bytes = readAt(fd, 0, MAX_HEAD_BYTES)
  const end = bytes.indexOf(LF)
  try {
    const { producer, handed } = JSON.parse(bytes.subarray(0, end).toString('utf8')) as { producer?: unknown; handed?: unknown }
    const isHead = typeof producer === 'string' && producer !== '' && typeof handed === 'string' && DIGITS.test(handed)
    return isHead ? { producerId: producer, begin: Number(handed) > size ? end + 1 : Math.max(end + 1, Number(handed)) } : undefined
  } catch {
    return undefined
  }
}

function readPiece(fd: number, from: number, bytes: number, size: number): Piece {
  let buffer = readAt(fd, from, bytes)
  while (from + buffer.length < size && buffer.lastIndexOf(LF) < 0) buffer = readAt(fd, from, buffer.length * 2)
  const whole = from + buffer.length >= size ? buffer : buffer.subarray(0, buffer.lastIndexOf(LF) + 1)
  const lines = splitLines(whole)
  const parsed = lines.map(parseLine)
  const waiting = parsed.filter((one) => one !== undefined).sort((a, b) => a.order - b.order)
  return { waiting, broken: parsed.length - waiting.length, end: from + whole.length }
}

/** What stands behind the last whole line was never acknowledged. @returns the size without it */
function cutTorn(fd: number, size: number): number {
  const bytes = Math.min(size, MAX_LINE_BYTES)
  const whole = size - bytes + readAt(fd, size - bytes, bytes).lastIndexOf(LF) + 1
  if (whole < size) ftruncateSync(fd, whole)
  return whole
}

function readAt(fd: number, from: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let done = 0
  for (let more = -1; more !== 0 && done < bytes; done += more) more = readSync(fd, buffer, done, bytes - done, from + done)
  return buffer.subarray(0, done)
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LF, start)
    const end = found < 0 ? bytes.length : found
    if (end > start) lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}

function attempt<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (cause) {
    if (SwornError.is(cause)) throw cause
    throw new SwornError('IO_FAILED', 'the spool cannot be written', path, { cause })
  }
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return // directories cannot be synced there
  const fd = openSync(path, 'r')
  fsyncSync(fd)
  closeSync(fd)
}
