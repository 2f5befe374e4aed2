/**
 * GET /health: whether the ledger takes entries. Everybody is told yes or no; who has a token is told more.
 *
 * A disk that refused the newest event is asked again, with an event: otherwise nobody would send the one that shows
 * that it is well. Looks that come together share one answer.
 * @module
 */
import { type ErrorCode, SwornError } from '@sworn/verify'
import type { RecordAnswer } from '../recorder/answer.ts'
import type { Recorder } from '../recorder/types.ts'
import { statusOf, toError } from './refusal.ts'

export interface Health {
  readonly status: 'healthy' | 'unhealthy'
  readonly uptime_seconds: number
  readonly ledger: {
    readonly writable: boolean
    readonly log_id: string
    readonly origin: string
    /** Seq of the newest entry that this process was acknowledged. */
    readonly position?: number
    /** Why the ledger is not writable. */
    readonly code?: ErrorCode
  }
}

export interface HealthDesk {
  /** `recorder.record`, watched. */
  readonly record: Recorder['record']
  look(): Promise<Health>
}

export interface HealthOptions {
  /** How long the disk may take; default 2 s. */
  readonly patienceMs?: number
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number
}

const PROBE = { event_type: 'endpoint_answered', severity: 'debug', metadata: { endpoint: 'health' } } as const

export function createHealth(recorder: Recorder, { patienceMs = 2000, clock = () => performance.now() }: HealthOptions = {}): HealthDesk {
  const startedMs = clock()
  let position: number | undefined
  let trouble: ErrorCode | undefined
  let looking: Promise<ErrorCode | undefined> | undefined

  const keep = (answer: RecordAnswer) => {
    if ('seq' in answer) position = Math.max(position ?? 0, answer.seq)
    trouble = undefined
  }
  const fail = (e: unknown) => {
    const { code } = toError(e)
    if (statusOf(code) === 503) trouble = code
  }
  const record: Recorder['record'] = async (event, options) => {
    try {
      const answer = await recorder.record(event, options)
      keep(answer)
      return answer
    } catch (e) {
      fail(e)
      throw e
    }
  }
  async function probe(): Promise<ErrorCode | undefined> {
    try {
      await within(trouble === undefined ? recorder.flush() : record(PROBE, { level: 'sync', required: true }), patienceMs)
      return undefined
    } catch (e) {
      return toError(e).code
    }
  }
  return {
    record,
    async look() {
      looking ??= probe().finally(() => {
        looking = undefined
      })
      const code = await looking
      const { logId, origin } = recorder.info
      const ledger = {
        writable: code === undefined,
        log_id: logId,
        origin,
        ...(position !== undefined && { position }),
        ...(code && { code }),
      }
      const status = code === undefined ? 'healthy' : 'unhealthy'
      return { status, uptime_seconds: Math.floor((clock() - startedMs) / 1000), ledger }
    },
  }
}

async function within(step: Promise<unknown>, limitMs: number): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new SwornError('RECORDER_UNAVAILABLE', `no answer after ${limitMs} ms`)), limitMs)
  try {
    await Promise.race([step, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
