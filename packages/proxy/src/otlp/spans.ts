/**
 * Spans that say what an agent did become events: a call of a tool or a model is one outcome event, its span ended.
 *
 * Pure. The same span told again is the same event, byte for byte. Source: opentelemetry-proto 1.5, trace.proto.
 * @module
 */
import type { Outcome } from '@sworn/recorder'
import { type Kind, SPAN_KINDS } from './conventions.ts'
import { eventIdOf } from './event-id.ts'
import { createPicker, type Picker } from './picker.ts'
import { shapeOutcome, stamped } from './shape.ts'
import { isOfRecorder, type Reading, type Told } from './told.ts'
import { type Attributes, attributesOf, idOf, millisOf, nanosOf, objectOf, objectsOf, SPAN_BYTES, TRACE_BYTES, textOf } from './values.ts'

const STATUS_OK = 1
const STATUS_ERROR = 2
/** A protobuf enum is a number, or its name in JSON. */
const isError = (code: unknown) => code === STATUS_ERROR || code === 'STATUS_CODE_ERROR'
/** Whoever ended the span said so: an exception in it was handled. */
const isOk = (code: unknown) => code === STATUS_OK || code === 'STATUS_CODE_OK'
/** The call came back, and says that it did not go well. Source: MCP semantic conventions. */
const TOOL_ERROR = 'tool_error'

/** @param producer who the token names */
export function readSpan(told: Told, producer: string): Reading {
  const { record, attributes } = told
  if (isOfRecorder(told)) return { left: 'told by a recorder' }
  const kind = kindOf(attributes)
  if (kind === undefined) return { left: 'neither a call of a tool nor of a model' }
  const [trace, span] = [idOf(record.traceId, TRACE_BYTES), idOf(record.spanId, SPAN_BYTES)]
  if (trace === undefined || span === undefined) return { left: 'no trace id and span id' }
  const ended = nanosOf(record.endTimeUnixNano)
  if (ended === undefined) return { left: 'no end' }
  const picker = createPicker(told, exceptionOf(told))
  const parent = idOf(record.parentSpanId, SPAN_BYTES)
  const ids = { trace, span, ...(parent !== undefined && { parentCall: `${trace}-${parent}` }) }
  const shaping = { told, picker, kind, name: textOf(record.name) ?? kind, producer, correlationId: `${trace}-${span}`, ids }
  const outcome = outcomeOf(told, picker, ended)
  const event = shapeOutcome(shaping, outcome)
  const timeMs = millisOf(ended)
  const returned = kind === 'tool' && outcome.status === 'ok' && outcome.errorType === TOOL_ERROR
  return { event: stamped({ ...event, ...(returned && { is_error: true }) }, eventIdOf(timeMs, ['span', trace, span]), timeMs) }
}

function kindOf(attributes: Attributes): Kind | undefined {
  for (const [name, kinds] of Object.entries(SPAN_KINDS)) {
    const value = attributes.get(name)
    if (typeof value === 'string' && Object.hasOwn(kinds, value)) return kinds[value]
  }
  return undefined
}

/** An exception is told in an event of the span. */
function exceptionOf({ record }: Told): Attributes | undefined {
  const exception = objectsOf(record.events).find(({ name }) => name === 'exception')
  return exception && attributesOf(exception.attributes)
}

function outcomeOf({ record }: Told, picker: Picker, ended: bigint): Outcome {
  const { code, message } = objectOf(record.status)
  const started = nanosOf(record.startTimeUnixNano)
  const took = started === undefined || started > ended ? {} : { durationMs: Number(ended - started) / 1e6 }
  const errorType = isOk(code) ? undefined : picker.text('errorType')
  const finishReason = picker.text('finish')
  const known = { ...took, ...(errorType !== undefined && { errorType }), ...(finishReason !== undefined && { finishReason }) }
  const failed = errorType !== TOOL_ERROR && (isError(code) || errorType !== undefined)
  return failed ? { ...known, status: 'error', error: textOf(message) ?? picker.value('error') } : { ...known, status: 'ok' }
}
