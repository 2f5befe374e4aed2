/**
 * A mirror in files: laid out as a ledger, so that `sworn verify` reads it as one.
 *
 *   segments/<first seq>.jsonl   the lines, cut where the producer cut them
 *   tree/L0                      leaf hashes
 *   checkpoint                   the newest signed note, with our cosignature
 *   mirror.json                  how far all of it counts
 *
 * Lines and leaves are on disk before mirror.json says so. What a crash left behind that is cut off at the next opening;
 * nobody was told of it. One process has a mirror open.
 * @module
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { findLedger, listSegments, readLines, readRange } from '@sworn/recorder/segments'
import { isJsonObject, type JsonObject, parseLine, SwornError } from '@sworn/verify'
import { attempt, makeDirectory, readFile, replaceFile, sizeOf, syncDirectory } from '../files.ts'
import type { Range } from '../holdings.ts'
import { formatState, parseState } from './state.ts'
import type { HeldLine, MirrorStore } from './store.ts'

const HASH_BYTES = 32

/** The segment that is being written: its first entry, and where its last whole line ends. */
interface Segment {
  readonly first: number
  readonly end: number
}

function segmentPath(directory: string, first: number): string {
  return join(directory, 'segments', `${String(first).padStart(20, '0')}.jsonl`)
}

/** One process has a folder of mirrors. @param directory of this mirror */
export function fileStore(directory: string): MirrorStore {
  const statePath = join(directory, 'mirror.json')
  const leavesPath = join(directory, 'tree', 'L0')
  let segment: Segment = { first: 0, end: 0 }
  return {
    isShared: false,
    async read() {
      const text = readFile(statePath)
      if (text === undefined) return undefined
      const { state, all } = parseState(text, statePath)
      segment = segmentOf(all, statePath)
      cut(directory, leavesPath, state.size, segment)
      return state
    },
    async append({ lines, cuts, leaves, state }) {
      for (const folder of [directory, join(directory, 'segments'), join(directory, 'tree')]) if (!existsSync(folder)) makeDirectory(folder)
      const runs = toRuns(lines, cuts, state.size - lines.length, segment)
      for (const { first, bytes } of runs) write(segmentPath(directory, first), bytes)
      write(leavesPath, Buffer.concat(leaves))
      const next = endOf(runs, segment)
      replaceFile(statePath, formatState(state, { segment: { ...next } }))
      segment = next
    },
    async leaves(from, to) {
      const chunks: Buffer[] = []
      for (const chunk of readRange(leavesPath, from * HASH_BYTES, to * HASH_BYTES)) chunks.push(Buffer.from(chunk)) // it is reused
      const bytes = Buffer.concat(chunks)
      if (bytes.length !== (to - from) * HASH_BYTES) throw new SwornError('IO_FAILED', 'the leaves of the mirror are not whole', leavesPath)
      return Array.from({ length: to - from }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
    },
    writeCheckpoint: async (note) => replaceFile(join(directory, 'checkpoint'), note),
    lines: (range) => linesOf(directory, range),
  }
}

function segmentOf({ segment }: JsonObject, at: string): Segment {
  const { first, end } = isJsonObject(segment) ? segment : {}
  if (typeof first === 'number' && typeof end === 'number') return { first, end }
  throw new SwornError('IO_FAILED', 'the state of a mirror was expected', at)
}

/** The lines of one segment. */
interface Run {
  readonly first: number
  readonly bytes: Buffer
}

const LF = Buffer.from('\n')

/** @param size the seq of the first line */
function toRuns(lines: readonly Buffer[], cuts: readonly number[], size: number, segment: Segment): readonly Run[] {
  const starts = cuts[0] === 0 ? cuts : [0, ...cuts]
  return starts.map((start, i) => ({
    first: cuts.includes(start) ? size + start : segment.first,
    bytes: Buffer.concat(lines.slice(start, starts[i + 1]).flatMap((line) => [line, LF])),
  }))
}

function endOf(runs: readonly Run[], segment: Segment): Segment {
  const last = runs.at(-1)
  if (!last) return segment
  return { first: last.first, end: last.bytes.length + (last.first === segment.first ? segment.end : 0) }
}

/** By the entry that each line names; one that names none stands for the one behind the line before. */
async function* linesOf(directory: string, { from, to }: Range): AsyncGenerator<HeldLine> {
  const segments = listSegments(findLedger(directory, '/'))
  for (const [i, { path, firstSeq = 0 }] of segments.entries()) {
    if (firstSeq >= to) return
    if ((segments[i + 1]?.firstSeq ?? to) <= from) continue
    let next = firstSeq
    for await (const { bytes } of readLines(path)) {
      const seq = seqOf(bytes) ?? next
      next = seq + 1
      if (seq >= to) break
      if (seq >= from) yield { seq, bytes }
    }
  }
}

function seqOf(bytes: Buffer): number | undefined {
  try {
    return parseLine(bytes).seq
  } catch {
    return undefined
  }
}

/** Appends and syncs. */
function write(path: string, bytes: Buffer): void {
  attempt(path, () => {
    const isNew = !existsSync(path)
    const file = openSync(path, 'a', 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (isNew) syncDirectory(join(path, '..'))
  })
}

/** Takes away what was written and never counted. @throws SwornError IO_FAILED when something that counted is gone */
function cut(directory: string, leavesPath: string, size: number, segment: Segment): void {
  const folder = join(directory, 'segments')
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (/^\d{20}\.jsonl$/.test(name) && Number(name.slice(0, 20)) > segment.first) rmSync(join(folder, name))
  cutTo(segmentPath(directory, segment.first), segment.end)
  cutTo(leavesPath, size * HASH_BYTES)
}

function cutTo(path: string, bytes: number): void {
  const found = sizeOf(path)
  if (found < bytes) throw new SwornError('IO_FAILED', `${bytes} bytes were expected, found ${found}: the mirror was cut`, path)
  if (found === bytes) return
  attempt(path, () => {
    const file = openSync(path, 'r+')
    try {
      ftruncateSync(file, bytes)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  })
}
