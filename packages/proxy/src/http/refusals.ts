/**
 * Whoever is turned away at the door is recorded: each reason when it first occurs, then once a minute with a count, so
 * that strangers cannot fill the ledger.
 * @module
 */
import { createSession, noteEnd, startOf } from '../relay/create-session.ts'
import type { RelayOptions } from '../relay/options.ts'
import { outletTo } from './view.ts'

export interface Refusals {
  /** True while the recorder is too far behind to take more. */
  readonly full: boolean
  note(reason: string, status: number): void
  close(): Promise<void>
}

const EVERY_MS = 60_000

export function createRefusals(options: RelayOptions): Refusals {
  const outlet = outletTo(() => {})
  const session = createSession(options, { transport: 'http', toClient: outlet, toServer: outlet, onChange: () => {} })
  const counted = new Map<string, { count: number; since: number }>()
  let begun = false

  function write(reason: string, status: number, count: number): void {
    if (!begun) session.audit.note({ event_type: 'session_start', metadata: { transport: 'http', door: true, ...startOf(options) } })
    begun = true
    session.audit.note({ event_type: 'security_alert', reason, direction: 'request', metadata: { rule: 'http_refused', status, count } })
  }

  return {
    get full() {
      return session.audit.full
    },
    note(reason, status) {
      const now = session.clock()
      const known = counted.get(reason)
      if (known !== undefined && now - known.since < EVERY_MS) {
        known.count++
        return
      }
      write(reason, status, (known?.count ?? 0) + 1)
      counted.set(reason, { count: 0, since: now })
    },
    async close() {
      for (const [reason, { count }] of counted) if (count > 0) write(reason, 0, count)
      if (!begun) return
      await noteEnd(session, { reason: 'closed' })
      await session.audit.settled(options.ackTimeoutMs ?? 2000)
    },
  }
}
