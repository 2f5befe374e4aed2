/**
 * A valid ledger of any size, written without the recorder: what verification is measured on.
 *
 * Segments of 256 MiB (small ledgers: of about a quarter), the second and later ones starting with `log.segment`; a signed checkpoint in the
 * log every 20,000 entries (small ones: every tenth part), as a busy recorder writes them; `log.stop` and a checkpoint over it at the end.
 * Format: docs/format.md. The lines are linked by `@sworn/verify` itself, so a change of the format is
 * a change here.
 * @module
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  concat,
  createFrontier,
  ED25519,
  formatCheckpoint,
  formatNote,
  formatVkey,
  GENESIS,
  LABEL,
  leafHash,
  linkLine,
  parseHex,
  parseVkey,
  toBase64,
  type VerifierKey,
} from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { agentEvents } from '../../testkit/src/events.ts'

export interface BenchLog {
  /** The segments, in order. */
  readonly files: readonly string[]
  readonly bytes: number
  readonly vkey: string
  /** The newest signed note, over the whole log but its last line. */
  readonly checkpoint: string
}

const ORIGIN = 'bench.example/log'
const SEGMENT_BYTES = 256 * 2 ** 20
const CHECKPOINT_EVERY = 20_000
const TIME = '2026-01-02T03:04:05.678Z'
const BUFFER_LINES = 1000
const LF = Uint8Array.of(10)

interface Signer {
  readonly key: VerifierKey
  readonly privateKey: KeyObject
}

/** Writes a ledger of at least `entries` entries into `dir`; at least 30, so that there is more than one segment. */
export function writeBenchLog(dir: string, entries: number, seed: number): BenchLog {
  const segmentBytes = Math.min(SEGMENT_BYTES, entries * 300)
  const checkpointEvery = Math.min(CHECKPOINT_EVERY, Math.floor(entries / 10))
  const signer = createSigner()
  const writer = createWriter(dir)
  writer.append(`{"timestamp":"${TIME}","event_type":"log.open",${openMembers(signer)}}`)
  const bodies = agentEvents(seed, Math.min(entries, 4096)).map((event) => JSON.stringify(event))
  for (let n = 0; n < entries; n++) {
    if (writer.segmentBytes() >= segmentBytes) writer.rotate()
    const body = bodies[n % bodies.length]!
    writer.append(`{"timestamp":"${TIME}",${body.slice(1, -1)},"session_seq":${n}}`.replace(/"session-\d+"/, '"session-0"'))
    if (n % checkpointEvery === checkpointEvery - 1) writer.append(checkpointRecord(writer.note(signer)))
  }
  writer.append(`{"timestamp":"${TIME}","event_type":"log.stop"}`)
  const checkpoint = writer.note(signer)
  writer.append(checkpointRecord(checkpoint))
  writeFileSync(join(dir, 'checkpoint'), checkpoint)
  return { ...writer.close(), vkey: signer.key.vkey, checkpoint }
}

function createSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519')
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { key: parseVkey(formatVkey(ORIGIN, ED25519, new Uint8Array(der.subarray(-32)))), privateKey }
}

function openMembers({ key }: Signer): string {
  const members = {
    format: LABEL,
    origin: ORIGIN,
    log_id: 'oKGio6SlpqeoqaqrrK2urw',
    hash: 'sha256',
    vkey: key.vkey,
    record_signatures: 'none',
  }
  return JSON.stringify(members).slice(1, -1)
}

function checkpointRecord(checkpoint: string): string {
  return JSON.stringify({ timestamp: TIME, event_type: 'log.checkpoint', checkpoint })
}

function createWriter(dir: string) {
  const frontier = createFrontier(nodePrimitives)
  const files: string[] = []
  let fd = -1
  let previous = GENESIS
  let pending: Uint8Array[] = []
  const written = { segment: 0, all: 0 }

  function startSegment(): void {
    const path = join(dir, `${String(frontier.size).padStart(20, '0')}.jsonl`)
    files.push(path)
    fd = openSync(path, 'w')
    written.segment = 0
  }

  function flush(): void {
    writeSync(fd, Buffer.concat(pending))
    pending = []
  }

  function append(payload: string): void {
    const { line, entryHash } = linkLine(nodePrimitives, 'sha256', payload, frontier.size, previous)
    previous = entryHash
    frontier.push(leafHash(nodePrimitives, parseHex(entryHash)))
    pending.push(line, LF)
    written.segment += line.length + 1
    written.all += line.length + 1
    if (pending.length >= BUFFER_LINES * 2) flush()
  }

  startSegment()
  return {
    append,
    segmentBytes: () => written.segment,
    rotate(): void {
      flush()
      closeSync(fd)
      startSegment()
      const edge = toBase64(concat(...frontier.hashes()))
      append(JSON.stringify({ timestamp: TIME, event_type: 'log.segment', first_seq: frontier.size, frontier: edge }))
    },
    note({ key, privateKey }: Signer): string {
      const text = formatCheckpoint({ origin: ORIGIN, size: frontier.size, root: frontier.root() })
      return formatNote(text, [{ name: key.name, id: key.id, signature: sign(null, Buffer.from(text), privateKey) }])
    },
    close(): { files: readonly string[]; bytes: number } {
      flush()
      closeSync(fd)
      return { files, bytes: written.all }
    },
  }
}
