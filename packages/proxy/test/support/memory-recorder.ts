/** A recorder that checks events as the real one does, keeps them in an array and can be told to fail. @module */
import type { Recorder } from '@sworn/recorder'
import { eventSchema } from '@sworn/recorder/schemas'
import type { ProxyRecorder, RecordAck } from '../../src/index.ts'

export interface Recorded extends Record<string, unknown> {
  readonly event_type: string
  readonly tool?: string
  readonly correlation_id?: string
  readonly reason_code?: string
  readonly metadata?: Record<string, unknown>
}

/** Compiles only while the real recorder can be handed to the proxy. */
export const fits = (recorder: Recorder): ProxyRecorder => recorder

export interface MemoryRecorder extends ProxyRecorder {
  /** In the order in which they were submitted; a snapshot of each. */
  readonly events: Recorded[]
  /** Set to make every record fail, or wait for as long as the promise takes. */
  behave: 'ack' | 'refuse' | 'unknown' | Promise<void>
  ofType(type: string): Recorded[]
}

export function createMemoryRecorder({ keep = true }: { keep?: boolean } = {}): MemoryRecorder {
  const events: Recorded[] = []
  let seq = 0
  const recorder: MemoryRecorder = {
    events,
    behave: 'ack',
    ofType: (type) => events.filter((e) => e.event_type === type),
    async record(event): Promise<RecordAck> {
      eventSchema.parse(event)
      if (keep) events.push(structuredClone(event) as Recorded) // the proxy always sets event_type
      if (recorder.behave === 'refuse') throw new Error('no space left')
      if (recorder.behave === 'unknown') throw Object.assign(new Error('unknown'), { name: 'SwornError', code: 'APPEND_UNKNOWN' })
      await (recorder.behave === 'ack' ? undefined : recorder.behave)
      return { seq: seq++, entry_hash: '0'.repeat(64), durable: true }
    },
  }
  return recorder
}
