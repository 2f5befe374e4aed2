/**
 * From a line of the ledger to what one sink gets: left out or kept, redacted once more, in the sink's dialect.
 *
 * A sink may see less than the ledger, never more. Without redaction and dialect it gets the exact bytes, and what it
 * holds verifies.
 * @module
 */
import { compileFilter, DIALECTS, type Event } from '@sworn/dialects'
import { createRedactor, type RedactOptions, type ShapedEvent } from '@sworn/recorder'
import { isJsonObject, type JsonValue, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { typeIn } from './numbered.ts'
import type { Item } from './sink.ts'
import type { Line } from './source.ts'

export interface ShapeOptions {
  /** Of the ledger. */
  readonly origin: string
  /** Of sworn. */
  readonly version: string
  /** `all`: the ledger's own records too, as a copy that verifies needs them. */
  readonly records: 'all' | 'events'
  /** A filter as docs/reference/filters.md; absent: everything. */
  readonly where?: string | undefined
  /** Absent: the line itself. */
  readonly dialect?: string | undefined
  readonly redact?: Pick<RedactOptions, 'keys' | 'paths'> | undefined
}

/**
 * Undefined for what the sink does not get. @throws SwornError LINE_MALFORMED for a line that is no JSON object, where its
 * members are needed; one that begins as an entry and goes as it stands is not parsed
 */
export type Shape = (line: Line) => Item | undefined | Promise<Item | undefined>

/** Each of their records is linked to the one before, or the first is a heading: delivery begins anew at each start. */
const CHAINED: readonly string[] = ['aat', 'sahu', 'csv']

/** Names that `dialect` takes. */
export const SINK_DIALECTS: readonly string[] = DIALECTS.map(({ name }) => name).filter((name) => !CHAINED.includes(name))

/** @throws SwornError CONFIG_INVALID, FILTER_INVALID */
export function createShape({ origin, version, records, where, dialect, redact }: ShapeOptions): Shape {
  const matches = where === undefined ? undefined : compileFilter(where)
  const redactor = redact && createRedactor(redact)
  const write = dialect === undefined ? undefined : openWriter(dialect, { origin, version, primitives: nodePrimitives, numbers: 'seq' })
  const isEventsOnly = records === 'events' || write !== undefined
  const look = createLook()
  return (line) => {
    const item = new WholeItem(line, origin, look)
    const type = typeIn(line.bytes) ?? item.event.event_type
    if ((isEventsOnly && type.startsWith('log.')) || (matches && !matches(item.event))) return undefined
    if (!redactor && !write) return item
    const event = redactor ? redactAgain(item.event, redactor) : item.event
    const { seq, key, entryHash, line: text } = item
    const shaped = (body: string): Item => ({ seq, key, entryHash, event, body, line: text })
    return write ? write(event).then(shaped) : shaped(JSON.stringify(event))
  }
}

interface Look {
  text(bytes: Buffer): string
  event(bytes: Buffer, seq: number): Event
}

/** Text and members of an entry when they are asked for. Only those of the last one are kept: a batch that waits holds bytes. */
function createLook(): Look {
  let last: { readonly bytes: Buffer; readonly text: string; event?: Event } | undefined
  const at = (bytes: Buffer) => {
    if (last?.bytes !== bytes) last = { bytes, text: bytes.toString('utf8') }
    return last
  }
  return {
    text: (bytes) => at(bytes).text,
    event(bytes, seq) {
      const kept = at(bytes)
      kept.event ??= parse(kept.text, seq)
      return kept.event
    },
  }
}

/** An entry as it stands. A class: with getters of its own each of many thousand objects would cost more than a parse. */
class WholeItem implements Item {
  readonly seq: number
  readonly entryHash: string
  readonly bytes: Buffer
  readonly #origin: string
  readonly #look: Look

  constructor({ seq, entryHash, bytes }: Line, origin: string, look: Look) {
    this.seq = seq
    this.entryHash = entryHash
    this.bytes = bytes
    this.#origin = origin
    this.#look = look
  }

  get key(): string {
    return `${this.#origin}/${this.seq}`
  }

  get event(): Event {
    return this.#look.event(this.bytes, this.seq)
  }

  get body(): string {
    return this.#look.text(this.bytes)
  }

  get line(): string {
    return this.body
  }
}

function openWriter(name: string, options: Parameters<(typeof DIALECTS)[number]['openWriter']>[0]): (event: Event) => Promise<string> {
  const dialect = DIALECTS.find((one) => one.name === name)
  if (!dialect || CHAINED.includes(name))
    throw new SwornError('CONFIG_INVALID', `one of ${SINK_DIALECTS.join(', ')} was expected`, 'dialect')
  const writer = dialect.openWriter(options)
  return async (event) => (await writer.write(event)).lines.join('\n')
}

/** Its place in the ledger stays with it; what would only verify with the bytes that are gone does not. */
function redactAgain(
  { seq, entry_hash, previous_hash: _, signature: __, ...event }: Event,
  redactor: ReturnType<typeof createRedactor>,
): Event {
  const shaped = event as unknown as ShapedEvent // an entry of the ledger has what a shaped event has
  const redacted: Event = JSON.parse(redactor.redact(shaped))
  return { ...redacted, seq, entry_hash }
}

function parse(line: string, seq: number): Event {
  const value = tryParse(line)
  if (!isJsonObject(value) || typeof value.event_type !== 'string')
    throw new SwornError('LINE_MALFORMED', 'a JSON object with an event_type was expected', `seq=${seq}`)
  return value as Event // it has an event_type
}

function tryParse(line: string): JsonValue | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
