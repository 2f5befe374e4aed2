/**
 * Beginning a new segment, the chain unbroken.
 *
 * Directory mode: create, sync file and directory, then log.segment. File mode: link the file into
 * segments/, write log.segment to `<file>.new`, rename it over the stable name. Every crash point
 * leaves either the old end or a new segment whose name or first record says where it begins.
 * Source: docs/format.md, "Rotation".
 * @module
 */
import { dirname, join } from 'node:path'
import { SwornError } from '@sworn/verify'
import { linkReserved, sync, writeDerived } from './commit.ts'
import type { Core } from './core.ts'
import { replaceFrom } from './files.ts'
import { segmentName } from './layout.ts'
import { openOffsets } from './offsets.ts'
import { openSegment } from './segment.ts'

/** True when the segment is full or old, and holds more than its first record. */
export function rotationDue(core: Core): boolean {
  const age = core.env.now() - core.segmentStartedAt
  return core.writer.end >= core.env.rotateBytes || (age >= core.env.rotateMs && core.size > core.writer.firstSeq + 1)
}

/** Closes the active segment and begins the next one. @throws as every write; the core is spent */
export function rotate(core: Core): void {
  sync(core)
  const old = core.writer
  try {
    closeInto(core, old.firstSeq)
  } finally {
    old.close()
  }
}

function closeInto(core: Core, firstSeq: number): void {
  const { activeFile, segments } = core.env.layout
  if (activeFile === undefined) {
    beginSegment(core, join(segments, segmentName(core.size)))
    return
  }
  core.env.ops.link(activeFile, join(segments, segmentName(firstSeq)))
  core.env.ops.syncDirectory(segments)
  replaceActive(core, activeFile)
}

/** True when the active file was renamed or removed from outside. */
export function movedAway(core: Core): boolean {
  return core.writer.moved()
}

/**
 * File mode: somebody renamed the active file (logrotate `create`). What this writer still holds is
 * copied into segments/, and writing goes on under the stable name, chain unbroken.
 *
 * @throws SwornError IO_FAILED in directory mode, and when something else now lies at the name
 */
export function followRename(core: Core): void {
  const { ops, layout } = core.env
  const { activeFile, segments } = layout
  if (activeFile === undefined) throw new SwornError('IO_FAILED', 'the active segment was renamed or removed', core.writer.path)
  if ((ops.stat(activeFile)?.size ?? 0) > 0)
    throw new SwornError('IO_FAILED', 'another file lies at the name of the active segment', activeFile)
  sync(core)
  const old = core.writer
  try {
    replaceFrom(ops, join(segments, segmentName(old.firstSeq)), old.fd, old.end)
    replaceActive(core, activeFile)
  } finally {
    old.close()
  }
}

/** Starts `<file>.new` with log.segment and puts it under the stable name. */
export function replaceActive(core: Core, activeFile: string): void {
  beginSegment(core, `${activeFile}.new`)
  core.env.ops.rename(`${activeFile}.new`, activeFile)
  core.env.ops.syncDirectory(dirname(activeFile))
  core.writer.renamed(activeFile)
}

/** A new, synced, empty file becomes the active segment; log.segment is its first record. */
function beginSegment(core: Core, path: string): void {
  const { ops, layout } = core.env
  const fd = ops.open(path, 'create')
  try {
    ops.fsync(fd)
  } finally {
    ops.close(fd)
  }
  ops.syncDirectory(dirname(path))
  writeDerived(core)
  core.writer = openSegment(ops, path, { firstSeq: core.size, end: 0, durableEnd: 0 })
  core.offsets = openOffsets(ops, layout.index, { firstSeq: core.size, path }, { count: 0, end: 0 })
  core.segmentStartedAt = core.env.now()
  linkSegment(core)
  sync(core)
}

/** log.segment: what a reader needs to compute every root from here on. */
export function linkSegment(core: Core): void {
  const frontier = Buffer.concat(core.frontier.hashes()).toString('base64')
  linkReserved(core, 'log.segment', { first_seq: core.size, frontier })
}
