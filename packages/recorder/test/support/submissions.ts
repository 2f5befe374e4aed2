/** Events for port tests. */
import { randomUUID } from 'node:crypto'
import type { Level, Submission } from '../../src/port/types.ts'

export function sample(n: number, level: Level = 'sync', extra: Record<string, unknown> = {}): Submission {
  const eventId = randomUUID()
  const json = JSON.stringify({
    timestamp: '2026-01-01T00:00:00.000Z',
    event_type: 'tool_call_end',
    event_id: eventId,
    tool: `t${n}`,
    ...extra,
  })
  return { json, eventId, eventType: 'tool_call_end', level }
}
