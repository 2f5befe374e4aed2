/**
 * Where everything of a ledger lies.
 *
 * Two modes: a directory, or one `.jsonl` file under a stable name with `<file>.ledger/` beside it.
 * Keys lie in the state directory (SWORN_HOME), never in the ledger. Source: docs/format.md, "Directory".
 * @module
 */
import { basename, dirname, join, resolve } from 'node:path'
import type { FileOps } from './file-ops.ts'

export interface Layout {
  /** The path, absolute, links resolved: as the trust store knows it. */
  readonly path: string
  /** File mode: the active segment under its stable name. */
  readonly activeFile?: string
  /** The directory that holds all the rest. */
  readonly root: string
  readonly segments: string
  readonly sums: string
  readonly tree: string
  readonly index: string
  readonly checkpoint: string
  readonly checkpointsLog: string
  readonly state: string
  readonly quarantine: string
  /** Made with the first row. */
  readonly vault: string
  readonly reserved: string
}

/** A segment on disk; `firstSeq` is in its name, or in its first line when it is the active file. */
export interface SegmentRef {
  readonly firstSeq: number
  /** Of the plain file, also where only a packed one is there: `readingPacked` reads it. */
  readonly path: string
  /** Closed, and compressed by an operator. */
  readonly packed?: true
}

/** File mode when `path` is a regular file, ends in `.jsonl`, or has its `.ledger` directory beside it. */
export function ledgerLayout(ops: FileOps, path: string): Layout {
  const full = resolveLinks(ops, resolve(path)) // a rename over a link would leave what it leads to behind
  const found = ops.stat(full)
  const inFileMode = found ? !found.directory : full.endsWith('.jsonl') || ops.stat(`${full}.ledger`) !== undefined
  const root = inFileMode ? `${full}.ledger` : full
  return {
    path: full,
    ...(inFileMode && { activeFile: full }),
    root,
    segments: join(root, 'segments'),
    sums: join(root, 'segments', 'SHA256SUMS'),
    tree: join(root, 'tree'),
    index: join(root, 'index'),
    checkpoint: join(root, 'checkpoint'),
    checkpointsLog: join(root, 'checkpoints.log'),
    state: join(root, '.state'),
    quarantine: join(root, 'quarantine'),
    vault: join(root, 'vault'),
    reserved: join(root, 'reserved.jsonl'),
  }
}

/** The path with symbolic links followed as far as it exists. */
export function resolveLinks(ops: FileOps, path: string): string {
  if (ops.stat(path)) return ops.realpath(path)
  const parent = dirname(path)
  return parent === path ? path : join(resolveLinks(ops, parent), basename(path))
}

/** The directories a writer needs. */
export function layoutDirectories(layout: Layout): readonly string[] {
  return [layout.root, layout.segments, layout.tree, layout.index, layout.state, layout.quarantine]
}

const SEGMENT = /^\d{20}\.jsonl(?:\.gz|\.zst)?$/

/** 20 digits, so that names sort as numbers do. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(20, '0')}.jsonl`
}

/** Segments that carry their number in the name, oldest first; beside a plain file its packed one does not count. */
export function namedSegments(ops: FileOps, layout: Layout): SegmentRef[] {
  const names = ops.readdir(layout.segments).filter((name) => SEGMENT.test(name))
  const plain = new Set(names.filter((name) => name.endsWith('.jsonl')))
  const stems = new Set(names.map((name) => name.slice(0, segmentName(0).length)))
  return [...stems].sort().map((name) => ({
    firstSeq: Number(basename(name, '.jsonl')),
    path: join(layout.segments, name),
    ...(!plain.has(name) && { packed: true as const }),
  }))
}

export interface KeyLayout {
  readonly directory: string
  readonly mac: string
  /** The newest full signed note: the high-water mark. */
  readonly signed: string
  readonly head: string
  readonly frontier: string
  /** A generated key that no record names yet, and the note that will. */
  readonly pending: string
  readonly transition: string
  /** What wraps the keys of subjects, and these. */
  readonly kek: string
  readonly deks: string
  epoch(number: number): string
}

/** `keys/<log_id>/…` below the state directory. */
export function keyLayout(home: string, logId: string): KeyLayout {
  const directory = join(home, 'keys', logId)
  return {
    directory,
    mac: join(directory, 'mac'),
    signed: join(directory, 'signed'),
    head: join(directory, 'head'),
    frontier: join(directory, 'frontier'),
    pending: join(directory, 'pending.pem'),
    transition: join(directory, 'transition'),
    kek: join(directory, 'kek'),
    deks: join(directory, 'deks'),
    epoch: (number) => join(directory, `${number}.pem`),
  }
}
