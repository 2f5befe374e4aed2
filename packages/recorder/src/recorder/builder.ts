/** The fluent builder: an event member by member. Each step returns a new builder; none is shared. @module */

import type { Severity } from '@sworn/verify/events'
import type { AuditEvent } from '../event/types.ts'
import type { RecordAnswer } from './answer.ts'

export interface EventBuilder {
  type(eventType: AuditEvent['event_type']): EventBuilder
  tool(name: string): EventBuilder
  target(target: string): EventBuilder
  user(user: string): EventBuilder
  agent(agentId: string): EventBuilder
  session(sessionId: string): EventBuilder
  correlation(correlationId: string): EventBuilder
  arguments(value: unknown): EventBuilder
  result(value: unknown): EventBuilder
  /** Severity becomes `error` unless set. */
  error(value: unknown, errorType?: string): EventBuilder
  severity(severity: Severity): EventBuilder
  duration(durationMs: number): EventBuilder
  metadata(value: unknown): EventBuilder
  set(member: string, value: unknown): EventBuilder
  build(): Readonly<Record<string, unknown>>
  record(): Promise<RecordAnswer>
}

/** @param record what `record()` at the end calls */
export function createBuilder(
  record: (event: Readonly<Record<string, unknown>>) => Promise<RecordAnswer>,
  event: Readonly<Record<string, unknown>> = {},
): EventBuilder {
  const set = (member: string, value: unknown) => createBuilder(record, { ...event, [member]: value })
  return {
    type: (value) => set('event_type', value),
    tool: (value) => set('tool', value),
    target: (value) => set('target', value),
    user: (value) => set('user', value),
    agent: (value) => set('agent_id', value),
    session: (value) => set('session_id', value),
    correlation: (value) => set('correlation_id', value),
    arguments: (value) => set('arguments', value),
    result: (value) => set('result', value),
    error: (error, error_type) => createBuilder(record, { ...event, error, ...(error_type === undefined ? {} : { error_type }) }),
    severity: (value) => set('severity', value),
    duration: (value) => set('duration_ms', value),
    metadata: (value) => set('metadata', value),
    set,
    build: () => ({ ...event }),
    record: () => record(event),
  }
}
