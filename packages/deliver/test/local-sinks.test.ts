/** Sinks of this machine: files, streams, loggers; the contract and what only they do. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { sinkContract } from '../../../testkit/src/sink-contract.ts'
import { jsonlSink } from '../src/sinks/jsonl.ts'
import { loggerSink } from '../src/sinks/logger.ts'
import { stdoutSink } from '../src/sinks/stdout.ts'

const seqOf = (line: string): number => JSON.parse(line).seq

sinkContract('jsonl', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sworn-jsonl-')), 'copy.jsonl')
  return {
    open: jsonlSink({ path, now: Date.now }),
    shape: { records: 'all' },
    faults: [],
    fail: () => {},
    held: () => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').map(seqOf) : []),
    drops: true,
    close: () => {},
  }
})

sinkContract('stdout', () => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(...chunk.toString('utf8').trimEnd().split('\n'))
      done()
    },
  })
  return { open: stdoutSink(stream), faults: [], fail: () => {}, held: () => lines.map(seqOf), drops: false, close: () => {} }
})

sinkContract('logger', () => {
  const seen: number[] = []
  const take = (members: object) => void seen.push((members as { seq: number }).seq)
  let failures = 0
  const info = (members: object) => {
    if (failures-- > 0) throw new Error('the transport is gone')
    take(members)
  }
  return {
    open: loggerSink({ debug: take, info, warn: take, error: take }),
    faults: ['error'],
    fail: (_, times) => {
      failures = times
    },
    held: () => seen,
    drops: false,
    close: () => {},
  }
})
