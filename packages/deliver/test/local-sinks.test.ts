/** Sinks of this machine: files, streams, loggers; the contract and what only they do. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { sinkContract } from '../../../testkit/src/sink-contract.ts'
import type { Item } from '../src/index.ts'
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

for (const stage of ['before it is begun', 'while it is written']) {
  test(`jsonl: a try whose time is over ${stage} is not there twice when it is sent again`, async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sworn-jsonl-')), 'copy.jsonl')
    const sink = await jsonlSink({ path, now: Date.now })(undefined)
    const item = (seq: number): Item => ({
      ...{ seq, key: `o/${seq}`, entryHash: '', event: { event_type: 'x' } },
      ...{ body: `{"seq":${seq}}`, line: `{"seq":${seq}}` },
    })
    const batch = [item(2), item(3)]
    const fresh = () => new AbortController().signal
    await sink.send([item(1)], fresh())
    const late = new AbortController()
    if (stage === 'before it is begun') late.abort()
    const first = sink.send(batch, late.signal)
    await Promise.resolve() // it has its turn
    late.abort()
    const second = sink.send(batch, fresh())
    assert.deepEqual((await first).again?.indexes, [0, 1])
    assert.deepEqual(Object.keys(await second), ['mark'])
    await sink.send([item(4)], fresh())
    await sink.close()
    assert.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n').map(seqOf), [1, 2, 3, 4])
  })
}

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
