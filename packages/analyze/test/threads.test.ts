import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import { startThreads } from '../src/threads.ts'

interface Answer {
  readonly double: number
  readonly byThread: boolean
}

/** Tasks taken and not answered yet, of two threads and the asking one. */
const MOST_AHEAD = 3 * 2

function start() {
  const answer = (task: number): Answer => ({ double: 2 * task, byThread: false })
  return startThreads<number, Answer>(import.meta.url, './support/doubling-worker', { fault: 'INDEX_FAILED', answer })
}

test('answers come in the order of the tasks, of threads and of the asking one, both have a part in it, and few tasks are taken ahead', async () => {
  const threads = start()
  let taken = 0
  const by = new Set<boolean>()
  function* tasks() {
    for (let n = 100; n < 400 || by.size < 2; n++) {
      taken++ // until both had a part in it: the asking thread works alone until the others have started
      yield n
    }
  }
  let next = 100
  for await (const { double, byThread } of threads.answers(tasks())) {
    assert.equal(double, 2 * next++)
    assert.ok(taken - (next - 100) < MOST_AHEAD, `${taken} tasks were taken at ${next - 100} answers`)
    by.add(byThread)
    if (next % 7 === 0) await nextTurn()
  }
  await threads.close()
  assert.equal(next, 100 + taken)
})

test('a thread that dies ends the work, whether it was asked or is asked behind its death', async () => {
  const threads = start()
  const isFault = (e: unknown) => SwornError.is(e, 'INDEX_FAILED')
  function* untilItStarts() {
    for (;;) yield 13
  }
  await assert.rejects(async () => {
    for await (const { byThread } of threads.answers(untilItStarts())) assert.equal(byThread, false)
  }, isFault)
  await assert.rejects(Array.fromAsync(threads.answers([14])), isFault)
  await threads.close()
})
