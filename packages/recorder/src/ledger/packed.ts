/**
 * Closed segments that were compressed are read as if they were plain.
 *
 * `segments/<first seq>.jsonl` stands for `.gz` and `.zst` of that name where the plain file is gone. Of a packed file
 * only as much is unpacked as is asked for, in memory. `pack` makes it.
 * @module
 */
import { dirname } from 'node:path'
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { errorCode, type FileOps, type FileStat } from './file-ops.ts'
import { readFile, readRange } from './files.ts'

/** What is unpacked first; each further step takes four times as much. */
const FIRST_BYTES = 256 << 10
/** No segment is larger. */
const MAX_BYTES = 2 ** 31

/** `ops` for a ledger whose segments lie in the directory `segments`. */
export function readingPacked(ops: FileOps, segments: string): FileOps {
  const unpacking = new Map<number, Unpacking>()
  /** What stands for a file that is not there. */
  const standIn = (path: string): string | undefined =>
    dirname(path) === segments && path.endsWith('.jsonl') ? packedName(ops, path) : undefined
  return {
    ...ops,
    open(path, mode) {
      try {
        return ops.open(path, mode)
      } catch (e) {
        const packed = mode === 'read' && errorCode(e) === 'ENOENT' ? standIn(path) : undefined
        if (packed === undefined) throw e
        const fd = ops.open(packed, 'read')
        unpacking.set(fd, createUnpacking(ops, fd, packed))
        return fd
      }
    },
    read: (fd, target, position) => unpacking.get(fd)?.read(target, position) ?? ops.read(fd, target, position),
    close(fd) {
      unpacking.delete(fd)
      ops.close(fd)
    },
    stat(path) {
      const found = ops.stat(path)
      const packed = found ? undefined : standIn(path)
      return packed === undefined ? found : statPacked(ops, packed)
    },
    unlink: (path) => ops.unlink((ops.stat(path) ? undefined : standIn(path)) ?? path),
  }
}

/** The packed file that stands for a plain one, when there is one. */
export function packedName(ops: FileOps, path: string): string | undefined {
  return [`${path}.gz`, `${path}.zst`].find((packed) => ops.stat(packed))
}

/** The size is that of the lines, and costs unpacking them: it is asked for only where no offsets tell. */
function statPacked(ops: FileOps, packed: string): FileStat | undefined {
  const found = ops.stat(packed)
  return (
    found && {
      ...found,
      get size() {
        return unpack(packed, readFile(ops, packed) ?? Buffer.alloc(0), true).length
      },
    }
  )
}

interface Unpacking {
  read(target: Uint8Array, position: number): number
}

function createUnpacking(ops: FileOps, fd: number, path: string): Unpacking {
  const { size } = ops.fstat(fd)
  let taken = 0
  let bytes: Buffer = Buffer.alloc(0)
  return {
    read(target, position) {
      while (taken < size && bytes.length < position + target.length) {
        taken = Math.min(size, taken === 0 ? FIRST_BYTES : 4 * taken)
        bytes = unpack(path, readRange(ops, fd, 0, taken), taken === size)
      }
      return bytes.copy(target, 0, Math.min(position, bytes.length))
    },
  }
}

function unpack(path: string, packed: Buffer, whole: boolean): Buffer {
  const { Z_FINISH, Z_SYNC_FLUSH, ZSTD_e_end, ZSTD_e_flush } = constants
  return path.endsWith('.gz')
    ? gunzipSync(packed, { finishFlush: whole ? Z_FINISH : Z_SYNC_FLUSH, maxOutputLength: MAX_BYTES })
    : zstdDecompressSync(packed, { finishFlush: whole ? ZSTD_e_end : ZSTD_e_flush, maxOutputLength: MAX_BYTES })
}
