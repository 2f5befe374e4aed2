/**
 * The way to the appender's thread and back: calls in order, answers by number.
 *
 * Batches go through the ring; what finds no room waits here, in order, until answers come. Everything of one turn
 * crosses as one message. When the thread ends, calls under way are answered APPEND_UNKNOWN (they may be written),
 * later ones RECORDER_UNAVAILABLE (nothing was handed over).
 * @module
 */
import type { Worker } from 'node:worker_threads'
import { SwornError } from '@sworn/verify'
import { unpackAnswers } from './packed-acks.ts'
import { type LabelledBatch, labelBatch, packBatch } from './packed-batch.ts'
import { fromPlain } from './plain-error.ts'
import { createRingWriter } from './ring.ts'
import { rowChars } from './size.ts'
import type { FromAppender, ThreadAnswer, ToAppender } from './thread-messages.ts'
import type { Ack, Submission } from './types.ts'

export interface Lane {
  submit(batch: readonly Submission[]): Promise<readonly (Ack | SwornError)[]>
  call(make: (id: number) => ToAppender): Promise<ThreadAnswer>
  /** Posts what waits: as far as the ring has room, or all of it. */
  push(all: boolean): void
  dead(): boolean
}

interface Call {
  readonly resolve: (answer: ThreadAnswer) => void
  readonly reject: (error: SwornError) => void
}

type Letter = { readonly id: number; readonly batch: LabelledBatch } | { readonly message: ToAppender }

/** Payloads that travel as one region; a longer batch is cut. */
const MAX_REGION_CHARS = 256 * 1024

export function createLane(worker: Worker, control: Int32Array, spawnRecorder: (() => void) | undefined): Lane {
  const calls = new Map<number, Call>()
  const ring = createRingWriter(control)
  let waiting: Letter[] = []
  let lastId = 0
  let failure: SwornError | undefined
  let scheduled = false

  function push(all: boolean): void {
    scheduled = false
    const regions: number[] = []
    let sent = 0
    for (const letter of waiting) {
      if ('message' in letter) postBehind(regions, letter.message)
      else if (!intoRing(letter.id, letter.batch, regions)) {
        if (!all) break
        postBehind(regions, { kind: 'submit', id: letter.id, bytes: toBytes(letter.batch) })
      }
      sent++
    }
    waiting = waiting.slice(sent)
    postRegions(regions)
  }

  function intoRing(id: number, batch: LabelledBatch, regions: number[]): boolean {
    const region = ring.write(batch.mostBytes, (bytes, offset) => packBatch(batch, bytes, offset))
    if (region) regions.push(id, region.offset, region.end)
    return region !== undefined
  }

  function postRegions(regions: number[]): void {
    if (regions.length > 0) worker.postMessage({ kind: 'regions', regions: regions.splice(0) } satisfies ToAppender)
  }

  function postBehind(regions: number[], message: ToAppender): void {
    postRegions(regions)
    worker.postMessage(message)
  }

  function enqueue(make: (id: number) => Letter): Promise<ThreadAnswer> {
    if (failure) return Promise.reject(new SwornError('RECORDER_UNAVAILABLE', 'the appender thread ended', '', { cause: failure }))
    const id = ++lastId
    return new Promise((resolve, reject) => {
      if (calls.size === 0) worker.ref()
      calls.set(id, { resolve, reject })
      waiting.push(make(id))
      if (scheduled) return
      scheduled = true
      queueMicrotask(() => push(false))
    })
  }

  function settle(answer: ThreadAnswer): void {
    const call = calls.get(answer.id)
    calls.delete(answer.id)
    if (answer.error) call?.reject(fromPlain(answer.error))
    else call?.resolve(answer)
  }

  function fail(cause?: unknown): void {
    failure ??= new SwornError('APPEND_UNKNOWN', 'the appender thread ended', '', { cause })
    for (const call of calls.values()) call.reject(failure)
    calls.clear()
    waiting = []
  }

  /** Once it is in the ring nothing here keeps the batch. */
  const submitPiece = (batch: LabelledBatch): Promise<readonly (Ack | SwornError)[]> =>
    answersOf(
      enqueue((id) => ({ id, batch })),
      batch.batch.length,
    )

  worker.on('message', (message: FromAppender) => {
    if (message.kind === 'spawn') return spawnRecorder?.()
    if (message.kind !== 'answers') return
    for (const answer of message.answers) settle(answer)
    if (waiting.length > 0) push(false)
    if (calls.size === 0) worker.unref()
  })
  worker.on('error', fail)
  worker.on('exit', () => fail())
  worker.unref()

  return {
    push,
    dead: () => failure !== undefined,
    call: (make) => enqueue((id) => ({ message: make(id) })),
    submit(batch) {
      const pieces = cutBatch(batch).map((piece) => submitPiece(labelBatch(piece)))
      return pieces.length === 1 ? pieces[0]! : Promise.all(pieces).then((answers) => answers.flat())
    },
  }
}

async function answersOf(call: Promise<ThreadAnswer>, length: number): Promise<readonly (Ack | SwornError)[]> {
  try {
    const { answers } = await call
    return answers ? unpackAnswers(answers) : []
  } catch (error) {
    const told = SwornError.is(error) ? error : new SwornError('APPEND_UNKNOWN', 'the appender thread failed', '', { cause: error })
    return Array.from({ length }, () => told)
  }
}

function toBytes(batch: LabelledBatch): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(batch.mostBytes))
  return new Uint8Array(bytes.subarray(0, packBatch(batch, bytes, 0))) // its own memory: a view would take all of it along
}

/** Pieces of at most 256 Ki characters; a longer event is a piece of its own. */
function cutBatch(batch: readonly Submission[]): (readonly Submission[])[] {
  const pieces: Submission[][] = []
  let chars = MAX_REGION_CHARS
  for (const item of batch) {
    const itemChars = item.json.length + rowChars(item)
    if (chars + itemChars > MAX_REGION_CHARS) {
      pieces.push([])
      chars = 0
    }
    pieces.at(-1)!.push(item)
    chars += itemChars
  }
  return pieces.length === 0 ? [batch] : pieces
}
