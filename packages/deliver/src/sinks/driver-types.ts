/**
 * The types of sinks that need another's client, or this machine's SQLite, as a configuration names them.
 * @module
 */
import { DIALECTS } from '@sworn/dialects'
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { parseUrl } from '../http.ts'
import { loadDuckdb } from '../parquet.ts'
import type { AwsOptions } from './aws.ts'
import { cloudwatchSink } from './cloudwatch.ts'
import { PLACELESS } from './jsonl-holdings.ts'
import { kafkaSink } from './kafka.ts'
import { s3Sink } from './s3.ts'
import type { Encryption } from './s3-driver.ts'
import { s3Holdings } from './s3-holdings.ts'
import { s3SegmentSink } from './s3-segments.ts'
import { type Opening, type SinkType, sinkType } from './sink-type.ts'
import { sqliteSink } from './sqlite.ts'
import { sqliteHoldings } from './sqlite-holdings.ts'
import { http, readPem, text } from './values.ts'

const { url: _, ...reach } = http

const aws = {
  region: z.string().regex(/^[a-z0-9-]{1,64}$/),
  endpoint: text.optional().describe("In the place of the region's own; buckets are then part of the path."),
  ...reach,
  access_key_id: z
    .string()
    .regex(/^\w{4,128}$/)
    .optional()
    .describe("Absent: as AWS's tools find credentials: variables, profile, web identity, the machine's role."),
  secret_access_key: text.optional().describe('Better a variable, or secret_access_key_file.'),
  secret_access_key_file: text.optional().describe('A file that only its owner can read.'),
}
type AwsConfig = z.infer<z.ZodObject<typeof aws>>

/** @throws SwornError CONFIG_INVALID for half of the credentials, or an endpoint that is no URL */
function awsOptions(config: AwsConfig, { secret }: Opening): AwsOptions {
  const { region, endpoint, addresses, ca_file: ca, access_key_id: accessKeyId } = config
  if (endpoint !== undefined) parseUrl(endpoint)
  const secretAccessKey = secret(config.secret_access_key, config.secret_access_key_file)
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new SwornError('CONFIG_INVALID', 'access_key_id and secret_access_key were expected together', 'audit.sinks.access_key_id')
  const credentials = accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined
  return { region, endpoint, addresses, ca: readPem(ca), credentials }
}

/** An object waits a little for more lines, and is there within the five seconds that an ending program gives. */
const S3_LINGER_MS = 2000
/** A segment has 256 MiB, or as much as `rotate_bytes` says. */
const SEGMENT_TIMEOUT_S = 600

const LOCKS = { governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const

const s3 = sinkType(
  's3',
  'objects of exact lines, written once, locked where asked for',
  {
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    prefix: z.string().max(512).optional().describe("Before the ledger's origin, as it stands: audit/"),
    ...aws,
    lock: z
      .strictObject({ mode: z.enum(['governance', 'compliance']), days: z.int().min(1).max(36_500) })
      .optional()
      .describe('Object Lock of each object; the bucket must have it.'),
    encryption: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional().describe('Default: as the bucket does.'),
    kms_key: text.optional(),
    objects: z
      .enum(['batches', 'segments'])
      .optional()
      .describe('batches (default): what a batch holds, soon. segments: the closed segments of the ledger, whole.'),
    parquet: z.boolean().optional().describe('With objects: segments, a table of the events beside each; needs @duckdb/node-api.'),
  },
  ({ bucket, prefix = '', lock, encryption, kms_key: keyId, objects = 'batches', parquet = false, dialect, ...config }, opening) => {
    if (parquet && objects !== 'segments')
      throw new SwornError('CONFIG_INVALID', 'objects: segments was expected beside it', 'audit.sinks.parquet')
    const kind: Encryption['kind'] | undefined = encryption ?? (keyId === undefined ? undefined : 'aws:kms')
    const format = DIALECTS.find(({ name }) => name === dialect)
    const options = {
      ...awsOptions(config, opening),
      bucket,
      prefix,
      origin: opening.origin,
      extension: format?.extension ?? 'jsonl',
      mediaType: format?.mediaType ?? 'application/x-ndjson',
      lock: lock && { mode: LOCKS[lock.mode], days: lock.days },
      encryption: kind && { kind, keyId },
      now: opening.now,
    }
    if (objects === 'segments') {
      const segments = { ...options, ledgerPath: opening.ledgerPath, duckdb: parquet ? () => loadDuckdb() : undefined }
      return {
        open: s3SegmentSink(segments),
        ...{ holdings: s3Holdings(options), records: 'all', segments: 'closed', timeoutS: SEGMENT_TIMEOUT_S },
      }
    }
    return {
      open: s3Sink(options),
      ...(!PLACELESS.includes(dialect ?? '') && { holdings: s3Holdings(options) }),
      records: 'all',
      lingerMs: S3_LINGER_MS,
    }
  },
)

export const cloudwatch = sinkType(
  'cloudwatch',
  'CloudWatch Logs, an event an entry',
  {
    group: z.string().regex(/^[\w./#-]{1,512}$/),
    stream: z
      .string()
      .regex(/^[^:*]{1,500}$/)
      .optional()
      .describe("Default the ledger's origin; made when it is absent."),
    ...aws,
  },
  ({ group, stream, ...config }, opening) => ({
    open: cloudwatchSink({
      ...awsOptions(config, opening),
      group,
      stream: stream ?? opening.origin.replace(/[:*]/g, '_'),
      now: opening.now,
    }),
  }),
)

const kafka = sinkType(
  'kafka',
  'Apache Kafka, a message an entry, keyed by its session',
  {
    brokers: text.describe('HOST:PORT, several with commas.'),
    topic: z
      .string()
      .regex(/^[\w.-]{1,249}$/)
      .optional()
      .describe('Default sworn; it exists, or the brokers make it.'),
    tls: z.boolean().optional().describe('Default true.'),
    ca_file: reach.ca_file,
    username: text.optional(),
    password: text.optional().describe('Better a variable, or password_file.'),
    password_file: text.optional().describe('A file that only its owner can read.'),
    mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional().describe('Default SCRAM-SHA-512.'),
  },
  ({ brokers, topic = 'sworn', tls = true, ca_file: ca, username, password: value, password_file: file, mechanism }, opening) => {
    const password = opening.secret(value, file)
    if ((username === undefined) !== (password === undefined))
      throw new SwornError('CONFIG_INVALID', 'username and password were expected together', 'audit.sinks.username')
    if (mechanism === 'PLAIN' && !tls)
      throw new SwornError('CONFIG_INVALID', 'tls was expected: PLAIN shows the password to whoever listens', 'audit.sinks.mechanism')
    const sasl =
      username !== undefined && password !== undefined ? { mechanism: mechanism ?? 'SCRAM-SHA-512', username, password } : undefined
    return {
      open: kafkaSink({
        brokers: brokers.split(',').map((broker) => broker.trim()),
        topic,
        origin: opening.origin,
        tls: tls ? { ca: readPem(ca) } : undefined,
        sasl,
      }),
    }
  },
)

const ROWS = 'aegis-rows'

const sqlite = sinkType(
  'sqlite',
  "Aegis's `audit_log` table, each entry once",
  { path: text.describe('Relative to this file.') },
  ({ path, dialect = ROWS }, { origin }) => {
    if (dialect !== ROWS) throw new SwornError('CONFIG_INVALID', `no dialect but ${ROWS} was expected`, 'audit.sinks.dialect')
    return { open: sqliteSink({ path, origin }), holdings: sqliteHoldings({ path, origin }), dialect: ROWS }
  },
)

export const DRIVER_TYPES: readonly SinkType[] = [sqlite, kafka, s3, cloudwatch]
