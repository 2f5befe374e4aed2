/**
 * Ours as a program would open it: a recorder in front of a port whose ledger lives in a worker thread.
 *
 * Everything is on: redaction, chain, tree, signed checkpoints, fdatasync at most 5 ms behind. The home is in
 * the bench's own folder, so no key of a user is touched.
 * @module
 */
import { join } from 'node:path'
import { createRecorder, openPort, type Port, type Recorder, type RedactOptions } from '@sworn/recorder'
import type { Candidate } from './candidate.ts'
import { createPressure } from './pressure.ts'

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
  const pressure = createPressure()
  let failure: unknown
  const failed = (error: unknown): void => {
    failure ??= error
    pressure.answered()
  }
  return {
    record(event) {
      pressure.sent()
      recorder.record(event).then(pressure.answered, failed)
    },
    ready: pressure.ready,
    async finish() {
      await recorder.flush()
      await recorder.close()
      if (failure !== undefined) throw new Error('an event was not recorded', { cause: failure })
      if (pressure.unanswered > 0) throw new Error(`${pressure.unanswered} events were not answered`)
    },
  }
}
