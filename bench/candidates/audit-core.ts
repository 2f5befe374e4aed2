/**
 * `@hexmon_tech/audit-core` 2.0.0 with its hash chain, as a program would use it that wants a file.
 *
 * Its own preset for volume (queue, batches of 500), with two changes: the chain is on, and a full queue makes
 * events wait, because the preset's `DROP` loses most of a burst. `saasMultiTenantStrict` has the chain on by
 * itself, but then a batch holds one event and each waits for the flush timer: ten events a second. It ships no
 * file destination: the sink is the shortest that keeps its contract, one append a batch to a file that stays open.
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditEventInput, type AuditSink, createAuditLogger, highThroughput } from '@hexmon_tech/audit-core'
import type { AgentEvent } from '../../testkit/src/events.ts'
import type { Candidate } from './candidate.ts'
import { createPressure } from './pressure.ts'

export async function openAuditCore(dir: string): Promise<Candidate> {
  const file = await open(join(dir, 'audit-core.jsonl'), 'a')
  const preset = highThroughput()
  const queue = { ...preset.queue, overflowPolicy: 'BLOCK' } as const
  const logger = createAuditLogger({ ...preset, queue, integrityMode: 'hash-chain', sinks: [fileSink(file)] })
  const pressure = createPressure() // as ours; without it every event of the burst waits in memory for the chain
  let newest: Promise<void> = Promise.resolve()
  let lost = false
  async function log(event: AgentEvent): Promise<void> {
    const { ok } = await logger.log(toInput(event))
    pressure.answered()
    lost ||= !ok
  }
  return {
    record(event) {
      pressure.sent()
      newest = log(event)
    },
    ready: pressure.ready,
    async finish() {
      await newest // the chain answers in order
      const { ok } = await logger.flush()
      await logger.shutdown()
      await file.datasync()
      await file.close()
      if (!ok || lost) throw new Error('an event was lost')
    },
  }
}

/** The event in its members; what it has no member for goes where it keeps anything else. */
function toInput({ event_type, agent_id, session_id, target, ...metadata }: AgentEvent): AuditEventInput {
  const actor = { type: 'agent', id: agent_id }
  return { action: event_type, outcome: 'SUCCESS', actor, context: { sessionId: session_id }, metadata: { ...metadata, target } }
}

function fileSink(file: FileHandle): AuditSink {
  return {
    async writeBatch(events) {
      await file.appendFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
      return { ok: true, written: events.length, failed: 0, failures: [] } // without `failed` it writes the batch again
    },
  }
}
