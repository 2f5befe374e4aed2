/**
 * One way out, with back-pressure made visible.
 *
 * Lines written in one turn of the event loop leave in one system call. A broken pipe is an event,
 * never an exception; after it everything written is dropped.
 * @module
 */
import type { Writable } from 'node:stream'

/** Unsent bytes above which the other direction waits too: answers of ours must not pile up. */
const HEAVY_BYTES = 1024 * 1024

export interface Outlet {
  /** The stream asked to wait. */
  readonly blocked: boolean
  readonly heavy: boolean
  readonly broken: boolean
  write(line: Buffer): void
  /** Says something of ours beside the answer that is waited for. Absent: there is no way. */
  readonly aside?: (line: Buffer) => void
  /** Ends the stream after what was written. */
  end(): void
  /** Resolves when what was written has left, or the stream broke. */
  drained(): Promise<void>
  /** Takes our listeners off. */
  detach(): void
}

/** An outlet on `stream`; `onChange` runs when `blocked`, `heavy` or `broken` may have changed. */
export function createOutlet(stream: Writable, onChange: () => void): Outlet {
  let blocked = false
  let broken = false
  let corked = false

  const free = () => {
    blocked = false
    onChange()
  }
  const fail = () => {
    broken = true
    free()
  }
  stream.on('drain', free)
  stream.on('error', fail)
  stream.on('close', fail)

  function uncork(): void {
    corked = false
    stream.uncork()
  }

  function write(line: Buffer): void {
    if (broken || stream.writableEnded) return
    if (!corked) {
      corked = true
      stream.cork()
      queueMicrotask(uncork)
    }
    if (stream.write(line)) return
    blocked = true
    onChange()
  }

  return {
    get blocked() {
      return blocked && !broken
    },
    get heavy() {
      return !broken && stream.writableLength > HEAVY_BYTES
    },
    get broken() {
      return broken
    },
    write,
    aside: write,
    end() {
      if (!broken && !stream.writableEnded) stream.end()
    },
    async drained() {
      if (corked) await Promise.resolve()
      if (broken || stream.writableLength === 0) return
      await new Promise<void>((resolve) => {
        stream.write('', () => resolve())
        stream.once('close', () => resolve())
        stream.once('error', () => resolve())
      })
    },
    detach() {
      stream.off('drain', free)
      stream.off('close', fail)
      // the error listener stays: a late EPIPE must not end the process
    },
  }
}
