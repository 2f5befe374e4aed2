/**
 * Events that others told go to the ledger together; what is none, or is refused for good, is counted by its reason.
 * @module
 */
import { type AuditEvent, type Recorder, SwornError } from '@sworn/recorder'
import { acknowledge } from '@sworn/recorder/http'
import type { Reading } from './told.ts'

/** Events that wait for the disk together. */
const AT_ONCE = 256

export type Recordable = { readonly event: AuditEvent } | Reading

/** Records what is an event; counts what is none. @throws SwornError when the ledger did not take one */
export async function recordAll(record: Recorder['record'], readings: readonly Recordable[]): Promise<Map<string, number>> {
  const left = new Map<string, number>()
  const leave = (why: string, many = 1) => left.set(why, (left.get(why) ?? 0) + many)
  const events: AuditEvent[] = []
  for (const reading of readings) {
    if ('left' in reading) leave(reading.left, reading.many)
    else events.push(reading.event)
  }
  for (let from = 0; from < events.length; from += AT_ONCE) {
    const batch = events.slice(from, from + AT_ONCE)
    const whys = await Promise.all(batch.map((event) => recordOne(record, event)))
    for (const why of whys) if (why !== undefined) leave(why)
  }
  return left
}

/** Undefined when it is on disk, or the configuration does not record such events; else why it is refused for good. */
async function recordOne(record: Recorder['record'], event: AuditEvent): Promise<string | undefined> {
  try {
    acknowledge(await record(event, { level: 'sync' }))
    return undefined
  } catch (e) {
    if (SwornError.is(e, 'EVENT_ID_CONFLICT')) return 'told before with another content'
    if (SwornError.is(e, 'EVENT_INVALID')) return 'a member that no event can have'
    throw e
  }
}
