/** What a sink refused for good: how many there are, however often and by whomever that is asked. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { count } from '../../../testkit/src/suite.ts'
import { createLetterCount, type DeadLetter, dropTaken, park, readLetters, takeLetters } from '../src/dead-letters.ts'

const letterOf = (seq: number, line: string): DeadLetter => ({ seq, reason: 'é no', at: '2026-11-21T10:00:00.000Z', line })

function place(): { readonly path: string; end(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'sworn-dead-'))
  return { path: join(directory, 'dead.jsonl'), end: () => rmSync(directory, { recursive: true, force: true }) }
}

type Step = { readonly park: readonly string[] } | 'replay' | 'half a line' | 'other line' | 'ask'

test('after any parking, replay and crash the count is that of the letters that can be read', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ park: fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }) }),
    fc.constantFrom<Step>('replay', 'half a line', 'other line', 'ask'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { path, end } = place()
      const counted = createLetterCount()
      let seq = 0
      for (const what of steps) {
        if (what === 'ask') assert.equal(counted(path), readLetters(path).length)
        else if (what === 'replay') {
          const taken = takeLetters(path)
          if (taken !== undefined) dropTaken(taken)
        } else if (what === 'half a line') appendFileSync(path, Buffer.from('{"seq":1,"reason":"é').subarray(0, -1))
        else if (what === 'other line') appendFileSync(path, '"no letter"\n')
        else
          await park(
            path,
            what.park.map((line) => letterOf(seq++, line)),
          )
      }
      assert.equal(counted(path), readLetters(path).length)
      assert.equal(createLetterCount()(path), readLetters(path).length)
      end()
    }),
    { numRuns: count({ fast: 15, ci: 30, full: 500 }) },
  )
})

test('only what was added is read again', async (t) => {
  const { path, end } = place()
  t.after(end)
  const counted = createLetterCount()
  await park(path, [letterOf(0, 'x'.repeat(3 << 20)), letterOf(1, 'y')])
  assert.equal(counted(path), 2)
  const before = readFileSync(path)
  writeFileSync(path, Buffer.concat([Buffer.alloc(before.length, 'z'), Buffer.from(`\n${JSON.stringify(letterOf(2, 'z'))}\n`)]), {
    flag: 'r+',
  })
  assert.equal(counted(path), 3)
  truncateSync(path, 0)
  assert.equal(counted(path), 0)
})

test('where nothing was parked there is nothing', () => assert.equal(createLetterCount()('/does/not/exist'), 0))
