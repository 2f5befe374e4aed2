/**
 * OTLP's messages in Protocol Buffers, as the objects that OTLP's JSON has. Hostile input.
 *
 * The library reads the wire, and is part of the build (docs/decisions/build.md); what is here is the part of the schema that is read. Other fields are skipped, and so is
 * a field of another wire type, as every reader does. Depth and number of messages are bounded.
 * Source: opentelemetry-proto 1.5 (collector/trace, collector/logs, collector/metrics, common, resource); protobuf encoding; google.rpc.Status.
 * @module
 */
import { type JsonValue, SwornError } from '@sworn/recorder'
import wire, { type Reader, type Writer } from 'protobufjs/minimal.js'
import type { Encoding } from './encoding.ts'
import type { JsonObject } from './values.ts'

const MAX_DEPTH = 64
/** Of one request, nested ones included. */
const MAX_MESSAGES = 250_000

type Field = readonly [name: string, kind: string, many?: 'many']

/** message -> field number -> name in JSON, and what it is: a scalar or a message. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, Field>>>> = {
  TraceRequest: { 1: ['resourceSpans', 'ResourceSpans', 'many'] },
  ResourceSpans: { 1: ['resource', 'Resource'], 2: ['scopeSpans', 'ScopeSpans', 'many'] },
  ScopeSpans: { 1: ['scope', 'Scope'], 2: ['spans', 'Span', 'many'] },
  LogsRequest: { 1: ['resourceLogs', 'ResourceLogs', 'many'] },
  ResourceLogs: { 1: ['resource', 'Resource'], 2: ['scopeLogs', 'ScopeLogs', 'many'] },
  ScopeLogs: { 1: ['scope', 'Scope'], 2: ['logRecords', 'LogRecord', 'many'] },
  MetricsRequest: { 1: ['resourceMetrics', 'ResourceMetrics', 'many'] },
  ResourceMetrics: { 2: ['scopeMetrics', 'ScopeMetrics', 'many'] },
  ScopeMetrics: { 2: ['metrics', 'Metric', 'many'] },
  Metric: {
    5: ['gauge', 'DataPoints'],
    7: ['sum', 'DataPoints'],
    9: ['histogram', 'DataPoints'],
    10: ['exponentialHistogram', 'DataPoints'],
    11: ['summary', 'DataPoints'],
  },
  DataPoints: { 1: ['dataPoints', 'DataPoint', 'many'] },
  DataPoint: {},
  Resource: { 1: ['attributes', 'KeyValue', 'many'], 2: ['droppedAttributesCount', 'uint32'] },
  Scope: { 1: ['name', 'string'], 2: ['version', 'string'], 3: ['attributes', 'KeyValue', 'many'] },
  Span: {
    1: ['traceId', 'hex'],
    2: ['spanId', 'hex'],
    3: ['traceState', 'string'],
    4: ['parentSpanId', 'hex'],
    5: ['name', 'string'],
    6: ['kind', 'uint32'],
    7: ['startTimeUnixNano', 'fixed64'],
    8: ['endTimeUnixNano', 'fixed64'],
    9: ['attributes', 'KeyValue', 'many'],
    10: ['droppedAttributesCount', 'uint32'],
    11: ['events', 'SpanEvent', 'many'],
    12: ['droppedEventsCount', 'uint32'],
    13: ['links', 'Link', 'many'],
    14: ['droppedLinksCount', 'uint32'],
    15: ['status', 'Status'],
  },
  SpanEvent: {
    1: ['timeUnixNano', 'fixed64'],
    2: ['name', 'string'],
    3: ['attributes', 'KeyValue', 'many'],
    4: ['droppedAttributesCount', 'uint32'],
  },
  Link: { 1: ['traceId', 'hex'], 2: ['spanId', 'hex'], 4: ['attributes', 'KeyValue', 'many'], 5: ['droppedAttributesCount', 'uint32'] },
  Status: { 2: ['message', 'string'], 3: ['code', 'uint32'] },
  LogRecord: {
    1: ['timeUnixNano', 'fixed64'],
    2: ['severityNumber', 'uint32'],
    3: ['severityText', 'string'],
    5: ['body', 'AnyValue'],
    6: ['attributes', 'KeyValue', 'many'],
    7: ['droppedAttributesCount', 'uint32'],
    9: ['traceId', 'hex'],
    10: ['spanId', 'hex'],
    11: ['observedTimeUnixNano', 'fixed64'],
    12: ['eventName', 'string'],
  },
  KeyValue: { 1: ['key', 'string'], 2: ['value', 'AnyValue'] },
  AnyValue: {
    1: ['stringValue', 'string'],
    2: ['boolValue', 'bool'],
    3: ['intValue', 'int64'],
    4: ['doubleValue', 'double'],
    5: ['arrayValue', 'ArrayValue'],
    6: ['kvlistValue', 'KeyValueList'],
    7: ['bytesValue', 'base64'],
  },
  ArrayValue: { 1: ['values', 'AnyValue', 'many'] },
  KeyValueList: { 1: ['values', 'KeyValue', 'many'] },
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2

const SCALARS: Readonly<Record<string, readonly [wire: number, read: (reader: Reader) => JsonValue]>> = {
  string: [LENGTH, (reader) => reader.stringVerify()],
  hex: [LENGTH, (reader) => Buffer.from(reader.bytes()).toString('hex')],
  base64: [LENGTH, (reader) => Buffer.from(reader.bytes()).toString('base64')],
  bool: [VARINT, (reader) => reader.bool()],
  uint32: [VARINT, (reader) => reader.uint32()],
  int64: [VARINT, (reader) => String(reader.int64())],
  fixed64: [FIXED64, (reader) => String(reader.fixed64())],
  double: [FIXED64, (reader) => reader.double()],
}

interface Walk {
  readonly reader: Reader
  messages: number
}

/**
 * Reads one message.
 *
 * @param name of the table above
 * @throws SwornError REQUEST_INVALID for what is no such message, and for one past the bounds
 */
function parseMessage(bytes: Buffer, name: string): JsonObject {
  try {
    return readMessage({ reader: wire.Reader.create(bytes), messages: 0 }, name, bytes.length, 0)
  } catch (e) {
    if (SwornError.is(e)) throw e
    throw new SwornError('REQUEST_INVALID', 'Protocol Buffers of OTLP were expected') // no cause: the library's words are of the input
  }
}

function readMessage(walk: Walk, name: string, end: number, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw new SwornError('REQUEST_INVALID', `messages within each other at most ${MAX_DEPTH} deep were expected`)
  if (++walk.messages > MAX_MESSAGES) throw new SwornError('REQUEST_INVALID', `at most ${MAX_MESSAGES} messages were expected`)
  const { reader } = walk
  const message: Record<string, JsonValue> = {}
  const lists: Record<string, JsonValue[]> = {}
  while (reader.pos < end) {
    const tag = reader.tag()
    const field = MESSAGES[name]?.[tag >>> 3]
    if (!field || (tag & 7) !== (SCALARS[field[1]]?.[0] ?? LENGTH)) reader.skipType(tag & 7, 0, tag >>> 3)
    else {
      const value = readField(walk, field[1], end, depth)
      if (field[2]) (lists[field[0]] ??= []).push(value)
      else message[field[0]] = value
    }
  }
  if (reader.pos !== end) throw new RangeError('a field ends behind its message')
  return { ...message, ...lists }
}

function readField(walk: Walk, kind: string, end: number, depth: number): JsonValue {
  const scalar = SCALARS[kind]
  if (scalar) return scalar[1](walk.reader)
  const length = walk.reader.uint32()
  if (length > end - walk.reader.pos) throw new RangeError('a message ends behind the one around it')
  return readMessage(walk, kind, walk.reader.pos + length, depth + 1)
}

const tagOf = (field: number, wire: number) => (field << 3) | wire
const toBuffer = (writer: Writer) => Buffer.from(writer.finish())

export const protobuf: Encoding = {
  type: 'application/x-protobuf',
  parse: parseMessage,
  /** The responses of all three signals have the same numbers. */
  formatPartial(rejected, _name, why) {
    const partial = wire.Writer.create().uint32(tagOf(1, VARINT)).int64(rejected).uint32(tagOf(2, LENGTH)).string(why)
    return toBuffer(wire.Writer.create().uint32(tagOf(1, LENGTH)).bytes(partial.finish()))
  },
  whole: Buffer.alloc(0),
  formatStatus: (code, message) =>
    toBuffer(wire.Writer.create().uint32(tagOf(1, VARINT)).int32(code).uint32(tagOf(2, LENGTH)).string(message)),
}
