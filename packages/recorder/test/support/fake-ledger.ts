/** A ledger in one file of our own: enough of the real one's promises to test ports and hand-over alone. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SwornError } from '@sworn/verify'
import type { SharedLedger } from '../../src/handover/setup.ts'
import type { Answer, Item } from '../../src/port/group-commit.ts'
import type { Reservation, Reserve } from '../../src/port/types.ts'

interface Stored {
  readonly key: string
  readonly entryHash: string
  readonly json: string
}

const hashOf = (previous: string, json: string) => createHash('sha256').update(previous).update(json).digest('hex')

/** Opens `<directory>/fake.jsonl`; a torn last line is cut off by being ignored. */
export function openFakeLedger(directory: string): SharedLedger & { readonly size: number } {
  const path = join(directory, 'fake.jsonl')
  const stored: Stored[] = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []
  const known = new Map(stored.map((entry, seq) => [entry.key, seq]))
  let fd = openSync(path, 'a', 0o600)
  const buckets = new Map<string, number>()
  let unsyncedBytes = 0

  function ack(seq: number, durable: boolean): Answer {
    return { logId: 'fake', seq, entryHash: stored[seq]!.entryHash, durable }
  }

  function appendOne(item: Item, durable: boolean): Answer {
    const key = `${item.producerId} ${item.eventId}`
    const seen = known.get(key)
    if (seen !== undefined && stored[seen]!.json !== item.json) return new SwornError('EVENT_ID_CONFLICT', 'the event_id was used before')
    if (seen !== undefined) return ack(seen, true)
    const entry = { key, json: item.json, entryHash: hashOf(stored.at(-1)?.entryHash ?? '', item.json) }
    unsyncedBytes += writeSync(fd, `${JSON.stringify(entry)}\n`)
    known.set(key, stored.push(entry) - 1)
    return ack(stored.length - 1, durable)
  }

  function sync(): void {
    fdatasyncSync(fd)
    unsyncedBytes = 0
  }

  return {
    info: { logId: 'fake', origin: 'sworn.local/fake', path: directory, macKey: new Uint8Array(32).fill(7) },
    get size() {
      return stored.length
    },
    get unsyncedBytes() {
      return unsyncedBytes
    },
    append(items) {
      const durable = items.some((item) => item.level === 'sync')
      const answers = items.map((item) => appendOne(item, durable))
      if (durable) sync()
      return answers
    },
    sync,
    reopen() {
      sync()
      closeSync(fd)
      fd = openSync(path, 'a', 0o600)
    },
    operate: () => ({}),
    tick: () => undefined,
    nextTickAt: () => Number.POSITIVE_INFINITY,
    reserve({ key, amount, limit }: Reserve): Reservation {
      const used = buckets.get(key) ?? 0
      const granted = used + amount <= limit
      if (granted) buckets.set(key, used + amount)
      return { granted, retryAfterMs: granted ? 0 : 1000 }
    },
    holds: (n, entryHash) => stored[n]?.entryHash === entryHash,
    close() {
      sync()
      closeSync(fd)
    },
    abandon: () => closeSync(fd),
  }
}
