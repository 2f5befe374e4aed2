/** Calls that begin and end in one process become the same records as those whose hooks are processes. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOOK_CLIENTS, heldCalls } from '../src/hooks/index.ts'
import { openRoom, readVectors } from './support/hooks.ts'

for (const { name } of HOOK_CLIENTS)
  test(`the hooks of ${name}, held in memory`, async () => {
    const room = openRoom({ calls: heldCalls() })
    for (const [n, { event, payload, records }] of readVectors(name).hooks.entries()) {
      await room.answer(name, event, payload)
      assert.deepEqual(room.newRecords(), records, `hook ${n}, ${event}`)
    }
  })

const call = (n: number, session = 's') => ({ ref: `ref-${n}`, tool: 't', session, startedAt: n })

test('a session holds at most 1,000 open calls: the oldest is given up', () => {
  const calls = heldCalls()
  for (let n = 0; n < 1000; n++) assert.equal(calls.add('k', call(n)), undefined)
  assert.equal(calls.add('k', call(1000))?.ref, 'ref-0')
  assert.equal(calls.take('s', 'k')?.ref, 'ref-1')
})

test('at most 1,000 sessions are known: what the oldest had open is lost, once', () => {
  const calls = heldCalls()
  for (let n = 0; n <= 1000; n++) calls.add('k', call(n, `session ${n}`))
  assert.deepEqual(
    calls.takeLost().map(({ ref }) => ref),
    ['ref-0'],
  )
  assert.deepEqual(calls.takeLost(), [])
})

test('a subagent is linked to the call that began it: the one that is named, or the oldest that waits', () => {
  const calls = heldCalls()
  for (const n of [1, 2, 3]) calls.add('k', call(n), true)
  calls.link('s', 'b', { ref: 'ref-2' })
  for (const agent of ['a', 'c', 'd', 'a']) calls.link('s', agent)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((agent) => calls.parentOf('s', agent)?.ref),
    ['ref-1', 'ref-2', 'ref-3', undefined],
  )
})
