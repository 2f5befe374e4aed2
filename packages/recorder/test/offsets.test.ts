/** The offsets file is brought into agreement with its segment, with as little reading as can be. @module */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { createPageCache } from '../../../testkit/src/fault/page-cache.ts'
import { makeDirectory, writeAll } from '../src/ledger/files.ts'
import type { SegmentRef } from '../src/ledger/layout.ts'
import { offsetsPath, openOffsets } from '../src/ledger/offsets.ts'

const SEGMENT: SegmentRef = { firstSeq: 0, path: '/audit/segments/00000000000000000000.jsonl' }
const INDEX = '/audit/index'
/** Of four lines of 9, 19, 29 and 39 bytes, and their LF. */
const ENDS = [10, 30, 60, 100]

const rows = (...ends: number[]): Buffer => Buffer.from(Uint32Array.from(ends).buffer)

/** Opens the offsets of the four lines where `found` is what a crash left of them. */
function mended(found: Buffer): { content: Buffer | undefined; sameFile: boolean } {
  const ops = createPageCache()
  const path = offsetsPath(INDEX, 0)
  const put = (name: string, bytes: Uint8Array) => {
    makeDirectory(ops, dirname(name))
    const fd = ops.open(name, 'append')
    writeAll(ops, fd, bytes)
    ops.close(fd)
  }
  put(SEGMENT.path, Buffer.from(ENDS.map((end, n) => `${'x'.repeat(end - (ENDS[n - 1] ?? 0) - 1)}\n`).join('')))
  put(path, found)
  const before = ops.stat(path)?.ino
  openOffsets(ops, INDEX, SEGMENT, { count: ENDS.length, end: 100 })
  return { content: ops.content(path), sameFile: ops.stat(path)?.ino === before }
}

describe('an offsets file', () => {
  const kept: [string, Buffer][] = [
    ['that is whole', rows(...ENDS)],
    ['without its last rows', rows(10, 30)],
    ['without any row', rows()],
    ['with rows of lines that were lost', rows(...ENDS, 150, 200)],
  ]
  const wrong: [string, Buffer][] = [
    ['whose last row lies within a line', rows(10, 40)],
    ['that skips a line', rows(10, 60)],
    ['that has a line twice', rows(10, 10)],
    ['whose last row lies beyond the lines', rows(10, 101)],
    ['that is cut within a row', rows(...ENDS).subarray(0, 7)],
    ['with a wrong last row', rows(10, 30, 60, 99)],
    ['with more rows, and a wrong one where the lines end', rows(10, 30, 60, 99, 150)],
  ]
  for (const [what, found] of kept) {
    it(`${what} is kept, cut or completed`, () => assert.deepEqual(mended(found), { content: rows(...ENDS), sameFile: true }))
  }
  for (const [what, found] of wrong) {
    it(`${what} is made anew`, () => assert.deepEqual(mended(found), { content: rows(...ENDS), sameFile: false }))
  }
})
