/**
 * Records of another format as events: who said so, where it came from, and an id that a second import finds again.
 *
 * `event_id` is made of the file and the record's place, its time of the event's own timestamp: the same file imported
 * twice is recorded once. A record without a time gets one when it is recorded, so it is recorded each time.
 * Source: RFC 9562 §5.7 for the layout of a version 7 UUID.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Dialect, Event, ForeignReport } from '@sworn/dialects'
import type { JsonObject, JsonValue } from '@sworn/verify'

/** The event that is recorded for a record of `dialect`. @param place of the record, from 1 */
export function toImported(event: Event, dialect: Dialect, sha256: string, place: number): Event {
  const { source, metadata, ...members } = event
  const from: JsonObject = { kind: 'import', name: dialect.name, version: dialect.source, vantage: 'reported' }
  const isFirst = source === undefined || (isObject(source) && source.kind === 'import' && source.name === dialect.name)
  const kept = isFirst ? metadata : withSource(metadata, source)
  const { event_id = eventId(event.timestamp, sha256, place) } = event
  return {
    ...members,
    ...(event.timestamp !== undefined && { event_id }),
    source: from,
    ...(kept !== undefined && { metadata: kept }),
  }
}

/** What an event of ours said of its source when it was exported. */
function withSource(metadata: JsonValue | undefined, source: JsonValue): JsonValue {
  const own = isObject(metadata) ? metadata : metadata === undefined ? {} : { value: metadata }
  const ext = isObject(own.ext) ? own.ext : {}
  return { ...own, ext: { ...ext, sworn: { source } } }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function eventId(timestamp: JsonValue | undefined, sha256: string, place: number): string {
  const digest = createHash('sha256').update(`${sha256} ${place}`).digest()
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  digest.writeUIntBE(ms >= 0 && ms < 2 ** 48 ? ms : 0, 0, 6)
  digest[6] = (digest[6]! & 0x0f) | 0x70
  digest[8] = (digest[8]! & 0x3f) | 0x80
  const hex = digest.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/** The first event of an import: which file, in which format, and what a check of it showed. */
export function importReport(
  dialect: Dialect,
  file: { name: string; sha256: string; lines: number },
  report: ForeignReport | undefined,
): Event {
  const claims =
    report && Object.fromEntries(Object.entries(report.claims).map(([level, { holds, possible }]) => [level, possible ? holds : null]))
  const found: JsonObject[] = (report?.findings ?? [])
    .slice(0, 20)
    .map(({ class: name, record }) => ({ class: name, record: record ?? null }))
  return {
    event_type: 'instrumentation_report',
    severity: found.length > 0 ? 'warning' : 'info',
    source: { kind: 'import', name: dialect.name, version: dialect.source, vantage: 'reported' },
    reason: report
      ? found.length > 0
        ? 'the imported log does not hold'
        : 'the imported log was checked'
      : 'the format has no means to be checked',
    metadata: {
      import: { file: file.name, sha256: file.sha256, records: file.lines, format: dialect.name },
      can_block: false,
      claims: claims ?? null,
      findings: found,
      findings_in_all: report ? report.findings.length + report.findingsOmitted : 0,
      cannot: report ? [...report.cannot] : ['The format has no integrity of its own.'],
    },
  }
}
