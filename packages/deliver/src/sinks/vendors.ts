/**
 * Log vendors whose requests are plain: Datadog, Grafana Loki, OpenTelemetry collectors, and Gantz's `siem`.
 *
 * Sources: Datadog Logs API v2 (at most 1,000 entries and 5 MB); Loki push API v1 with structured metadata; OTLP 1.5
 * over HTTP in JSON, partial success; the founding document of Gantz for `siem`.
 * @module
 */
import { asText } from '@sworn/verify'
import type { HttpOptions } from '../http.ts'
import type { Item, OpenSink } from '../sink.ts'
import { believeCollector, bulkSink, endpoint } from './bulk.ts'

const PROBE = 'sworn doctor: a probe, no event'
const JSON_TYPE = { 'content-type': 'application/json' }

export interface VendorOptions extends HttpOptions {
  readonly token?: string | undefined
  readonly now: () => number
}

const bearer = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` })

export function datadogSink({ url, token = '', hostname, ...options }: VendorOptions & { readonly hostname: string }): OpenSink {
  const common = { ddsource: 'sworn', service: 'sworn', hostname }
  return bulkSink({
    ...options,
    url: endpoint(url, '/api/v2/logs'),
    limits: { items: 1000, bytes: 4 << 20 },
    headers: { ...JSON_TYPE, 'dd-api-key': token },
    encode: (items) =>
      JSON.stringify(items.map(({ body, key, event }) => ({ ...common, status: event.severity ?? 'info', sworn_key: key, message: body }))),
    probe: {
      body: () => JSON.stringify([{ ...common, service: 'sworn-doctor', status: 'debug', ddtags: 'probe:true', message: PROBE }]),
      shown: 'took a line that says that it is a probe',
    },
  })
}

/** Labels are few and bounded: what differs from entry to entry is structured metadata. */
export function lokiSink({ url, token, tenant, ...options }: VendorOptions & { readonly tenant?: string | undefined }): OpenSink {
  return bulkSink({
    ...options,
    url: endpoint(url, '/loki/api/v1/push'),
    limits: { items: 1000, bytes: 2 << 20 },
    headers: { ...JSON_TYPE, ...bearer(token), ...(tenant !== undefined && { 'x-scope-orgid': tenant }) },
    encode: (items) => {
      const streams = Map.groupBy(items, ({ event }) => asText(event.severity ?? 'info'))
      return JSON.stringify({
        streams: [...streams].map(([severity, of]) => ({ stream: { service_name: 'sworn', severity }, values: of.map(toLokiValue) })),
      })
    },
    probe: {
      body: () => {
        const time = `${BigInt(options.now()) * 1_000_000n}`
        return JSON.stringify({ streams: [{ stream: { service_name: 'sworn-doctor' }, values: [[time, PROBE]] }] })
      },
      shown: 'took a line that says that it is a probe',
    },
  })
}

function toLokiValue({ event, body, key }: Item): readonly [string, string, object] {
  const ms = Date.parse(asText(event.timestamp))
  return [`${BigInt(Number.isNaN(ms) ? 0 : ms) * 1_000_000n}`, body, { sworn_key: key }]
}

/** Items are in the dialect `otlp`. */
export function otlpSink({
  url,
  headers,
  ...options
}: VendorOptions & { readonly headers?: Readonly<Record<string, string>> | undefined }): OpenSink {
  return bulkSink({
    ...options,
    url: endpoint(url, '/v1/logs'),
    limits: { items: 500, bytes: 4 << 20 },
    headers: { ...headers, ...JSON_TYPE, ...bearer(options.token) },
    encode: (items) => JSON.stringify({ resourceLogs: items.flatMap(({ body }) => JSON.parse(body).resourceLogs) }),
    probe: { body: () => '{"resourceLogs":[]}', shown: 'took a request without logs; nothing was written' },
    judge: (items, answer) => believeCollector(items, answer, 'rejectedLogRecords'),
  })
}

export function siemSink({ url, token, ...options }: VendorOptions): OpenSink {
  return bulkSink({
    ...options,
    url,
    limits: { items: 100, bytes: 1 << 20 },
    headers: { ...JSON_TYPE, ...bearer(token) },
    encode: (items) => `{"events":[${items.map(({ body }) => body).join(',')}]}`,
    probe: { body: () => '{"events":[]}', shown: 'took a request without events; nothing was written' },
  })
}
