/**
 * The recorder: event in, acknowledged entry out.
 *
 * shape → filter → redact and print → queue → port. Everything up to the queue happens inside the call, so what
 * the caller changes afterwards changes nothing. Source: design §3, §5.1.
 * @module
 */

import { SwornError } from '@sworn/verify'
import { levelOf } from '../event/durability.ts'
import { createFilter } from '../event/filter.ts'
import { createIds, createStamps } from '../event/ids.ts'
import { createShaper, type ShapedEvent } from '../event/shape.ts'
import type { EventContext } from '../event/types.ts'
import type { Ack, Level, Submission } from '../port/types.ts'
import { createRedactor } from '../redact/redactor.ts'
import type { Redacted } from '../redact/types.ts'
import type { RecordAnswer } from './answer.ts'
import { createBuilder } from './builder.ts'
import { createContexts } from './context.ts'
import { createQueue, type Loss, type Waiter } from './queue.ts'
import { createMeter } from './stats.ts'
import { wrapTool } from './tool.ts'
import type { Recorder, RecorderOptions, RecordOptions } from './types.ts'

const MAX_EVENTS = 10_000
const MAX_BYTES = 16 * 1024 * 1024
const QUEUED = { queued: true } as const
const FILTERED = { filtered: true } as const
const WAITS = { spooled: true, durable: true } as const
const NO_WISH: RecordOptions = {}

/** @throws SwornError CONFIG_INVALID for wrong redaction or filter options, EVENT_INVALID for a wrong context */
export function createRecorder(options: RecorderOptions): Recorder {
  const { port, now = Date.now, queue: bounds = {} } = options
  const meter = createMeter()
  const contexts = createContexts(baseOf(options))
  let toSubmission = createPress(options)
  let onAuditFailure = options.onAuditFailure ?? 'block'
  const queue = createQueue({
    port,
    meter,
    now,
    max: bounds.max ?? MAX_EVENTS,
    maxBytes: bounds.maxBytes ?? MAX_BYTES,
    whenFull: bounds.whenFull ?? 'wait',
    gap: (loss) => toSubmission(gapEvent(loss), [], { level: 'batch' })!,
  })
  const ids = options.randomId ?? createIds()
  let durableSize = 0
  let writtenSize = 0
  let closed: Promise<void> | undefined

  const keepSize = ({ seq, durable }: Ack): void => {
    writtenSize = Math.max(writtenSize, seq + 1)
    if (durable) durableSize = Math.max(durableSize, seq + 1)
  }

  /** One promise an event: this runs before every action of an agent. */
  function record(event: Readonly<Record<string, unknown>>, wish: RecordOptions = NO_WISH): Promise<RecordAnswer> {
    return new Promise((resolve, reject) => {
      if (closed) throw new SwornError('LEDGER_CLOSED', 'the recorder was closed')
      const submission = press(event, wish)
      if (!submission) return resolve(FILTERED)
      const queued = submission.level === 'async'
      if (queued) resolve(QUEUED) // whatever comes is counted; the caller chose not to wait
      queue.push(submission, waiterOf(resolve, reject))
    })
  }

  /** Apart from `record`: what waits for an answer must not keep the caller's event alive. */
  function waiterOf(resolve: (answer: RecordAnswer) => void, reject: (error: SwornError) => void): Waiter {
    return {
      reject,
      resolve(ack) {
        if (ack && 'spooled' in ack) return resolve(WAITS)
        if (ack) keepSize(ack)
        resolve(ack ? { seq: ack.seq, entry_hash: ack.entryHash, durable: ack.durable } : QUEUED)
      },
    }
  }

  function press(event: Readonly<Record<string, unknown>>, wish: RecordOptions): Submission | undefined {
    try {
      const submission = toSubmission(event, contexts.layers(event), wish)
      meter.add(submission ? 'recorded' : 'filtered')
      if (submission) meter.add('bytes', submission.json.length)
      return submission
    } catch (error) {
      meter.add('refused')
      throw error
    }
  }

  async function flush(): Promise<void> {
    queue.send()
    await queue.settled()
    const size = writtenSize
    await port.flush()
    durableSize = Math.max(durableSize, size)
  }

  let syncing: Promise<void> | undefined
  /** Everything acknowledged by now, on disk; callers that come while one waits for the disk share the next. */
  async function syncAcknowledged(): Promise<void> {
    const before = syncing
    if (before) await before.catch(() => {})
    if (syncing && syncing !== before) return syncing
    const size = writtenSize
    syncing = port.flush().then(() => {
      durableSize = Math.max(durableSize, size)
    })
    return syncing
  }

  const recorder: Recorder = {
    info: port.info,
    get onAuditFailure() {
      return onAuditFailure
    },
    prepare({ events, logLevel, redact, onAuditFailure: next = 'block' }) {
      const { events: _events, logLevel: _level, redact: _redact, ...rest } = options
      const press = createPress({ ...rest, ...(events && { events }), ...(logLevel && { logLevel }), ...(redact && { redact }) })
      return () => {
        toSubmission = press
        onAuditFailure = next
      }
    },
    record,
    flush,
    async durable(seq) {
      if (seq >= durableSize && seq < writtenSize) await syncAcknowledged()
      if (seq >= durableSize) throw new SwornError('APPEND_UNKNOWN', 'no such entry was acknowledged', `seq=${seq}`)
    },
    event: () => createBuilder(record),
    tool: (name, fn) => wrapTool(recorder, name, fn),
    withContext: (context, fn) => contexts.run(context, fn),
    context: () => contexts.current(),
    newId: () => ids(now()),
    stats: () => ({
      ...meter.snapshot(queue.outstanding, queue.outstandingBytes),
      ...(port.syncTimes && { syncMs: port.syncTimes() }),
    }),
    close() {
      closed ??= queue.settled().then(() => port.close())
      return closed
    },
  }
  return recorder
}

/** Event -> submission, or undefined when the configuration does not record it. @throws SwornError EVENT_INVALID */
function createPress(
  options: RecorderOptions,
): (event: unknown, layers: readonly EventContext[], wish: RecordOptions) => Submission | undefined {
  const { port, now = Date.now } = options
  const isWanted = createFilter(options)
  const redactor = createRedactor(options.redact, port.info.macKey, options.vault)
  const commits = options.redact?.paths?.some(({ action }) => action === 'commit') ?? false
  const ids = options.randomId ?? createIds()
  const stampOf = createStamps()
  const shapeEvent = createShaper(redactor.textResults)
  return (event, layers, { level, required }) => {
    const nowMs = now()
    const shaped = shapeEvent(event, layers, { timestamp: stampOf(nowMs), eventId: ids(nowMs) })
    if (!required && !isWanted(shaped)) return undefined
    if (!commits) return submissionOf(shaped, redactor.redact(shaped), level)
    const rows: string[] = []
    const submission = submissionOf(shaped, redactor.redact(shaped, rows), level)
    return rows.length > 0 ? { ...submission, vault: rows } : submission
  }
}

function submissionOf(shaped: ShapedEvent, json: Redacted, level: Level | undefined): Submission {
  const { event_id: eventId, event_type: eventType, session_id: sessionId } = shaped
  const base = { json, eventId, eventType, level: level ?? levelOf(eventType) }
  return typeof sessionId === 'string' ? { ...base, sessionId } : base
}

function gapEvent({ dropped, fromMs, toMs }: Loss): Readonly<Record<string, unknown>> {
  const at = (ms: number) => new Date(ms).toISOString()
  return { event_type: 'observation_gap', metadata: { dropped, from: at(fromMs), to: at(toMs), reason: 'queue_full' } }
}

function baseOf({ agent, user, userSource, context }: RecorderOptions): EventContext {
  const { id, ...rest } = agent ?? {}
  const agentId = id ?? agent?.name
  return {
    ...context,
    ...(user === undefined ? {} : { user, user_source: userSource ?? 'config' }),
    ...(agentId === undefined ? {} : { agent_id: agentId }),
    ...(Object.keys(rest).length === 0 ? {} : { agent: rest }),
  }
}
