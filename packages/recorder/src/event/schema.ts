/**
 * The zod schema of a caller's event, made from the member table.
 *
 * The recorder does not run it on good events (the table's own check is four times faster); both agree, by test.
 * The JSON Schema that ships is made from it.
 * @module
 */

import { EVENT_MEMBERS, type Kind, MAX_ID_CHARS } from '@sworn/verify/events'
import { z } from 'zod'
import { accepts, isEventType } from './members.ts'
import { EXPECTED } from './refusal.ts'

const SIMPLE: { readonly [kind: string]: z.ZodType } = {
  id: z.string().max(MAX_ID_CHARS),
  text: z.string(),
  number: z.number(),
  count: z.int().nonnegative(),
  integer: z.int(),
  flag: z.boolean(),
  json: z.unknown(),
  rpc_id: z.union([z.string().max(MAX_ID_CHARS), z.number()]),
  uuid7: z.string().refine((value) => accepts('uuid7', value), EXPECTED.uuid7),
  time: z.string().refine((value) => accepts('time', value), EXPECTED.time),
  event_type: z.string().min(1).max(128).refine(isEventType, EXPECTED.event_type),
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
export const eventSchema = z.looseObject({ ...membersOf(EVENT_MEMBERS), event_type: SIMPLE.event_type! })

/** The JSON Schema (2020-12) of a caller's event: schema/event.schema.json of this package. */
export function eventJsonSchema(): Record<string, unknown> {
  return { title: 'An event of sworn, as a caller hands it to record()', ...z.toJSONSchema(eventSchema) }
}
