/**
 * Progress of long work, on a terminal only: bytes, rate, time left, in one line of stderr that is rewritten.
 * @module
 */
import type { Io } from '../frame/io.ts'

const FIRST_MS = 500
const EVERY_MS = 200
const MEGABYTE = 1e6

export interface Progress {
  show(doneBytes: number, totalBytes: number): void
  /** Takes the line away. */
  clear(): void
}

/** Shows nothing where stdout or stderr is no terminal, when `silent`, and before half a second has passed. */
export function createProgress(io: Io, silent: boolean): Progress {
  const isTerminal = io.isTTY && 'isTTY' in io.stderr && io.stderr.isTTY === true
  if (silent || !isTerminal || io.env.TERM === 'dumb') return { show: () => undefined, clear: () => undefined }
  const start = io.now()
  let due = start + FIRST_MS
  let shown = false
  return {
    show(done, total) {
      const now = io.now()
      if (now < due) return
      due = now + EVERY_MS
      shown = true
      io.stderr.write(`\r\u001b[K${formatProgress(done, total, now - start).slice(0, Math.max(0, io.columns - 1))}`)
    },
    clear() {
      if (shown) io.stderr.write('\r\u001b[K')
      shown = false
    },
  }
}

/** `312 of 1240 MB, 405 MB/s, 3 s left` */
export function formatProgress(done: number, total: number, elapsedMs: number): string {
  const rate = (done / Math.max(1, elapsedMs)) * 1000
  const left = rate > 0 ? `, ${formatSeconds(Math.max(0, total - done) / rate)} left` : ''
  return `${megabytes(done)} of ${megabytes(total)} MB, ${megabytes(rate)} MB/s${left}`
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / MEGABYTE))
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
