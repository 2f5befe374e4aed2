/**
 * The caller's end of an appender that runs in a worker thread.
 *
 * Each `submit` crosses as one message; at most 8 MiB are under way, the rest waits
 * here. The worker keeps the process alive only while answers are outstanding. Promise: what was
 * submitted is flushed when the process exits, with or without `close`, except by SIGKILL.
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { packBatch } from './packed-batch.ts'
import { fromPlain } from './plain-error.ts'
import { CONTROL, type FromAppender, OUTCOME, type ThreadAnswer, type ToAppender } from './thread-messages.ts'
import type { Ack, LedgerInfo, Port, Submission } from './types.ts'

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

interface Call {
  readonly units: number
  readonly settle: (answer: ThreadAnswer) => void
  readonly fail: (error: SwornError) => void
}

const MAX_UNITS_UNDER_WAY = 8 * 1024 * 1024

/** @throws SwornError LEDGER_*, RECORDER_UNAVAILABLE: why the appender could not open its ledger */
export async function openWorkerPort(options: WorkerPortOptions): Promise<WorkerPort> {
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words))
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
    worker.on('error', (cause) => reject(new SwornError('RECORDER_UNAVAILABLE', 'the appender thread failed', '', { cause })))
    worker.on('exit', () => reject(new SwornError('RECORDER_UNAVAILABLE', 'the appender thread ended while it was opening')))
  })
}

function createCaller(worker: Worker, control: Int32Array, info: LedgerInfo, options: WorkerPortOptions): WorkerPort {
  const lane = createLane(worker, options.spawnRecorder)
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

interface Lane {
  submit(batch: readonly Submission[]): Promise<readonly (Ack | SwornError)[]>
  call(make: (id: number) => ToAppender): Promise<ThreadAnswer>
  /** Posts what waits: as far as the bound allows, or all of it. */
  push(all: boolean): void
  dead(): boolean
}

/** The queue towards the worker, its bound, and the answers that come back. */
function createLane(worker: Worker, spawnRecorder: (() => void) | undefined): Lane {
  const calls = new Map<number, Call>()
  const waiting: { readonly message: ToAppender; readonly units: number }[] = []
  let unitsUnderWay = 0
  let lastId = 0
  let failure: SwornError | undefined
  let scheduled = false

  function push(all: boolean): void {
    scheduled = false
    while (waiting[0] && (all || unitsUnderWay === 0 || unitsUnderWay + waiting[0].units <= MAX_UNITS_UNDER_WAY)) {
      const { message, units } = waiting.shift()!
      unitsUnderWay += units
      worker.postMessage(message)
    }
  }

  function enqueue(units: number, make: (id: number) => ToAppender): Promise<ThreadAnswer> {
    if (failure) return Promise.reject(failure)
    const id = ++lastId
    return new Promise((resolve, reject) => {
      if (calls.size === 0) worker.ref()
      calls.set(id, { units, settle: resolve, fail: reject })
      waiting.push({ message: make(id), units })
      if (scheduled) return
      scheduled = true
      queueMicrotask(() => push(false))
    })
  }

  function settle(answer: ThreadAnswer): void {
    const call = calls.get(answer.id)
    if (!call) return
    calls.delete(answer.id)
    unitsUnderWay -= call.units
    if (answer.error) call.fail(fromPlain(answer.error))
    else call.settle(answer)
  }

  function fail(cause?: unknown): void {
    failure ??= new SwornError('APPEND_UNKNOWN', 'the appender thread ended', '', { cause })
    for (const call of calls.values()) call.fail(failure)
    calls.clear()
    waiting.length = 0
  }

  worker.on('message', (message: FromAppender) => {
    if (message.kind === 'spawn') return spawnRecorder?.()
    if (message.kind !== 'answers') return
    for (const answer of message.answers) settle(answer)
    push(false)
    if (calls.size === 0) worker.unref()
  })
  worker.on('error', fail)
  worker.on('exit', () => fail())
  worker.unref()

  return {
    push,
    dead: () => failure !== undefined,
    call: (make) => enqueue(0, make),
    async submit(batch) {
      const units = batch.reduce((sum, item) => sum + item.json.length, 0)
      try {
        const answer = await enqueue(units, (id) => ({ kind: 'submit', id, batch: packBatch(batch) }))
        return (answer.acks ?? []).map((ack) => ('code' in ack ? fromPlain(ack) : ack))
      } catch (error) {
        const told = SwornError.is(error) ? error : new SwornError('APPEND_UNKNOWN', 'the appender thread failed', '', { cause: error })
        return batch.map(() => told)
      }
    },
  }
}

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
