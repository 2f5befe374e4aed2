/**
 * Ours as a program would open it: a recorder in front of a port whose ledger lives in a worker thread.
 *
 * Everything is on: redaction, chain, tree, signed checkpoints, fdatasync at most 5 ms behind. The home is in
 * the bench's own folder, so no key of a user is touched.
 * @module
 */
import { join } from 'node:path'
import { createRecorder, openPort, type Port, type RecordAnswer, type Recorder, type RedactOptions } from '@sworn/recorder'
import type { Candidate } from './candidate.ts'

/** Events that a caller leaves unanswered before it waits for the oldest. */
const MOST_UNANSWERED = 2048

/** @param redact what differs from the defaults */
export async function openRecorder(dir: string, redact: RedactOptions = {}): Promise<Recorder> {
  return recorderOn(await openPort({ path: join(dir, 'ledger'), home: join(dir, 'home') }), redact)
}

/** A recorder with the identity that all benches record. */
export const recorderOn = (port: Port, redact: RedactOptions): Recorder => createRecorder({ port, redact, user: 'bench' })

/** Keys and all usual patterns. */
export const openSworn = (dir: string): Promise<Candidate> => open(dir, {})

/** Keys alone: no pattern is looked for in values. */
export const openSwornKeysOnly = (dir: string): Promise<Candidate> => open(dir, { patterns: [] })

async function open(dir: string, redact: RedactOptions): Promise<Candidate> {
  const recorder = await openRecorder(dir, redact)
  let unanswered = 0
  let newest: Promise<RecordAnswer> | undefined
  let failure: unknown
  const answered = (): void => void unanswered--
  const failed = (error: unknown): void => {
    unanswered--
    failure ??= error
  }
  return {
    record(event) {
      unanswered++
      newest = recorder.record(event)
      newest.then(answered, failed)
    },
    async ready() {
      if (unanswered > MOST_UNANSWERED) await newest?.catch(() => {}) // `failed` has it
    },
    async finish() {
      await recorder.flush()
      await recorder.close()
      if (failure !== undefined) throw new Error('an event was not recorded', { cause: failure })
      if (unanswered > 0) throw new Error(`${unanswered} events were not answered`)
    },
  }
}
