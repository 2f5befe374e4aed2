/** What the disk alone takes: bytes appended to an open file, then fdatasync. @module */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

export interface BareDisk {
  /** Milliseconds for one append of `bytes` and its fdatasync. */
  append(bytes: Uint8Array): number
  close(): void
}

export function openBareDisk(path: string): BareDisk {
  const fd = openSync(path, 'a')
  return {
    append(bytes) {
      const start = performance.now()
      writeSync(fd, bytes)
      fdatasyncSync(fd)
      return performance.now() - start
    },
    close: () => closeSync(fd),
  }
}
