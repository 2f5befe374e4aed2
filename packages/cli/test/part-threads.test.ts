/** The threads of `sworn verify` when one of them, a piece or a file goes wrong. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { findLedger } from '@sworn/analyze/reading'
import { createLogCheck, SwornError } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import { joinLines, sampleLog, signerOf } from '../../verify/test/support/write-log.ts'
import { printFailure } from '../src/frame/failure.ts'
import type { World } from '../src/frame/io.ts'
import { checkLedger } from '../src/reading/check.ts'
import { checkPiece } from '../src/reading/check-piece.ts'
import { startPartThreads } from '../src/reading/part-threads.ts'
import { planPieces } from '../src/reading/pieces.ts'
import { temporary } from './support/io.ts'

const { log } = sampleLog(signerOf(1), 200)

/** A ledger directory of one segment. */
function write(bytes: Uint8Array = joinLines(log.lines)): string {
  const root = join(temporary(), 'audit')
  mkdirSync(join(root, 'segments'), { recursive: true })
  writeFileSync(join(root, 'segments', `${'0'.repeat(20)}.jsonl`), bytes)
  return root
}

const DEATHS: Readonly<Record<string, () => Worker>> = {
  'it throws': () => new Worker('throw new Error("hook")', { eval: true }),
  'it exits': () => new Worker('process.exit(1)', { eval: true }),
  'it runs out of memory': () =>
    new Worker('const kept = []; for (;;) kept.push(new Array(100000).fill(0.5))', {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: 8 },
    }),
  'its file is not there': () => new Worker(new URL('./no-such-worker.ts', import.meta.url)),
}

for (const [how, startThread] of Object.entries(DEATHS)) {
  test(`when a checking thread dies (${how}) the verification ends with VERIFIER_FAILED and says nothing of the log`, {
    timeout: 120_000,
  }, async () => {
    const root = write()
    const options = { strict: false, now: 0, cwd: '/', state: temporary(), threads: 2, pieceBytes: 2_000, startThread }
    const failed = await checkLedger(findLedger(root, '/'), options).catch((e: unknown) => e)
    assert.ok(SwornError.is(failed, 'VERIFIER_FAILED'), String(failed))
    const said: string[] = []
    const world = { env: {}, err: (line: string) => void said.push(line) } as unknown as World // what printFailure asks of it
    assert.equal(await printFailure(failed, world), 3)
    assert.match(said.join('\n'), /^error: VERIFIER_FAILED a thread .*\nhint: /)
  })
}

test('every piece is checked once, by a thread or by the one that waits, and all are answered in order', async () => {
  const root = write()
  const pieces = planPieces([{ path: join(root, 'segments', `${'0'.repeat(20)}.jsonl`), firstSeq: 0 }], 2_000)
  assert.ok(pieces.length > 10)
  for (const threads of [1, 2, 3]) {
    const started = startPartThreads(pieces, createLogCheck({ primitives: nodePrimitives }), threads)
    let next = 0
    for (const [i] of pieces.entries()) {
      const part = await started.part(i)
      assert.equal(part?.first, next)
      next = part.size
    }
    assert.equal(next, log.lines.length)
    await started.close()
  }
})

test('a piece that is empty, gone or not to be read is no part: whoever joins it reads it and says what is wrong', async () => {
  const root = write(new Uint8Array(0))
  const path = join(root, 'segments', `${'0'.repeat(20)}.jsonl`)
  assert.equal(await checkPiece({ path, from: 0, to: undefined, bytes: 0 }, { sizes: [] }), undefined)
  assert.equal(await checkPiece({ path: join(root, 'gone'), from: 0, to: undefined, bytes: 9 }, { sizes: [] }), undefined)
  assert.equal(await checkPiece({ path: root, from: 0, to: undefined, bytes: 9 }, { sizes: [] }), undefined) // a directory
})

test('empty segments between others change nothing; a segment that cannot be read is the error of its file', async () => {
  const root = write()
  const segments = join(root, 'segments')
  writeFileSync(join(segments, `${String(log.lines.length).padStart(20, '0')}.jsonl`), '')
  const verify = (threads: number): ReturnType<typeof checkLedger> =>
    checkLedger(findLedger(root, '/'), { strict: false, now: Date.UTC(2027, 0), cwd: '/', state: temporary(), threads, pieceBytes: 2_000 })
  const report = await verify(2)
  assert.deepEqual([report.size, report.findings], [log.lines.length, []])
  assert.deepEqual(await verify(1), report)
  mkdirSync(join(segments, `${String(log.lines.length + 1).padStart(20, '0')}.jsonl`))
  for (const threads of [1, 2]) await assert.rejects(verify(threads), (e) => e instanceof Error && 'code' in e && e.code === 'EISDIR')
})
