/** A recorder at a steady rate, and how long until each event is on disk. @module */
import type { Recorder } from '@sworn/recorder'

/** @returns milliseconds from `record` to on disk, for `count` events, so many a millisecond */
export async function paced(recorder: Recorder, events: readonly object[], count: number, perMs: number): Promise<number[]> {
  const all: Promise<number>[] = []
  const start = performance.now()
  while (all.length < count) {
    const due = Math.min(count, Math.ceil((performance.now() - start) * perMs))
    while (all.length < due) all.push(untilDurable(recorder, events[all.length % events.length]!))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return Promise.all(all)
}

async function untilDurable(recorder: Recorder, event: object): Promise<number> {
  const start = performance.now()
  const ack = await recorder.record({ ...event })
  if ('seq' in ack && !ack.durable) await recorder.durable(ack.seq)
  return performance.now() - start
}
