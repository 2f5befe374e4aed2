/**
 * The shape of pi-governance's audit logger, written anew from its source (no registry serves it).
 *
 * Per event: a copy with id and time, a counter, an awaited write to each sink; its JSONL sink keeps ten
 * lines and then appends them to the file by path. No hash, no fsync; one fdatasync at the end.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Candidate, noPressure, syncFile } from './candidate.ts'

const LINES_KEPT = 10

interface Sink {
  write(record: unknown): Promise<void>
  flush(): Promise<void>
}

export async function openGovernanceLogger(dir: string): Promise<Candidate> {
  const path = join(dir, 'governance.jsonl')
  const sinks = [jsonlSink(path)]
  const counts = new Map<string, number>()
  let last: Promise<unknown> = Promise.resolve()
  return {
    record(event) {
      const full = { ...event, id: randomUUID(), timestamp: new Date().toISOString() }
      counts.set(event.event_type, (counts.get(event.event_type) ?? 0) + 1)
      last = Promise.all([last, ...sinks.map((sink) => sink.write(full))])
    },
    ready: noPressure,
    async finish() {
      await last
      await Promise.all(sinks.map((sink) => sink.flush()))
      syncFile(path)
    },
  }
}

function jsonlSink(path: string): Sink {
  let lines: string[] = []
  async function flush(): Promise<void> {
    if (lines.length === 0) return
    const text = `${lines.join('\n')}\n`
    lines = []
    await appendFile(path, text, 'utf8')
  }
  return {
    async write(record) {
      lines.push(JSON.stringify(record))
      if (lines.length >= LINES_KEPT) await flush()
    },
    flush,
  }
}
