/**
 * What a collector found wrong with a producer, in the collector's own ledger: at once, and the same again a minute later
 * at the earliest. A producer that repeats itself does not fill the ledger.
 * @module
 */
import type { AuditEvent } from '@sworn/recorder'

export interface Contradiction {
  readonly logId: string
  readonly producer: string
  readonly code: 'MIRROR_FORK' | 'MIRROR_ROLLBACK'
  /** Where: `seq=…`, or nothing. */
  readonly at: string
}

export interface Alerts {
  tell(found: Contradiction): void
}

const APART_MS = 60_000
const MAX_KNOWN = 10_000

export function createAlerts(record: (event: AuditEvent) => Promise<unknown>, now: () => number): Alerts {
  const told = new Map<string, number>()
  return {
    tell({ logId, producer, code, at }) {
      const key = `${logId} ${code}`
      if (now() - (told.get(key) ?? Number.NEGATIVE_INFINITY) < APART_MS) return
      if (told.size >= MAX_KNOWN) told.clear()
      told.set(key, now())
      const rule = code === 'MIRROR_FORK' ? 'mirror_fork' : 'mirror_rollback'
      const metadata = { rule, evidence: [], log_id: logId, producer, ...(at !== '' && { at }) }
      void record({ event_type: 'security_alert', severity: 'critical', metadata }).catch(() => {}) // the producer was refused either way
    },
  }
}
