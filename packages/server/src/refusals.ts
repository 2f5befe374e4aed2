/**
 * Who was turned away, in the record: one `auth_failure` at once, then at most one a second, which says how many more.
 *
 * A flood of wrong tokens does not fill the ledger, and none of it is silent.
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'
import type { Refusal } from './access.ts'
import type { NoteFn } from './options.ts'

export interface Refused {
  readonly reason: Refusal
  /** Ours, never the caller's path. */
  readonly endpoint: string
  readonly status: number
  readonly address: string | undefined
}

export interface Refusals {
  note(refused: Refused): void
  /** Resolves when what was noted is recorded, or could not be. */
  close(): Promise<void>
}

const WINDOW_MS = 1000

export function createRefusals(record: NoteFn): Refusals {
  let timer: NodeJS.Timeout | undefined
  let newest: Refused | undefined
  let untold = 0
  let writing = Promise.resolve()

  function tell(refused: Refused, count: number): void {
    const written = record(toEvent(refused, count)).catch(() => {}) // the caller was refused either way
    writing = Promise.all([writing, written]).then(() => {})
  }

  function rest(): void {
    timer = undefined
    if (newest === undefined) return
    tell(newest, untold)
    wait()
  }

  function wait(): void {
    newest = undefined
    untold = 0
    timer = setTimeout(rest, WINDOW_MS)
    timer.unref()
  }

  return {
    note(refused) {
      if (timer !== undefined) {
        newest = refused
        untold++
        return
      }
      tell(refused, 1)
      wait()
    },
    async close() {
      clearTimeout(timer)
      if (newest !== undefined) tell(newest, untold)
      newest = undefined
      await writing
    },
  }
}

function toEvent({ reason, endpoint, status, address }: Refused, attempts: number): AuditEvent {
  return {
    event_type: 'auth_failure',
    severity: 'warning',
    reason,
    ...(address !== undefined && { ip_address: address }),
    metadata: { endpoint, http_status: status, attempts },
  }
}
