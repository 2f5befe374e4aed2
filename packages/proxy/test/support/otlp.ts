/** Real spans and log records in both encodings, made by OpenTelemetry's SDK, and a room that takes them. @module */
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { createRecorder, type Recorder } from '@sworn/recorder'
import { memoryPort } from '../../../recorder/test/support/memory-port.ts'
import { createOtlpRoute, type OtlpLimits, type OtlpPath } from '../../src/otlp/index.ts'

export type Form = 'json' | 'protobuf'
export const TYPES: Readonly<Record<Form, string>> = { json: 'application/json', protobuf: 'application/x-protobuf' }
export const FORMS = ['json', 'protobuf'] as const

export interface SpanSketch {
  readonly name?: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly failed?: string
  readonly exception?: Error
}

/** Spans as the SDK ends them: the first began at 2026-01-02T03:04:05.000Z, each took 1.5 ms. */
export function spansOf(sketches: readonly SpanSketch[]): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const tracer = provider.getTracer('agent-sdk', '2.0.0')
  const start = Date.UTC(2026, 0, 2, 3, 4, 5)
  for (const [n, { name = 'span', attributes = {}, failed, exception }] of sketches.entries()) {
    const span = tracer.startSpan(name, { startTime: [(start + n * 1000) / 1000, 0], attributes: attributes as never }) // of any kind, on purpose
    if (exception) span.recordException(exception)
    if (failed !== undefined) span.setStatus({ code: 2, message: failed })
    span.end([(start + n * 1000) / 1000, 1_500_000])
  }
  return exporter.getFinishedSpans()
}

export function encodeSpans(spans: readonly ReadableSpan[], form: Form): Uint8Array<ArrayBuffer> {
  const serializer = form === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer
  return new Uint8Array(serializer.serializeRequest([...spans])!)
}

/** One attribute of OTLP's JSON. */
export function attribute(key: string, value: string | number | boolean) {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

export interface LogSketch {
  readonly body?: string
  readonly eventName?: string
  readonly time?: string
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}

/** A request of log records, as JSON. */
export function logsOf(
  records: readonly LogSketch[],
  resource: Readonly<Record<string, string>> = { 'service.name': 'claude-code' },
): string {
  const logRecords = records.map(({ body, eventName, time = '1767323045000000000', attributes = {} }) => ({
    timeUnixNano: time,
    ...(body !== undefined && { body: { stringValue: body } }),
    ...(eventName !== undefined && { eventName }),
    attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  }))
  const sender = { attributes: Object.entries(resource).map(([key, value]) => attribute(key, value)) }
  return JSON.stringify({
    resourceLogs: [{ resource: sender, scopeLogs: [{ scope: { name: 'com.anthropic.claude_code.events' }, logRecords }] }],
  })
}

type Body = string | Uint8Array<ArrayBuffer>

export interface Asked {
  readonly path?: OtlpPath
  readonly form?: Form
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  /** Whom the token names. */
  readonly producer?: string
}

/** A route, and what it recorded, reports of senders apart. @param record instead of that of a recorder in memory */
export function openRoom(limits: Partial<OtlpLimits> = {}, record?: Recorder['record']) {
  const port = memoryPort()
  const all = port.events
  const isReport = ({ event_type }: { readonly event_type?: unknown }) => event_type === 'instrumentation_report'
  port.events = () => all().filter((event) => !isReport(event))
  const route = createOtlpRoute(record ?? createRecorder({ port, user: 'operator' }).record, limits)
  return {
    port,
    reports: () => all().filter(isReport),
    async post(
      body: Body,
      { path = '/v1/traces', form = 'json', headers = {}, method = 'POST', producer = 'ci' }: Asked = {},
    ): Promise<Response> {
      const init = { method, headers: { 'content-type': TYPES[form], ...headers }, ...(method !== 'GET' && { body }) }
      return route(new Request(`http://127.0.0.1${path}`, init), path, producer)
    },
    async logs(records: readonly LogSketch[], resource?: Readonly<Record<string, string>>): Promise<unknown> {
      return (await this.post(logsOf(records, resource), { path: '/v1/logs' })).json()
    },
  }
}
