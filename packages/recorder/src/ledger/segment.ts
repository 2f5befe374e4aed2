/**
 * The writer of one segment: append-only, fenced by the file's own size and identity.
 *
 * Promise: bytes are written only at the end this writer knows, and only while the name still leads
 * to the file it holds. A second writer, logrotate or a truncation is therefore noticed before and
 * after every batch, never overwritten. Source: docs/format.md, "Commit protocol".
 * @module
 */
import { SwornError } from '@sworn/verify'
import type { FileOps } from './file-ops.ts'
import { writeAll } from './files.ts'

export interface SegmentWriter {
  readonly firstSeq: number
  readonly path: string
  /** Also readable: what was renamed away can still be copied. */
  readonly fd: number
  /** Bytes written. */
  readonly end: number
  /** Bytes known to be on disk. */
  readonly durableEnd: number
  /**
   * True when the name no longer leads to this file: it was renamed or removed from outside.
   * @throws SwornError IO_FAILED as `check`, when it does
   */
  moved(): boolean
  /**
   * @param looked `moved` or `check` held in this very step: nothing is gained by asking again
   * @throws SwornError IO_FAILED when the file is not as it was left; Error of the file system. Then the writer is spent
   */
  append(bytes: Uint8Array, looked?: boolean): void
  /** @throws SwornError IO_FAILED when somebody else appended or cut */
  check(): void
  /** @throws as `append` */
  sync(): void
  /**
   * Begins to sync what is written by now, beside the caller, through a descriptor of its own: an error is told to
   * both, so a `sync` in between never takes for durable what failed here. `done` runs once, also when the
   * writer was closed by then. False where the platform cannot, and while one is under way.
   */
  syncAside(done: (error: Error | null) => void): boolean
  /** Follows a rename that we made ourselves. */
  renamed(path: string): void
  /** Once; later calls do nothing. */
  close(): void
}

/** Takes over `path` whose valid bytes end at `end`; all of them count as unsynced from `durableEnd` on. */
export function openSegment(ops: FileOps, path: string, state: { firstSeq: number; end: number; durableEnd: number }): SegmentWriter {
  const fd = ops.open(path, 'append')
  const beside = ops.fdatasyncAside && openBeside(ops, path, fd)
  const identity = ops.fstat(fd)
  let { end, durableEnd } = state
  let name = path
  let isOpen = true
  let underWay = false
  function checkSize(size: number): void {
    if (size === end) return
    const hint = size < end ? '; logrotate with copytruncate does this: use `create` and SIGHUP instead' : '; another writer appends to it'
    throw new SwornError('IO_FAILED', `the segment has ${size} bytes, ${end} were expected${hint}`, name)
  }
  const checkEnd = (): void => checkSize(ops.fstat(fd).size)
  return {
    firstSeq: state.firstSeq,
    fd,
    get path() {
      return name
    },
    get end() {
      return end
    },
    get durableEnd() {
      return durableEnd
    },
    moved() {
      const found = ops.stat(name)
      if (found === undefined || found.ino !== identity.ino || found.dev !== identity.dev) return true
      checkSize(found.size)
      return false
    },
    check: checkEnd,
    append(bytes, looked = false) {
      if (!looked) checkEnd()
      writeAll(ops, fd, bytes)
      end += bytes.length
      checkEnd()
    },
    sync() {
      ops.fdatasync(fd)
      checkEnd()
      durableEnd = end
    },
    syncAside(done) {
      if (beside === undefined || !ops.fdatasyncAside || underWay) return false
      const target = end
      underWay = true
      ops.fdatasyncAside(beside, (error) => {
        underWay = false
        if (!isOpen) ops.close(beside)
        if (!error) durableEnd = Math.max(durableEnd, target)
        done(error)
      })
      return true
    },
    renamed(path) {
      name = path
    },
    close() {
      if (isOpen) ops.close(fd)
      if (isOpen && beside !== undefined && !underWay) ops.close(beside)
      isOpen = false // a descriptor number may belong to somebody else by now
    },
  }
}

/** A second descriptor of the file that `fd` holds; none when the name leads elsewhere by now. */
function openBeside(ops: FileOps, path: string, fd: number): number | undefined {
  const beside = ops.open(path, 'read')
  const [own, other] = [ops.fstat(fd), ops.fstat(beside)]
  if (own.ino === other.ino && own.dev === other.dev) return beside
  ops.close(beside)
  return undefined
}
