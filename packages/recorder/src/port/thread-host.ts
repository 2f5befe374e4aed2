/**
 * The appender's thread: serves one port to the thread that started it.
 *
 * Promise: every message gets exactly one answer; a blocking request is answered through shared
 * memory, so a caller whose event loop stands still (exit handlers) still learns of it.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import { packAnswers } from './packed-acks.ts'
import { releaseBatch, unpackBatch } from './packed-batch.ts'
import type { PackedSubmission } from './packed-submission.ts'
import { toPlain } from './plain-error.ts'
import { createRingReader } from './ring.ts'
import { CONTROL, type FromAppender, OUTCOME, type ThreadAnswer, type ToAppender } from './thread-messages.ts'
import type { Port } from './types.ts'

/** What a port that lives in an appender thread may ask of the process around it. */
export interface ThreadHooks {
  /** Asks the caller's thread to start a recorder process; nothing is answered. */
  readonly spawnRecorder: () => void
}

/** Opens the port and serves it until it is closed; the thread then ends by itself. */
export async function serveThread(caller: MessagePort, control: Int32Array, open: (hooks: ThreadHooks) => Promise<Port>): Promise<void> {
  const say = (message: FromAppender) => caller.postMessage(message)
  const early: ToAppender[] = []
  const keep = (message: ToAppender) => early.push(message)
  caller.on('message', keep)
  try {
    const port = await open({ spawnRecorder: () => say({ kind: 'spawn' }) })
    const take = createServer(port, caller, control)
    caller.off('message', keep)
    caller.on('message', take)
    say({ kind: 'ready', info: port.info })
    for (const message of early) take(message)
  } catch (error) {
    say({ kind: 'failed', error: toPlain(error, 'RECORDER_UNAVAILABLE') })
    caller.close()
  }
}

function createServer(port: Port, caller: MessagePort, control: Int32Array): (message: ToAppender) => void {
  const answer = createOutbox(caller)
  const ring = createRingReader(control)

  function submit(id: number, batch: readonly PackedSubmission[]): void {
    void port.submit(batch).then((answers) => {
      releaseBatch(batch)
      answer({ id, answers: packAnswers(answers) })
    })
  }

  function takeRegions(regions: readonly number[]): void {
    for (let i = 0; i < regions.length; i += 3) {
      const region = { offset: regions[i + 1]!, end: regions[i + 2]! }
      const batch = unpackBatch(ring.bytes, region.offset)
      ring.free(region)
      submit(regions[i]!, batch)
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'regions':
        return takeRegions(message.regions)
      case 'submit':
        return submit(message.id, unpackBatch(Buffer.from(message.bytes.buffer, message.bytes.byteOffset), 0))
      case 'reserve':
        return void port.reserve(message.step).then(
          (reservation) => answer({ id: message.id, reservation }),
          (error: unknown) => answer({ id: message.id, error: toPlain(error, 'RECORDER_UNAVAILABLE') }),
        )
      case 'blocking':
        return void (message.close ? port.close() : port.flush()).then(
          () => release(control, message.ticket, OUTCOME.onDisk),
          () => release(control, message.ticket, OUTCOME.failed),
        )
      default:
        return void port[message.kind]().then(
          () => answer({ id: message.id }),
          (error: unknown) => answer({ id: message.id, error: toPlain(error) }),
        )
    }
  }
}

/** One message for all that one commit answers, before the loop goes on: a timer that is due syncs, and would hold it up. */
function createOutbox(caller: MessagePort): (answer: ThreadAnswer) => void {
  let answers: ThreadAnswer[] = []
  return (answer) => {
    if (answers.push(answer) > 1) return
    process.nextTick(() => {
      const message: FromAppender = { kind: 'answers', answers }
      answers = []
      caller.postMessage(message)
    })
  }
}

function release(control: Int32Array, ticket: number, outcome: number): void {
  Atomics.store(control, CONTROL.outcome, outcome)
  Atomics.store(control, CONTROL.ticket, ticket)
  Atomics.notify(control, CONTROL.ticket)
}
