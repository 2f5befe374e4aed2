/**
 * Lines on a stream that somebody else reads: stdout, as containers are collected from.
 *
 * A batch is accepted when the stream has taken it. What its reader loses is lost to this sink: the ledger still has it.
 * @module
 */
import type { Writable } from 'node:stream'
import type { OpenSink } from '../sink.ts'

const LIMITS = { items: 500, bytes: 1 << 20 }

export function stdoutSink(stream: Writable): OpenSink {
  return async () => ({
    limits: LIMITS,
    async send(items) {
      const text = items.map(({ body }) => `${body}\n`).join('')
      await new Promise<void>((resolve, reject) => {
        stream.write(text, (e) => (e ? reject(e) : resolve()))
      })
      return {}
    },
    probe: async () => (stream.writable ? { shown: 'a stream that can be written' } : { wrong: 'the stream has ended' }),
    close: async () => {},
  })
}
