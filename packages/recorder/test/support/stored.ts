/** What a (fake) ledger holds, read from its file with the chain checked. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface StoredEntry {
  readonly eventId: string
  readonly entryHash: string
}

export async function readStored(path: string): Promise<StoredEntry[]> {
  let previous = ''
  return readFileSync(join(path, 'fake.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { key, entryHash, json } = JSON.parse(line)
      assert.equal(entryHash, createHash('sha256').update(previous).update(json).digest('hex'))
      previous = entryHash
      return { eventId: key.split(' ')[1], entryHash }
    })
}
