/**
 * CloudEvents 1.0, structured JSON: the event is `data`, whole; the attributes are for routing.
 *
 * `source` names the ledger when it is known. Source: CloudEvents 1.0.2, JSON event format §3.
 * @module
 */
import { asText, isJsonObject, type JsonValue } from '@sworn/verify'
import { RESERVED_MEMBERS } from '@sworn/verify/events'
import { type Dialect, lineDialect } from '../dialect.ts'
import type { Codec } from '../lens.ts'
import { type Event, MEMBER_PLACES } from '../members.ts'
import { section } from './values.ts'

const TYPE = 'dev.sworn.'

/** @param origin the ledger's origin, as a URI reference */
export function createCloudEventsCodec(origin: string): Codec {
  return {
    name: 'cloudevents',
    slot: 'none',
    encode(event) {
      return {
        specversion: '1.0',
        id: event.event_id ?? '',
        source: origin,
        type: TYPE + event.event_type,
        time: event.timestamp,
        subject: event.tool,
        datacontenttype: 'application/json',
        // The entry's place, as extension attributes: lower-case letters and digits, at most 20.
        swornseq: event.seq === undefined ? undefined : asText(event.seq),
        swornhash: event.entry_hash,
        data: eventOf(event),
      }
    },
    isWhole: ({ type, data }) => isJsonObject(data) && type === TYPE + asText(data.event_type),
    decode(record) {
      return isJsonObject(record.data) ? record.data : { event_type: record.type, metadata: section({ data: record.data }) }
    },
  }
}

function eventOf(entry: Event): JsonValue {
  const members = Object.entries(entry).filter(([name]) => !(RESERVED_MEMBERS as readonly string[]).includes(name))
  return section(Object.fromEntries(members)) ?? {}
}

const DESCRIPTOR = {
  name: 'cloudevents',
  title: 'CloudEvents 1.0',
  source: 'CloudEvents 1.0.2, JSON event format, structured mode',
  mediaType: 'application/cloudevents+json',
  extension: 'jsonl',
  names: MEMBER_PLACES,
  rest: 'none: the event is whole in `data`',
  loss: [],
}

export const cloudEvents: Dialect = {
  ...lineDialect(DESCRIPTOR, createCloudEventsCodec('')),
  openWriter: (options) => lineDialect(DESCRIPTOR, createCloudEventsCodec(options.origin)).openWriter(options),
}
