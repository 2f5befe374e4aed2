/**
 * The types of sinks that speak a vendor's HTTP format, as a configuration names them.
 * @module
 */
import { hostname } from 'node:os'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { elasticsearchSink } from './elasticsearch.ts'
import { elasticsearchHoldings } from './elasticsearch-holdings.ts'
import { otlpTraceSink } from './otlp-traces.ts'
import { type Opening, type SinkType, sinkType } from './sink-type.ts'
import { splunkSink } from './splunk.ts'
import { headers, http, readPem, text, token } from './values.ts'
import { datadogSink, lokiSink, otlpSink, siemSink } from './vendors.ts'

interface HttpConfig {
  readonly url: string
  readonly addresses?: ('public' | 'private' | 'loopback' | 'link_local')[] | undefined
  readonly ca_file?: string | undefined
  readonly token?: string | undefined
  readonly token_file?: string | undefined
}

/** Address, certificates and token, read. */
function connection({ url, addresses, ca_file: ca, token: value, token_file: file }: HttpConfig, { secret, now }: Opening) {
  return { url, addresses, ca: readPem(ca), token: secret(value, file), now }
}

/** @throws SwornError CONFIG_INVALID */
function needed(value: string | undefined, what: string): string {
  if (value === undefined) throw new SwornError('CONFIG_INVALID', `${what} was expected`, 'audit.sinks.token')
  return value
}

const splunk = sinkType(
  'splunk',
  'HTTP Event Collector, acknowledged by the indexer',
  {
    ...http,
    ...token,
    index: text.optional(),
    sourcetype: text.optional(),
    acknowledge: z.boolean().optional().describe('Default true; the token must have it on.'),
  },
  ({ index, sourcetype = 'sworn:entry', acknowledge = true, ...config }, opening) => {
    const { token: value, ...common } = connection(config, opening)
    return {
      open: splunkSink({
        ...common,
        token: needed(value, 'the token of a collector'),
        index,
        sourcetype,
        acknowledge,
        hostname: hostname(),
      }),
    }
  },
)

const elasticsearch = sinkType(
  'elasticsearch',
  '`_bulk` of Elasticsearch and OpenSearch, each entry once',
  { ...http, ...token, index: text.optional().describe('Default sworn; %{+yyyy.MM.dd} is the day of the event.') },
  ({ index = 'sworn', ...config }, opening) => {
    const common = { ...connection(config, opening), index }
    return { open: elasticsearchSink(common), holdings: elasticsearchHoldings({ ...common, origin: opening.origin }), dialect: 'ecs' }
  },
)

const datadog = sinkType('datadog', 'Logs API v2', { ...http, ...token }, (config, opening) => {
  const { token: value, ...common } = connection(config, opening)
  return { open: datadogSink({ ...common, token: needed(value, 'an API key'), hostname: hostname() }) }
})

const loki = sinkType('loki', 'push API', { ...http, ...token, tenant: text.optional() }, ({ tenant, ...config }, opening) => ({
  open: lokiSink({ ...connection(config, opening), tenant }),
}))

const otlp = sinkType(
  'otlp',
  'logs, or tool calls as spans, to an OpenTelemetry collector, HTTP and JSON',
  { ...http, ...token, headers, signal: z.enum(['logs', 'traces']).optional().describe('Default logs; traces: a span a tool call.') },
  ({ headers: own, signal = 'logs', dialect, ...config }, opening) => {
    const options = { ...connection(config, opening), headers: own }
    if (signal === 'logs') return { open: otlpSink(options), dialect: 'otlp' }
    if (dialect !== undefined) throw new SwornError('CONFIG_INVALID', 'no dialect was expected: spans are OTLP', 'audit.sinks.dialect')
    return { open: otlpTraceSink({ ...options, origin: opening.origin, version: opening.version }), records: 'events' }
  },
)

const siem = sinkType(
  'siem',
  'Gantz\'s: `{"events": [...]}` with a bearer token',
  { endpoint: text, api_key: text.optional(), api_key_file: text.optional(), addresses: http.addresses, ca_file: http.ca_file },
  ({ endpoint: url, api_key: value, api_key_file: file, ...config }, opening) => ({
    open: siemSink(connection({ ...config, url, token: value, token_file: file }, opening)),
    dialect: 'gantz',
  }),
)

export const VENDOR_TYPES: readonly SinkType[] = [splunk, elasticsearch, datadog, loki, otlp, siem]
