/** An event whose address is committed, as a caller of the ledger makes it. */
import { shapeEvent } from '../../src/event/shape.ts'
import type { Item } from '../../src/ledger/admit.ts'
import type { FileOps } from '../../src/ledger/file-ops.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { createRedactor } from '../../src/redact/redactor.ts'
import { createVault } from '../../src/vault/vault.ts'
import { HOME, item } from './ledger-case.ts'

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))

/** Event number `n` of `user`. */
export function committed(ops: FileOps, ledger: Ledger, n: number, user: string, address: string): Item {
  const vault = createVault({ home: HOME, info: ledger.info, ops, random })
  const rows: string[] = []
  const base = item(n, 'sync')
  const stamp = { timestamp: '2026-01-01T00:00:00.000Z', eventId: base.eventId }
  const shaped = shapeEvent({ event_type: 'data_access', user, arguments: { address } }, [], stamp)
  const redactor = createRedactor({ paths: [{ path: 'arguments.address', action: 'commit' }] }, ledger.info.macKey, vault)
  return { ...base, json: redactor.redact(shaped, rows), eventType: 'data_access', vault: rows }
}
