/**
 * The zod schema of a caller's event, made from the member table, and the error that explains a refusal.
 *
 * The recorder does not run it on good events (the table's own check is four times faster); both agree, by test.
 * The JSON Schema that ships is made from it.
 * @module
 */
import { SwornError } from '@sworn/verify'
import { z } from 'zod'
import { accepts, isEventType, type Kind, MAX_ID_CHARS, MEMBERS } from './members.ts'

const SIMPLE: { readonly [kind: string]: z.ZodType } = {
  id: z.string().max(MAX_ID_CHARS),
  text: z.string(),
  number: z.number(),
  count: z.int().nonnegative(),
  integer: z.int(),
  flag: z.boolean(),
  json: z.unknown(),
  rpc_id: z.union([z.string().max(MAX_ID_CHARS), z.number()]),
  uuid7: z.string().refine((value) => accepts('uuid7', value), 'a lowercase UUIDv7 was expected'),
  time: z.string().refine((value) => accepts('time', value), 'RFC 3339 UTC with milliseconds and Z was expected'),
  event_type: z.string().min(1).max(128).refine(isEventType, 'event types that start with "log." belong to the ledger'),
}

function schemaOf(kind: Kind): z.ZodType {
  if (typeof kind === 'string') return SIMPLE[kind]!
  if (Array.isArray(kind)) return z.enum(kind)
  return z.looseObject(membersOf(kind as { readonly [member: string]: Kind })) // not an array: the other half of the union
}

function membersOf(kinds: { readonly [member: string]: Kind }): { [member: string]: z.ZodType } {
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, schemaOf(kind).optional()]))
}

/** The event that a caller may hand to `record`. Unknown members are allowed. */
export const eventSchema = z.looseObject({ ...membersOf(MEMBERS), event_type: SIMPLE.event_type! })

/** The JSON Schema (2020-12) of a caller's event: schema/event.schema.json of this package. */
export function eventJsonSchema(): Record<string, unknown> {
  return { title: 'An event of sworn, as a caller hands it to record()', ...z.toJSONSchema(eventSchema) }
}

/**
 * The refusal for a known member that does not fit: what was expected, and its pointer. Never the value.
 * @param name a member of the table
 */
export function refusalOf(name: string, value: unknown): SwornError {
  const result = schemaOf(MEMBERS[name]!).safeParse(value)
  const issue = result.success ? undefined : result.error.issues[0]
  const at = [name, ...(issue?.path ?? [])].map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return new SwornError('EVENT_INVALID', expectation(issue), at)
}

function expectation(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_type') return `expected ${issue.expected}`
  if (issue?.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`
  if (issue?.code === 'too_big') return `longer than ${issue.maximum}`
  return issue?.code === 'custom' ? issue.message : 'not of the shape of docs/format.md'
}
