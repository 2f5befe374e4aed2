/**
 * The types of sinks that a configuration may name. Adding one is a file here and a line in the table.
 * @module
 */
import { hostname } from 'node:os'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { collector } from './collector-type.ts'
import { DRIVER_TYPES } from './driver-types.ts'
import { jsonlSink } from './jsonl.ts'
import { jsonlHoldings, PLACELESS } from './jsonl-holdings.ts'
import { loggerSink } from './logger.ts'
import { natsSink } from './nats.ts'
import { PEOPLE_TYPES } from './people-types.ts'
import { postgresSink } from './postgres.ts'
import { postgresHoldings } from './postgres-holdings.ts'
import { type SinkType, sinkType } from './sink-type.ts'
import { stdoutSink } from './stdout.ts'
import { syslogSink } from './syslog.ts'
import { headers, http, readPem, secret, text, token } from './values.ts'
import { VENDOR_TYPES } from './vendor-types.ts'
import { webhookSink } from './webhook.ts'

const jsonl = sinkType(
  'jsonl',
  'a file of lines; without a dialect a copy that verifies',
  {
    path: text.describe('Relative to this file.'),
    rotate_bytes: z.int().min(1024).optional().describe('The file is moved to <path>.YYYYmmdd_HHMMSS.'),
  },
  ({ path, rotate_bytes: rotateBytes, dialect }, { now }) => ({
    open: jsonlSink({ path, rotateBytes, now }),
    ...(!PLACELESS.includes(dialect ?? '') && { holdings: jsonlHoldings(path) }),
    records: 'all',
  }),
)

const stdout = sinkType('stdout', 'lines on stdout', {}, (_, opening) => ({ open: stdoutSink(opening.stdout) }))

const logger = sinkType('logger', 'the logger of the program, and diagnostics_channel `sworn:entry`', {}, (_, opening) => ({
  open: loggerSink(opening.logger),
}))

const webhook = sinkType(
  'webhook',
  'a POST an event or a batch, signed as Standard Webhooks',
  {
    ...http,
    ...secret,
    headers,
    mode: z.enum(['each', 'batch', 'binary']).optional().describe('each (default), a JSON array, or CloudEvents in headers.'),
    parallel: z.int().min(1).max(64).optional().describe('Requests at a time; default 8. The events of a session follow each other.'),
  },
  (
    { url, addresses, ca_file: ca, secret: value, secret_file: file, headers, mode = 'each', parallel = 8, dialect },
    { secret: read, origin, now },
  ) => {
    const contentType =
      dialect === 'cloudevents'
        ? 'application/cloudevents+json'
        : dialect === 'cef' || dialect === 'leef'
          ? 'text/plain'
          : 'application/json'
    return {
      open: webhookSink({ url, addresses, ca: readPem(ca), secret: read(value, file), headers, mode, contentType, parallel, origin, now }),
    }
  },
)

const PORTS = { udp: 514, tcp: 601, tls: 6514 }
/** The number of the documentation of RFC 5612: an operator sets their own. */
const ENTERPRISE = 32_473

const syslog = sinkType(
  'syslog',
  'RFC 5424 over UDP, TCP or TLS',
  {
    host: text,
    port: z.int().min(1).max(65_535).optional().describe('Default 514, 601, 6514.'),
    protocol: z.enum(['udp', 'tcp', 'tls']).optional().describe('Default tls.'),
    facility: z.int().min(0).max(23).optional().describe('Default 13, log audit.'),
    enterprise: z.int().min(1).optional().describe("Your organisation's number, for the structured data."),
    ca_file: text.optional().describe('PEM of authorities to trust instead of the usual ones.'),
  },
  ({ host, protocol = 'tls', port = PORTS[protocol], facility = 13, enterprise = ENTERPRISE, ca_file: ca }) => ({
    open: syslogSink({ host, port, protocol, facility, enterprise, ca: readPem(ca), hostname: hostname() }),
  }),
)

const postgres = sinkType(
  'postgres',
  'a table by month with the exact lines, each entry once',
  {
    connection: text.optional().describe('A DSN; better a variable, or connection_file.'),
    connection_file: text.optional().describe('A file that only its owner can read.'),
    table: z.string().optional().describe('Names the tables; default sworn_entry.'),
  },
  ({ connection: value, connection_file: file, table = 'sworn_entry', dialect }, { secret: read, origin }) => {
    const connection = read(value, file)
    if (connection === undefined) throw new SwornError('CONFIG_INVALID', 'a connection was expected', 'audit.sinks.connection')
    return {
      open: postgresSink({ connection, table, origin }),
      holdings: postgresHoldings({ connection, table, origin, isEvent: dialect === undefined }),
      records: 'all',
    }
  },
)

const nats = sinkType(
  'nats',
  'a JetStream, many entries a message, each entry once',
  {
    url: text.describe('HOST:PORT, several with commas.'),
    ...token,
    stream: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .optional()
      .describe('Default SWORN; made when it is absent.'),
    subject: z
      .string()
      .regex(/^[\w-]+(\.[\w-]+){0,8}$/)
      .optional()
      .describe('Default sworn; the ledger is the last part.'),
  },
  ({ url: servers, token: value, token_file: file, stream = 'SWORN', subject = 'sworn' }, { secret: read, origin }) => ({
    open: natsSink({ servers, token: read(value, file), stream, subject, origin }),
  }),
)

export const SINK_TYPES: readonly SinkType[] = [
  jsonl,
  stdout,
  logger,
  webhook,
  syslog,
  postgres,
  nats,
  collector,
  ...DRIVER_TYPES,
  ...VENDOR_TYPES,
  ...PEOPLE_TYPES,
]
