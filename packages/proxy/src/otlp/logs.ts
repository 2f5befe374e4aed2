/**
 * Log records of coding agents become events.
 *
 * Pure. A log record has no id: the same bytes at the same nanosecond are the same record, and become one event.
 * Source: opentelemetry-proto 1.5, logs.proto; conventions.ts.
 * @module
 */
import { hash } from 'node:crypto'
import type { AuditEvent, Outcome } from '@sworn/recorder'
import { DECISIONS, LOG_KINDS, type LogKind } from './conventions.ts'
import { eventIdOf } from './event-id.ts'
import { createPicker, type Picker } from './picker.ts'
import type { SequenceGap } from './sequences.ts'
import { type Shaping, shapeDecision, shapeOutcome, stamped } from './shape.ts'
import { isOfRecorder, type Reading, type Told } from './told.ts'
import { idOf, millisOf, nanosOf, objectOf, SPAN_BYTES, TRACE_BYTES, textOf } from './values.ts'

/** @param producer who the token names */
export function readLog(told: Told, producer: string): Reading {
  if (isOfRecorder(told)) return { left: 'told by a recorder' }
  const found = findKind(told)
  if (found === undefined) return { left: 'no record of a coding agent that is known' }
  const timeMs = timeOf(told)
  if (timeMs === undefined) return { left: 'no time' }
  const picker = createPicker(told)
  const shaping = shapingOf(told, found, picker, producer)
  const word = found.kind === 'decision' ? picker.text('decision')?.toLowerCase() : undefined
  if (found.kind === 'decision' && (word === undefined || !Object.hasOwn(DECISIONS, word))) return { left: 'a decision in an unknown word' }
  const event = word === undefined ? shapeOutcome(shaping, outcomeOf(picker, found)) : shapeDecision(shaping, DECISIONS[word]!)
  return { event: stamped(event, idOfLog(told, timeMs), timeMs) }
}

/** That records of a session were lost on the way. */
export function readGap({ session, from, to, near }: SequenceGap, producer: string): AuditEvent | undefined {
  const timeMs = timeOf(near)
  if (timeMs === undefined) return undefined
  const shaping = shapingOf(near, { kind: 'session', name: 'sequence' }, createPicker(near), producer)
  const { user, user_source, agent_id, agent, session_id, source } = shapeOutcome(shaping, { status: 'ok' }) as AuditEvent // shaped above
  const members = { user, user_source, agent_id, agent, session_id, source } as Partial<AuditEvent>
  const metadata = { reason: 'event.sequence', from, to, dropped: to - from - 1 }
  const event = { ...members, event_type: 'observation_gap', metadata }
  return stamped(event, eventIdOf(timeMs, ['gap', session, String(from), String(to)]), timeMs)
}

type Found = LogKind & { readonly name: string }

/** Senders name a record in its event name, its body or an attribute. */
function findKind({ record, attributes }: Told): Found | undefined {
  const body = objectOf(record.body).stringValue
  for (const name of [record.eventName, body, attributes.get('event.name')].map(textOf)) {
    const found = name !== undefined && Object.hasOwn(LOG_KINDS, name) ? LOG_KINDS[name] : undefined
    if (name !== undefined && found && (found.has === undefined || attributes.has(found.has))) return { ...found, name }
  }
  return undefined
}

function timeOf({ record }: Told): number | undefined {
  const nanos = nanosOf(record.timeUnixNano) ?? nanosOf(record.observedTimeUnixNano)
  return nanos === undefined ? undefined : millisOf(nanos)
}

function idOfLog({ record, scope }: Told, timeMs: number): string {
  return eventIdOf(timeMs, ['log', hash('sha256', JSON.stringify([scope, record]))])
}

function shapingOf(told: Told, { kind, name }: Pick<Found, 'kind' | 'name'>, picker: Picker, producer: string): Shaping {
  const [trace, span] = [idOf(told.record.traceId, TRACE_BYTES), idOf(told.record.spanId, SPAN_BYTES)]
  const ids = { ...(trace !== undefined && { trace }), ...(span !== undefined && { span }) }
  return { told, picker, kind, name, producer, correlationId: correlationOf(told, picker), ids }
}

/** A decision and its result meet under the session's id and that of the call. */
function correlationOf(told: Told, picker: Picker): string {
  const [session, call] = [picker.text('session'), picker.text('call')]
  return call === undefined ? idOfLog(told, 0) : hash('sha256', JSON.stringify([session ?? '', call])).slice(0, 32)
}

function outcomeOf(picker: Picker, { failed }: LogKind): Outcome {
  const success = picker.value('success')
  const durationMs = picker.number('durationMs')
  const took = durationMs === undefined ? {} : { durationMs }
  if (!failed && success !== false && success !== 'false') return { ...took, status: 'ok' }
  const errorType = picker.text('errorType')
  const error = picker.value('error')
  return { ...took, status: 'error', ...(errorType !== undefined && { errorType }), ...(error !== undefined && { error }) }
}
