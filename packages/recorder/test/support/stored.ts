/** What a ledger holds, read from its segments after the verifier found nothing against it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyLog } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'

export interface StoredEntry {
  readonly eventId: string
  readonly eventType: string
  readonly entryHash: string
}

/** All entries, in order of seq. */
export async function readLedger(path: string): Promise<StoredEntry[]> {
  const folder = join(path, 'segments')
  const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const chunks = names.toSorted().map((name) => readFileSync(join(folder, name)))
  const report = await verifyLog(chunks, { primitives: nodePrimitives })
  assert.deepEqual(
    report.findings.filter((finding) => finding.severity === 'finding'),
    [],
  )
  const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
  assert.equal(report.size, lines.length)
  return lines.map((line) => {
    const { event_id, event_type, entry_hash } = JSON.parse(line)
    return { eventId: event_id, eventType: event_type, entryHash: entry_hash }
  })
}

/** The events among them: what is not the ledger's own. */
export async function readStored(path: string): Promise<StoredEntry[]> {
  return (await readLedger(path)).filter((entry) => entry.eventType === 'tool_call_end')
}
