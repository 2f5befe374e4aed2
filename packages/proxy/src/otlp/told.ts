/**
 * A request's spans or log records, one by one, each with what surrounds it. Hostile input.
 * @module
 */
import type { AuditEvent, JsonValue } from '@sworn/recorder'
import { type Attributes, attributesOf, type JsonObject, objectOf, objectsOf, textOf } from './values.ts'

/** One span or log record, as it was told. */
export interface Told {
  readonly record: JsonObject
  readonly attributes: Attributes
  /** Of whoever sends. */
  readonly resource: Attributes
  readonly scope: { readonly name?: string; readonly version?: string }
  /** Of the scope. */
  readonly scopeAttributes: Attributes
}

/** What becomes of one: its event, or why there is none, in words of ours, and how many were in it. */
export type Reading =
  | { readonly event: AuditEvent & { readonly event_id: string; readonly timestamp: string } }
  | { readonly left: string; readonly many?: number }

/** Names of the three levels of a request. */
export type Levels = readonly [resources: string, scopes: string, records: string]

/** @throws SwornError REQUEST_INVALID where something is not of OTLP's form */
export function* readTold(request: JsonObject, [resources, scopes, records]: Levels): Generator<Told> {
  for (const one of objectsOf(request[resources])) {
    const resource = attributesOf(objectOf(one.resource).attributes)
    for (const part of objectsOf(one[scopes])) {
      const about = { resource, scope: scopeOf(part.scope), scopeAttributes: attributesOf(objectOf(part.scope).attributes) }
      for (const record of objectsOf(part[records])) yield { record, attributes: attributesOf(record.attributes), ...about }
    }
  }
}

function scopeOf(value: JsonValue | undefined): Told['scope'] {
  const { name, version } = objectOf(value)
  const [known, release] = [textOf(name), textOf(version)]
  return { ...(known !== undefined && { name: known }), ...(release !== undefined && { version: release }) }
}

/** Told by a recorder, which has the event in a ledger: to record it again could go round forever. */
export function isOfRecorder({ resource }: Told): boolean {
  return resource.has('sworn.origin')
}
