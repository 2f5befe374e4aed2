/**
 * A ledger of agent events to be indexed and asked: decisions, risks, sessions of some 220 entries, one rare word.
 *
 * Unsigned: reading needs no signature. 4.26 % of the entries are denials. Same seed, same bytes.
 * @module
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GENESIS, linkLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { agentEvents, type Random, seededRandom } from '../../testkit/src/events.ts'
import { RARE_WORD } from './query-words.ts'

export interface QueryLog {
  /** The ledger's directory. */
  readonly directory: string
  readonly files: readonly string[]
  readonly bytes: number
  readonly entries: number
}

const SEGMENT_BYTES = 256 * 2 ** 20
const BUFFER_LINES = 1000
const SESSION_ENTRIES = 220
const DENIED = 0.0426
const ALLOWED = 0.5
const START = Date.parse('2026-11-01T00:00:00Z')

export function writeQueryLog(directory: string, entries: number, seed: number): QueryLog {
  const random = seededRandom(seed)
  const events = agentEvents(seed, Math.min(entries, 4096))
  const writer = createWriter(join(directory, 'segments'))
  for (let n = 0; n < entries; n++) {
    const share = random()
    const decision = share < DENIED ? 'deny' : share < ALLOWED ? 'allow' : undefined
    const { event_type, ...event } = events[n % events.length]!
    writer.append({
      timestamp: new Date(START + n * 800).toISOString(),
      event_type, // in the place where a recorder writes it
      event_id: hex(random, 32),
      ...(decision && { decision, risk_level: share < DENIED / 2 ? 'high' : 'low' }),
      severity: decision === 'deny' ? 'warning' : 'info',
      ...event,
      session_id: `session-${Math.floor(n / SESSION_ENTRIES)}`,
      correlation_id: hex(random, 16),
      trace_id: hex(random, 32),
      ...(n === entries >> 1 && { note: `one ${RARE_WORD} among many` }),
    })
  }
  return { directory, entries, ...writer.close() }
}

function hex(random: Random, digits: number): string {
  const word = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return Array.from({ length: digits / 8 }, word).join('')
}

function createWriter(segments: string) {
  mkdirSync(segments, { recursive: true })
  const files: string[] = []
  let [fd, seq, previous, segmentBytes, bytes] = [-1, 0, GENESIS, 0, 0]
  let pending: Uint8Array[] = []
  const flush = (): void => {
    if (pending.length > 0) writeSync(fd, Buffer.concat(pending))
    pending = []
  }
  const close = (): void => {
    flush()
    if (fd >= 0) closeSync(fd)
  }
  return {
    append(event: object): void {
      if (fd < 0 || segmentBytes > SEGMENT_BYTES) {
        close()
        files.push(join(segments, `${String(seq).padStart(20, '0')}.jsonl`))
        fd = openSync(files.at(-1)!, 'w')
        segmentBytes = 0
      }
      const { line, entryHash } = linkLine(nodePrimitives, 'sha256', JSON.stringify(event), seq++, previous)
      previous = entryHash
      pending.push(line, LF)
      segmentBytes += line.length + 1
      bytes += line.length + 1
      if (pending.length > 2 * BUFFER_LINES) flush()
    },
    close(): { files: readonly string[]; bytes: number } {
      close()
      return { files, bytes }
    },
  }
}

const LF = Uint8Array.of(10)
