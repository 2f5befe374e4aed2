/**
 * The `sinks` and `destinations` of `sworn.yaml`: their shape, and what is opened for them.
 *
 * Reads the keys of the founding documents as they stand: `sinks: [{type, path, url, connection}]` (pi-governance) and
 * `destinations` (Gantz). Secrets come from variables or from files that only their owner can read; no message holds one.
 * @module
 */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { readPrivateFile } from '@sworn/recorder'
import { asText, SwornError } from '@sworn/verify'
import { EVENT_MEMBERS } from '@sworn/verify/events'
import { z } from 'zod'
import type { SinkPlan } from './delivery.ts'
import type { Start } from './history.ts'
import { createShape, SINK_DIALECTS } from './shape.ts'
import { cloudwatch } from './sinks/driver-types.ts'
import type { Opening, SinkType, TypeOptions } from './sinks/sink-type.ts'
import { SINK_TYPES } from './sinks/table.ts'
import { text } from './sinks/values.ts'

const common = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/)
    .optional()
    .describe('Its state lies under this name; default the type. Another name is another sink, that begins anew.'),
  where: z.string().min(1).max(4096).optional().describe('A filter: only events that match are sent.'),
  dialect: z
    .enum(SINK_DIALECTS as [string, ...string[]])
    .optional()
    .describe('Another format than the line of the ledger.'),
  redact: z
    .array(z.union([text, z.strictObject({ path: text, action: z.enum(['mask', 'drop']) })]))
    .optional()
    .describe('What this sink does not get to see, besides what the ledger does not hold.'),
  records: z.enum(['all', 'events']).optional().describe("all: the ledger's own records too; default for jsonl without dialect."),
  start: z
    .union([z.enum(['beginning', 'now']), z.iso.datetime({ offset: true })])
    .optional()
    .describe('Where a new sink begins; default beginning.'),
  batch: z
    .strictObject({
      events: z.int().min(1).max(100_000).optional(),
      bytes: z
        .int()
        .min(1)
        .max(1 << 30)
        .optional(),
      wait_ms: z.int().min(0).max(600_000).optional().describe('How long fewer events wait for more; default 200, for s3 2000.'),
    })
    .optional(),
  timeout_s: z.int().min(1).max(3600).optional().describe('For one try; default 30, for s3 with objects: segments 600.'),
  max_dead_bytes: z
    .int()
    .min(1)
    .max(2 ** 31)
    .optional()
    .describe('Refused events that are kept; then delivery waits. Default 64 MiB.'),
}

const members = SINK_TYPES.map(({ type, options }) => z.strictObject({ type: z.literal(type), ...common, ...options.shape }))
const sink = z.discriminatedUnion('type', members as [(typeof members)[number], ...typeof members])

/** What `audit.sinks` may be. */
export const sinksSchema = z.array(sink).max(32).describe('Where entries are delivered; docs/guides/sinks.md.')

/** What `audit.destinations` may be. */
export const destinationsSchema = z
  .array(
    z.union([
      z.enum(['file', 'stdout']),
      z.strictObject({ type: z.literal('file'), path: text.optional() }),
      z.strictObject({ type: z.literal('stdout') }),
      z.strictObject({ type: z.literal('cloudwatch'), ...cloudwatch.options.shape }),
      z.strictObject({ type: z.literal('siem'), endpoint: text, api_key: text.optional(), api_key_file: text.optional() }),
    ]),
  )
  .max(32)
  .describe('file: the ledger itself. stdout, siem and cloudwatch are sinks.')

type SinkConfig = z.infer<typeof sinksSchema>[number]

/** What surrounds the sinks of one ledger. */
export interface PlanContext extends Omit<Opening, 'secret'> {
  /** Absolute: a file destination with this path is the ledger. */
  readonly ledgerPath: string
}

/** The sinks of a configuration. @throws SwornError CONFIG_INVALID, FILTER_INVALID */
export function planSinks(sinks: unknown, destinations: unknown, context: PlanContext): readonly SinkPlan[] {
  const found = [...sinksSchema.parse(sinks ?? []), ...fromDestinations(destinations ?? [], context)]
  const twice = found.find(({ name, type }, i) => found.findIndex((other) => (other.name ?? other.type) === (name ?? type)) !== i)
  if (twice) throw new SwornError('CONFIG_INVALID', 'two sinks have one name; give each its own', 'audit.sinks.name')
  for (const config of found) {
    if ('path' in config && isOfLedger(asText(config.path), context.ledgerPath))
      throw new SwornError('CONFIG_INVALID', 'another file than those of the ledger was expected', 'audit.sinks.path')
  }
  return found.map((config) => {
    try {
      return toPlan(config, context)
    } catch (e) {
      throw ofSink(e, config.name ?? config.type)
    }
  })
}

/** The same fault, saying of which sink: places such as `url` are of many. */
function ofSink(e: unknown, name: string): unknown {
  if (!SwornError.is(e, 'CONFIG_INVALID') && !SwornError.is(e, 'FILTER_INVALID')) return e
  const place = ` (at ${e.at})`
  const what = e.at !== '' && e.message.endsWith(place) ? e.message.slice(0, -place.length) : e.message
  return new SwornError(e.code, what, [e.at, `sink ${name}`].filter(Boolean).join(' of '), { cause: e })
}

/** Whoever wrote into the ledger's own files would end it. */
function isOfLedger(path: string, ledgerPath: string): boolean {
  const [own, other] = [followed(ledgerPath), followed(path)]
  return other === own || other.startsWith(`${own}${sep}`) || other.startsWith(`${own}.ledger${sep}`)
}

/** Links followed as far as the path exists. */
function followed(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return dirname(path) === path ? path : join(followed(dirname(path)), basename(path))
}

function fromDestinations(destinations: unknown, { ledgerPath }: PlanContext): readonly SinkConfig[] {
  return destinationsSchema.parse(destinations).flatMap((destination) => {
    if (typeof destination === 'string') return destination === 'stdout' ? [{ type: 'stdout' } as SinkConfig] : []
    if (destination.type === 'file')
      return destination.path === undefined || destination.path === ledgerPath
        ? []
        : [{ type: 'jsonl', path: destination.path } as SinkConfig]
    return [destination as SinkConfig]
  })
}

const DEFAULT_TIMEOUT_S = 30
const DEFAULT_LINGER_MS = 200
const BACKOFF = { firstMs: 250, maxMs: 60_000 }

function toPlan(config: SinkConfig, context: PlanContext): SinkPlan {
  const found = SINK_TYPES.find(({ type }) => type === config.type) as SinkType // the schema knows no other
  const {
    open,
    holdings,
    dialect: usual,
    records: usualRecords = 'events',
    where: usualWhere,
    start: usualStart = 'beginning',
    lingerMs = DEFAULT_LINGER_MS,
    timeoutS = DEFAULT_TIMEOUT_S,
    segments,
  } = found.open(config as TypeOptions, { ...context, secret: readSecret })
  const { name = config.type, where = usualWhere, dialect = usual, redact, start = usualStart, batch, timeout_s = timeoutS } = config
  const shape = {
    records: config.records ?? (dialect === undefined ? usualRecords : 'events'),
    where,
    dialect,
    redact: redact && toRedact(redact),
  }
  createShape({ ...shape, ...context }) // a filter that is none is said now
  const isLess = (where ?? dialect ?? redact) !== undefined || shape.records === 'events'
  if (segments && isLess) throw new SwornError('CONFIG_INVALID', 'no where, dialect, redact or records was expected', 'audit.sinks.objects')
  return {
    name,
    type: config.type,
    open,
    holdings,
    shape,
    start: toStart(start),
    batch: { items: batch?.events, bytes: batch?.bytes, lingerMs: batch?.wait_ms ?? lingerMs },
    timeoutMs: timeout_s * 1000,
    backoff: BACKOFF,
    maxDeadBytes: config.max_dead_bytes ?? 64 << 20,
    segments,
  }
}

/** A name is that of a member, wherever it stands: inside of what callers report, or of the event itself. */
function toRedact(rules: NonNullable<SinkConfig['redact']>): NonNullable<SinkPlan['shape']['redact']> {
  const keys = rules.filter((rule) => typeof rule === 'string')
  const members = keys.filter((name) => Object.hasOwn(EVENT_MEMBERS, name))
  return {
    keys,
    paths: [...rules.filter((rule) => typeof rule !== 'string'), ...members.map((path) => ({ path, action: 'mask' as const }))],
  }
}

function toStart(start: string): Start {
  return start === 'beginning' || start === 'now' ? start : { since: start }
}

/** A secret as it stands, or from a private file. @throws SwornError CONFIG_INVALID */
function readSecret(value: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return value
  if (value !== undefined) throw new SwornError('CONFIG_INVALID', 'a secret or its file was expected, not both', 'audit.sinks')
  const found = readPrivateFile(file, { code: 'CONFIG_INVALID' })
  if (found === undefined) throw new SwornError('CONFIG_INVALID', 'the file of the secret does not exist', file)
  return found.trim()
}

/** What `recorder/config` checks the two sections with. */
export const CONFIG_ROOMS = {
  sinks: {
    schema: sinksSchema,
    members: [...new Set(SINK_TYPES.flatMap(({ options }) => Object.keys({ type: 0, ...common, ...options.shape })))],
  },
  destinations: {
    schema: destinationsSchema,
    members: ['type', 'path', 'endpoint', 'api_key', 'api_key_file', ...Object.keys(cloudwatch.options.shape)],
  },
} as const
