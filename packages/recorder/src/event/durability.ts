/** The level at which each event is acknowledged. Source: docs/format.md (spec ledger §2.10). @module */
import type { Level } from '../port/types.ts'

const SYNC: ReadonlySet<string> = new Set(['authorization_decision', 'approval_requested', 'method_blocked'])

/** `sync` for what gates an action or changes the rules, `batch` for all else. */
export function levelOf(eventType: string): Level {
  return SYNC.has(eventType) || eventType.startsWith('config_') || eventType.startsWith('identity_') ? 'sync' : 'batch'
}
