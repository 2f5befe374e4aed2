/**
 * The caller's end of an appender that runs in a worker thread.
 *
 * Events cross through shared memory of 4 MiB, the rest waits here (lane.ts). The worker keeps the process alive only while answers are outstanding. Promise: what was
 * submitted is flushed when the process exits, with or without `close`, except by SIGKILL.
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { createLane } from './lane.ts'
import { fromPlain } from './plain-error.ts'
import { createSharedMemory, syncTimesOf } from './ring.ts'
import { readSyncTimes } from './sync-times.ts'
import { CONTROL, type FromAppender, OUTCOME, type ToAppender } from './thread-messages.ts'
import type { LedgerInfo, Port } from './types.ts'

/** A port that can also be closed where nothing may be awaited: signal and exit handlers. */
export interface WorkerPort extends Port {
  /** Blocks until everything is on disk and the ledger is closed, or `timeoutMs` passed; true when it is. */
  closeSync(timeoutMs: number): boolean
}

export interface WorkerPortOptions {
  /** Starts the thread; it must serve with `serveThread` on the control words it is given. */
  readonly start: (control: Int32Array) => Worker
  readonly spawnRecorder?: () => void
  /** How long the exit handler may block. */
  readonly exitTimeoutMs?: number
}

/** @throws SwornError LEDGER_*, RECORDER_UNAVAILABLE: why the appender could not open its ledger */
export async function openWorkerPort(options: WorkerPortOptions): Promise<WorkerPort> {
  const control = createSharedMemory()
  const worker = options.start(control)
  const info = await firstMessage(worker, options.spawnRecorder)
  return createCaller(worker, control, info, options)
}

function firstMessage(worker: Worker, spawnRecorder: (() => void) | undefined): Promise<LedgerInfo> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromAppender) => {
      if (message.kind === 'spawn') return spawnRecorder?.()
      worker.off('message', onMessage)
      worker.removeAllListeners('exit')
      if (message.kind === 'ready') resolve(message.info)
      else if (message.kind === 'failed') reject(fromPlain(message.error))
    }
    worker.on('message', onMessage)
    worker.on('error', (cause) => reject(threadError(cause)))
    worker.on('exit', () => reject(new SwornError('RECORDER_UNAVAILABLE', 'the appender thread ended while it was opening')))
  })
}

const IN_A_BUNDLE = 'the file of the appender thread was expected beside this module; a bundle leaves sworn and @sworn/* outside'

/** What the operating system refused keeps its name and place; a bundler that took us in left the thread's file behind. */
function threadError(cause: NodeJS.ErrnoException): SwornError {
  const system = typeof cause.syscall === 'string' && typeof cause.code === 'string'
  if (system) return new SwornError('IO_FAILED', `${cause.code} in ${cause.syscall}`, cause.path ?? '', { cause })
  const isMissing = cause.code === 'MODULE_NOT_FOUND' || cause.code === 'ERR_MODULE_NOT_FOUND'
  return new SwornError('RECORDER_UNAVAILABLE', isMissing ? IN_A_BUNDLE : 'the appender thread failed', '', { cause })
}

function createCaller(worker: Worker, control: Int32Array, info: LedgerInfo, options: WorkerPortOptions): WorkerPort {
  const lane = createLane(worker, control, options.spawnRecorder)
  let ticket = 0
  let gone = false

  function block(close: boolean, timeoutMs: number): boolean {
    if (lane.dead()) return false
    lane.push(true)
    const mine = ++ticket
    worker.postMessage({ kind: 'blocking', close, ticket: mine } satisfies ToAppender)
    return waitForTicket(control, mine, timeoutMs) && Atomics.load(control, CONTROL.outcome) === OUTCOME.onDisk
  }

  function closeSync(timeoutMs: number): boolean {
    if (gone) return true
    end()
    return block(true, timeoutMs)
  }
  const onExit = () => void closeSync(options.exitTimeoutMs ?? 5_000)

  function end(): void {
    gone = true
    process.off('exit', onExit)
  }

  process.on('exit', onExit)
  return {
    info,
    submit: (batch) => (gone ? Promise.resolve(batch.map(() => closedError())) : lane.submit(batch)),
    async reserve(step) {
      if (gone) throw closedError()
      const answer = await lane.call((id) => ({ kind: 'reserve', id, step }))
      return answer.reservation! // the host sets it in every answer to `reserve`
    },
    async flush() {
      if (!gone) await lane.call((id) => ({ kind: 'flush', id }))
    },
    async reopen() {
      if (gone) throw closedError()
      await lane.call((id) => ({ kind: 'reopen', id }))
    },
    syncTimes: () => readSyncTimes(syncTimesOf(control)),
    flushSync: (timeoutMs) => gone || block(false, timeoutMs),
    closeSync,
    async close() {
      if (gone) return
      end()
      try {
        await lane.call((id) => ({ kind: 'close', id }))
      } finally {
        await worker.terminate()
      }
    },
  }
}

const closedError = () => new SwornError('LEDGER_CLOSED', 'the recorder was closed')

/** Blocks this thread; the worker's loop goes on. */
function waitForTicket(control: Int32Array, ticket: number, timeoutMs: number): boolean {
  const until = performance.now() + timeoutMs
  for (;;) {
    const seen = Atomics.load(control, CONTROL.ticket)
    if (seen >= ticket) return true
    const left = until - performance.now()
    if (left <= 0) return false
    Atomics.wait(control, CONTROL.ticket, seen, left)
  }
}
