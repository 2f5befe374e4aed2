/**
 * The proxy's side of the recorder: intents that are waited for, outcomes that are not.
 *
 * Law 3: `intent` resolves with true only when the record is where the mode wants it, within
 * `ackTimeoutMs`; a record that turns up later is followed by one that says the call was not
 * executed. What happened is noted when what was forwarded has left, and before the next intent, so that
 * the order of records is the order of events. Records in flight are counted, so that the relay stops
 * reading before memory grows.
 * Source: docs/format.md (durability), events.md §2, ledger.md §2.10.
 * @module
 */
import { SwornError } from '@sworn/recorder'
import type { ProxyRecorder, RecordAck } from './options.ts'
import { createPatience, LATE } from './patience.ts'

export type AuditRecord = Record<string, unknown> & { readonly event_type: string }

/** Records in flight above which the relay stops reading. */
const MANY = 2048

export interface AuditOptions {
  readonly recorder: ProxyRecorder
  /** Members of every record. */
  readonly base: () => Readonly<Record<string, unknown>>
  readonly ackTimeoutMs: number
  readonly mode: 'before' | 'batch'
  readonly onFailure: 'block' | 'continue'
  /** Tools whose allowed calls leave no record. */
  readonly unrecorded: ReadonlySet<string>
  readonly warn: (line: string) => void
  readonly onChange: () => void
}

export interface Audit {
  /** Records by type, for the session's end. */
  readonly counts: Readonly<Record<string, number>>
  /** Records that were refused or are not known to be written. */
  readonly failures: number
  /** True while the recorder is so far behind that nothing more may be read. */
  readonly full: boolean
  /** The record that must be there before the effect; false: it is not, and the effect must not happen. */
  intent(event: AuditRecord): Promise<boolean>
  /** A record of what happened, made after this turn's forwarding; its failure is counted and told once. */
  note(event: AuditRecord): void
  /** Resolves when every record so far was acknowledged or failed, at the latest after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>
}

const OF_CALLS: ReadonlySet<string> = new Set(['tool_call_start', 'tool_call_end', 'tool_call_error'])

/** About a call that was allowed, of a tool whose calls are not recorded. */
function isLeftOut({ event_type, tool, decision }: AuditRecord, unrecorded: ReadonlySet<string>): boolean {
  if (typeof tool !== 'string' || !unrecorded.has(tool)) return false
  return OF_CALLS.has(event_type) || (event_type === 'authorization_decision' && decision === 'allow')
}

function isWhere(ack: RecordAck, mode: 'before' | 'batch'): boolean {
  return !('filtered' in ack) && (mode === 'batch' || ('durable' in ack && ack.durable))
}

export function createAudit(options: AuditOptions): Audit {
  const counts: Record<string, number> = {}
  const within = createPatience(options.ackTimeoutMs)
  const idle: (() => void)[] = []
  let noted: AuditRecord[] = []
  let scheduled: NodeJS.Immediate | undefined
  let failures = 0
  let outstanding = 0
  /** Reasons told since records were last written. */
  const told = new Set<string>()

  /** Each reason, by its first word, is told once an outage. */
  function fail(why: string): void {
    failures++
    const [word = ''] = why.split(' ', 1)
    if (!told.has(word)) options.warn(`the audit log cannot be written: ${why}`)
    told.add(word)
  }

  function recover(): void {
    if (told.size > 0) options.warn('the audit log is written again')
    told.clear()
  }

  function done(): void {
    outstanding--
    if (outstanding === 0) for (const resolve of idle.splice(0)) resolve()
    options.onChange()
  }

  /** Never rejects. `refused`: not written; `unknown`: perhaps written. With a level, a call waits for it. */
  async function submit(event: AuditRecord, level?: 'sync' | 'batch'): Promise<RecordAck | 'refused' | 'unknown'> {
    try {
      return await options.recorder.record(event, level === undefined ? undefined : { level, required: true })
    } catch (e) {
      fail(SwornError.is(e) ? `${e.code} ${e.message}` : 'the recorder failed')
      return SwornError.is(e, 'APPEND_UNKNOWN') ? 'unknown' : 'refused'
    } finally {
      done()
    }
  }

  /** Counts the record and gives it the members that every record has. */
  function take(event: AuditRecord): AuditRecord {
    outstanding++
    counts[event.event_type] = (counts[event.event_type] ?? 0) + 1
    return { ...options.base(), ...event }
  }

  function note(event: AuditRecord): void {
    if (isLeftOut(event, options.unrecorded)) return
    noted.push(take(event))
    scheduled ??= setImmediate(submitNoted)
  }

  function submitNoted(): void {
    clearImmediate(scheduled)
    scheduled = undefined
    const events = noted
    noted = []
    for (const event of events) void submit(event)
  }

  /** The decision may be in the log although the call was refused: say that it was not executed. */
  function disown({ correlation_id, tool, method }: AuditRecord): void {
    const about = tool === undefined ? { method } : { tool }
    note({ event_type: 'tool_call_error', correlation_id, ...about, error_type: 'not_executed', reason_code: 'audit_unavailable' })
  }

  async function intent(event: AuditRecord): Promise<boolean> {
    const level = options.mode === 'before' ? 'sync' : 'batch'
    submitNoted()
    if (isLeftOut(event, options.unrecorded)) return true
    const written = submit(take(event), level)
    const ack = await within(written)
    if (typeof ack === 'object' && isWhere(ack, options.mode)) {
      recover()
      return true
    }
    if (ack === LATE) fail(`no acknowledgement within ${options.ackTimeoutMs} ms`)
    const leftOut = typeof ack === 'object' && 'filtered' in ack
    if (leftOut) fail(`audit.events or audit.log_level leaves out ${event.event_type}, which must be recorded before a call`)
    if (options.onFailure === 'continue') return true
    if (ack === LATE) void written.then((found) => found !== 'refused' && disown(event))
    else if (ack !== 'refused' && !leftOut) disown(event)
    return false
  }

  return {
    counts,
    get failures() {
      return failures
    },
    get full() {
      return outstanding > MANY
    },
    intent,
    note,
    settled(timeoutMs) {
      if (outstanding === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        idle.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
  }
}
