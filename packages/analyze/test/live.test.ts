/** The thread that keeps an index up to date while its ledger grows, rotates, and after it was killed. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { findLedger } from '@sworn/recorder/segments'
import { INDEX_NAME, openIndexDatabase, removeIndex } from '../src/index/database.ts'
import { feedIndex } from '../src/index/feed.ts'
import { startLiveIndex } from '../src/index/live.ts'
import { readIndexPosition } from '../src/index/position.ts'
import { linesOf, segmentPath, temporary, writeSegments } from './support/ledgers.ts'

const LINES = linesOf(Array.from({ length: 60 }, (_, n) => ({ event_type: 'data_access', user: `u-${n}` })))

/** Resolves when the index holds `count` entries; the test's time limit bounds it. */
async function indexed(directory: string, count: number): Promise<void> {
  while (((await readIndexPosition(directory)) ?? 0) < count) await wait(10)
}

test('entries are in the index without anybody asking, over rotation and a restart of the thread', { timeout: 120_000 }, async () => {
  const directory = join(temporary(), 'audit')
  writeSegments(directory, LINES.slice(0, 5), [0])
  const said: string[] = []
  const start = () =>
    startLiveIndex(
      directory,
      (text) => said.push(text),
      (reason) => said.push(reason),
    )
  const first = await start()
  await indexed(directory, 5)
  appendFileSync(segmentPath(directory, 0), LINES.slice(5, 20).join(''))
  await indexed(directory, 20)
  writeFileSync(segmentPath(directory, 20), LINES.slice(20, 30).join(''))
  await indexed(directory, 30)
  await first.stop()
  appendFileSync(segmentPath(directory, 20), LINES.slice(30, 40).join(''))
  const second = await start()
  await indexed(directory, 40)
  await second.stop()
  assert.deepEqual(said, [])
})

test('an index that is deleted while it is kept comes back by itself, as often as it is, and is the one that is fed', {
  timeout: 120_000,
}, async () => {
  const directory = join(temporary(), 'audit')
  writeSegments(directory, LINES.slice(0, 5), [0])
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  const live = await startLiveIndex(directory, say, say)
  for (let size = 5; size < 30; size += 5) {
    await indexed(directory, size)
    removeIndex(directory)
    if (size % 2 === 0) (await openIndexDatabase(directory)).close() // somebody else was first
    appendFileSync(segmentPath(directory, 0), LINES.slice(size, size + 5).join(''))
  }
  while ((await readIndexPosition(directory)) !== 30) await wait(10) // nobody here makes one
  await live.stop()
  assert.deepEqual(said, [])
})

test('a ledger that cannot be indexed ends the thread with a word, not the process', { timeout: 120_000 }, async () => {
  const directory = join(temporary(), 'audit')
  writeSegments(directory, [LINES[1]!, LINES[0]!], [0])
  const reason = Promise.withResolvers<string>()
  const live = await startLiveIndex(directory, () => {}, reason.resolve)
  assert.match(await reason.promise, /an entry that goes on was expected/)
  await live.stop()
})

test('how far the index is can be asked without making one; what is no index is not read', async () => {
  const directory = join(temporary(), 'audit')
  writeSegments(directory, LINES.slice(0, 5), [0])
  assert.equal(await readIndexPosition(directory), undefined)
  assert.equal(existsSync(join(directory, INDEX_NAME)), false)
  writeFileSync(join(directory, INDEX_NAME), '') // whoever makes it has come this far
  assert.equal(await readIndexPosition(directory), undefined)
  const index = await openIndexDatabase(directory)
  assert.equal(await readIndexPosition(directory), 0)
  await feedIndex(index, findLedger(directory, '/'))
  index.close()
  assert.equal(await readIndexPosition(directory), 5)
  writeFileSync(join(directory, INDEX_NAME), 'no index'.repeat(100))
  await assert.rejects(readIndexPosition(directory), /not a database/)
})
