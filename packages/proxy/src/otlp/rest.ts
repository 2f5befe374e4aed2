/**
 * What no member of an event took of its span or log record, for `metadata.ext.otlp`: nothing that was told is left out
 * without a word.
 *
 * Pure. Hostile input. Left out are only the flags of a trace, and what says nothing: counts of 0, an internal span.
 * Source: opentelemetry-proto 1.5, trace.proto, logs.proto.
 * @module
 */
import type { JsonValue } from '@sworn/recorder'
import type { Picker } from './picker.ts'
import type { Told } from './told.ts'
import {
  attributesOf,
  idOf,
  type JsonObject,
  millisOf,
  nanosOf,
  numberOf,
  objectOf,
  objectsOf,
  SPAN_BYTES,
  TRACE_BYTES,
  textOf,
  toValue,
} from './values.ts'

/** A protobuf enum is a number, or its name in JSON. */
const KINDS: ReadonlyMap<unknown, string> = new Map([
  ...(['server', 'client', 'producer', 'consumer'] as const).flatMap((kind, n): [unknown, string][] => [
    [n + 2, kind],
    [`SPAN_KIND_${kind.toUpperCase()}`, kind],
  ]),
])

/**
 * @param name what the sender calls it
 * @param said whether the event tells the message of the span's status
 * @throws SwornError REQUEST_INVALID where something is not of OTLP's form
 */
export function restOf({ record, scopeAttributes }: Told, picker: Picker, name: string, said: boolean): JsonObject {
  const { attributes, resource } = picker.rest()
  const body = toValue(record.body)
  return present({
    name,
    kind: KINDS.get(record.kind),
    attributes: filled(attributes),
    body: body === null || body === name ? undefined : body,
    severity: textOf(record.severityText) ?? numberOf(record.severityNumber),
    status_message: said ? undefined : textOf(objectOf(record.status).message),
    events: listOf(record.events, (event) => ({ name: textOf(event.name), time: timeOf(event.timeUnixNano) })),
    links: listOf(record.links, (link) => ({ trace_id: idOf(link.traceId, TRACE_BYTES), span_id: idOf(link.spanId, SPAN_BYTES) })),
    trace_state: textOf(record.traceState),
    dropped_attributes: countOf(record.droppedAttributesCount),
    dropped_events: countOf(record.droppedEventsCount),
    dropped_links: countOf(record.droppedLinksCount),
    scope: filled(Object.fromEntries(scopeAttributes)),
    resource: filled(resource),
  })
}

type Members = Readonly<Record<string, JsonValue | undefined>>

/** Events or links of a span, each with its attributes. */
function listOf(list: JsonValue | undefined, read: (one: JsonObject) => Members): JsonValue | undefined {
  const all = objectsOf(list).map((one) =>
    present({
      ...read(one),
      attributes: filled(Object.fromEntries(attributesOf(one.attributes))),
      dropped_attributes: countOf(one.droppedAttributesCount),
    }),
  )
  return all.length === 0 ? undefined : all
}

function present(members: Members): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

const filled = (members: JsonObject) => (Object.keys(members).length === 0 ? undefined : members)

/** More than 0. */
function countOf(value: JsonValue | undefined): number | undefined {
  const count = numberOf(value) ?? 0
  return count > 0 ? count : undefined
}

function timeOf(value: JsonValue | undefined): string | undefined {
  const nanos = nanosOf(value)
  return nanos === undefined ? undefined : new Date(millisOf(nanos)).toISOString()
}
