/**
 * A port to a ledger that cannot be opened yet: a spool stands in front of it, and it is opened as soon as it can be.
 *
 * Until then it takes nothing. Who holds the ledger and does not answer, or a disk that is full or gone, is waited for;
 * what the ledger itself says (rolled back, forked, broken) is not.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import type { LedgerInfo, Port } from '../port/types.ts'

export interface LaterOptions {
  /** What stands for the ledger until it is open. */
  readonly known: () => LedgerInfo
  readonly say?: (line: string) => void
  /** Before the second try; doubled with each until it is eight times as long. Default 250. */
  readonly retryMs?: number
}

/** `info` stays what it was when the port was made. */
export interface SoonerOrLater extends Port {
  /** Only of a port that could not be opened at once: what the ledger says it is, undefined when it never is. Never rejects. */
  readonly opened?: Promise<LedgerInfo | undefined>
}

const LONGEST = 8

/** @throws SwornError as `open`, when no waiting helps */
export async function openSoonerOrLater(open: () => Promise<Port>, options: LaterOptions): Promise<SoonerOrLater> {
  try {
    return await open()
  } catch (e) {
    if (!mayPass(e)) throw e
    options.say?.(`${tell(e)}; the ledger is opened when it can be`)
    return later(open, options)
  }
}

function later(open: () => Promise<Port>, { known, say = () => {}, retryMs = 250 }: LaterOptions): SoonerOrLater {
  const ending = new AbortController()
  let port: Port | undefined
  const absent = () => new SwornError('RECORDER_UNAVAILABLE', 'the ledger could not be opened yet')
  const inner = () => {
    if (port) return port
    throw absent()
  }

  async function search(): Promise<LedgerInfo | undefined> {
    for (let pause = 1; !ending.signal.aborted; pause = Math.min(2 * pause, LONGEST)) {
      await sleep(pause * retryMs, undefined, { signal: ending.signal, ref: false }).catch(() => {}) // looked at by the loop
      if (ending.signal.aborted) return undefined
      try {
        port = await open()
        return port.info
      } catch (e) {
        if (mayPass(e)) continue
        say(`${tell(e)}; it is not opened any more`)
        return undefined
      }
    }
    return undefined
  }

  const opened = search()
  return {
    info: known(),
    opened,
    submit: async (batch) => (port ? port.submit(batch) : batch.map(absent)),
    reserve: async (step) => inner().reserve(step),
    flush: async () => port?.flush(), // nothing was taken yet
    reopen: async () => port?.reopen(),
    flushSync: (timeoutMs) => port?.flushSync(timeoutMs) ?? true,
    async close() {
      ending.abort()
      await opened
      await port?.close()
    },
  }
}

/** Nobody answers, or the operating system refused. */
function mayPass(e: unknown): boolean {
  if (SwornError.is(e)) return e.code === 'LEDGER_BUSY' || e.code === 'IO_FAILED' || e.code === 'RECORDER_UNAVAILABLE'
  return e instanceof Error && 'syscall' in e
}

const tell = (e: unknown) => (SwornError.is(e) ? `${e.code} ${e.message}` : 'the operating system refused')
