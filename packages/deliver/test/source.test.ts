/** Every line of a ledger once and in order, whatever happens to its files between two reads. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findLedger } from '@sworn/recorder/segments'
import { GENESIS, linkLine } from '@sworn/verify'
import { nodePrimitives } from '@sworn/verify/node'
import fc from 'fast-check'
import { openSource } from '../src/source.ts'

/** More than three reads long; of the first, `A_READ` lines and a piece of the next are more than one. */
const LINES = linesOf(1600)
const A_READ = LINES.findIndex((_, n) => LINES.slice(0, n + 1).reduce((sum, { length }) => sum + length, 0) > 1 << 20)

function linesOf(count: number): readonly Buffer[] {
  let previous = GENESIS
  return Array.from({ length: count }, (_, seq) => {
    const body = JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', event_type: 'x', note: 'x'.repeat(2000) })
    const { line, entryHash } = linkLine(nodePrimitives, 'sha256', body, seq, previous)
    previous = entryHash
    return Buffer.concat([line, Buffer.from('\n')])
  })
}

function ledgerIn() {
  const path = mkdtempSync(join(tmpdir(), 'sworn-source-'))
  mkdirSync(join(path, 'segments'))
  const segmentAt = (seq: number) => join(path, 'segments', `${String(seq).padStart(20, '0')}.jsonl`)
  writeFileSync(segmentAt(0), '')
  return { path, segmentAt }
}

/** What the writer does between two reads: so many lines more, a piece of the next one at once, a new segment then. */
const step = fc.record({ lines: fc.constantFrom(0, 1, 300, A_READ, 1100), half: fc.boolean(), rotates: fc.boolean() })

test('a ledger that grows and is rotated between reads gives each line once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const { path, segmentAt } = ledgerIn()
      let [segment, written, offset] = [segmentAt(0), 0, 0]
      const append = (count: number) => {
        const end = Math.min(LINES.length, written + count)
        const bytes = Buffer.concat(LINES.slice(written, end)).subarray(offset)
        if (end > written) [written, offset] = [end, 0]
        appendFileSync(segment, bytes)
      }
      const source = openSource(findLedger(path, '/'), 0)
      const found: number[] = []
      const read = async () => {
        const lines = await source.read()
        found.push(...lines.map(({ seq }) => seq))
        return lines.length > 0
      }
      for (const { lines, half, rotates } of steps) {
        append(lines)
        if (half && offset === 0 && written < LINES.length) {
          offset = LINES[written]!.length - 1
          appendFileSync(segment, LINES[written]!.subarray(0, offset))
        }
        await read()
        await stat(segment) // what is read ahead is read by now
        if (offset > 0) append(1)
        if (rotates && segment !== segmentAt(written)) {
          segment = segmentAt(written)
          writeFileSync(segment, '')
        }
      }
      while (await read());
      await source.close()
      assert.deepEqual(
        found,
        Array.from({ length: written }, (_, seq) => seq),
      )
    }),
    {
      numRuns: 25,
      examples: [
        [
          [
            { lines: A_READ, half: true, rotates: true },
            { lines: 1, half: false, rotates: false },
          ],
        ],
      ],
    },
  )
})
