/**
 * pino 10 in the three forms that its documentation names: asynchronous destination, the same with redaction
 * of four paths, and the worker transport. One fdatasync at the end; pino itself does none.
 * @module
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { destination, type LoggerOptions, pino, transport } from 'pino'
import { type Candidate, noPressure, syncFile } from './candidate.ts'

/** Four paths of the generated events, as many as pino's own benchmark redacts. */
const REDACT_PATHS = ['user', 'arguments.content', 'arguments.headers["x-request-id"]', 'result_hash']

/** `sync: false, minLength: 4096`, as in pino's documentation of asynchronous logging. */
export const openPinoAsync = (dir: string): Promise<Candidate> => openAsync(dir, {})

export const openPinoRedacting = (dir: string): Promise<Candidate> => openAsync(dir, { redact: REDACT_PATHS })

async function openAsync(dir: string, options: LoggerOptions): Promise<Candidate> {
  const path = join(dir, 'pino.jsonl')
  const target = destination({ dest: path, sync: false, minLength: 4096 })
  const logger = pino(options, target)
  await once(target, 'ready')
  return {
    record: (event) => logger.info(event),
    ready: noPressure,
    async finish() {
      target.end()
      await once(target, 'close')
      syncFile(path)
    },
  }
}

export async function openPinoWorker(dir: string): Promise<Candidate> {
  const path = join(dir, 'pino-worker.jsonl')
  const target = transport({ target: 'pino/file', options: { destination: path } })
  const logger = pino(target)
  await once(target, 'ready')
  return {
    record: (event) => logger.info(event),
    ready: noPressure,
    async finish() {
      const alive = setInterval(() => {}, 1000) // its worker does not keep the process alive
      target.end()
      await once(target, 'close')
      clearInterval(alive)
      syncFile(path)
    },
  }
}
