/** The recorder on a port in memory. Checklist GW7, GW8, GW14. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { SwornError } from '@sworn/verify'
import { createRecorder } from '../src/recorder/recorder.ts'
import { memoryPort } from './support/memory-port.ts'

test('record resolves with seq and entry_hash, at the level of its type', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const answers = await Promise.all([
    recorder.record({ event_type: 'data_access' }),
    recorder.record({ event_type: 'authorization_decision' }),
  ])
  assert.deepEqual(answers, [
    { seq: 0, entry_hash: 'ab'.repeat(32), durable: false },
    { seq: 1, entry_hash: 'ab'.repeat(32), durable: true },
  ])
})

test('a caller that changes its objects after record() changes nothing (GW7)', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const list = [1]
  const event = { event_type: 'x', arguments: { list } }
  const answer = recorder.record(event)
  list.push(2)
  event.event_type = 'y'
  await answer
  assert.deepEqual([port.events()[0]?.event_type, port.events()[0]?.arguments], ['x', { list: [1] }])
})

test('dates, bytes, sets, NaN, cycles and unknown types never throw into the caller (GW8)', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const cycle: Record<string, unknown> = {
    date: new Date(0),
    bytes: new Uint8Array([104, 105]),
    set: new Set([1]),
    nan: Number.NaN,
    10: 'ten',
    2: 'two',
  }
  cycle.self = cycle
  await recorder.record({ event_type: 'never_seen_before', arguments: cycle })
  assert.deepEqual(port.events()[0]?.arguments, {
    ...{ 2: 'two', 10: 'ten', date: '1970-01-01T00:00:00.000Z', bytes: 'hi', set: [1], nan: '[NaN]', self: '[circular]' },
  })
})

test('one batch per turn of the event loop, in call order; sync events recorded side by side are one batch, sent before the turn ends', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  for (const n of [1, 2, 3]) void recorder.record({ event_type: 'x', metadata: n })
  assert.equal(port.batches.length, 0)
  await turn()
  void recorder.record({ event_type: 'x', metadata: 4 })
  for (const n of [5, 6]) void recorder.record({ event_type: 'approval_requested', metadata: n })
  void recorder.record({ event_type: 'x', metadata: 7 })
  await Promise.resolve()
  assert.deepEqual(
    port.batches.map((batch) => batch.length),
    [3, 4],
  )
  assert.deepEqual(
    port.events().map(({ metadata }) => metadata),
    [1, 2, 3, 4, 5, 6, 7],
  )
})

test('wrong usage is EVENT_INVALID; what the ledger says is passed on; the queue goes on', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  await assert.rejects(recorder.record({ event_type: 'log.open' }), (e) => SwornError.is(e, 'EVENT_INVALID') && e.at === '/event_type')
  port.fail = new SwornError('APPEND_REFUSED', 'disk full')
  await assert.rejects(recorder.record({ event_type: 'x' }), (e) => SwornError.is(e, 'APPEND_REFUSED'))
  port.fail = undefined
  assert.ok('seq' in (await recorder.record({ event_type: 'x' })))
  const { recorded, failed, refused, acknowledged, outstanding, outstandingBytes } = recorder.stats()
  assert.deepEqual(
    { recorded, failed, refused, acknowledged, outstanding, outstandingBytes },
    { recorded: 2, failed: 1, refused: 1, acknowledged: 1, outstanding: 0, outstandingBytes: 0 },
  )
})

test('async events are queued; filtered ones are said to be', async () => {
  const recorder = createRecorder({ port: memoryPort(), events: ['data'] })
  assert.deepEqual(await recorder.record({ event_type: 'data_access' }, { level: 'async' }), { queued: true })
  assert.deepEqual(await recorder.record({ event_type: 'model_request' }), { filtered: true })
})

test('a full queue makes callers wait: nothing is lost, order is kept, memory is bounded', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port, queue: { max: 4 } })
  port.hold()
  const answers = Array.from({ length: 8 }, (_, metadata) => recorder.record({ event_type: 'x', metadata }))
  await turn()
  assert.equal(port.events().length, 4)
  await assert.rejects(recorder.record({ event_type: 'x' }), (e) => SwornError.is(e, 'APPEND_REFUSED'))
  port.release()
  await Promise.all(answers)
  assert.deepEqual(
    port.events().map(({ metadata }) => metadata),
    [0, 1, 2, 3, 4, 5, 6, 7],
  )
  assert.equal(recorder.stats().outstanding, 0)
})

test('a port that can block takes a burst of any length from a caller that never waits', async () => {
  const port = memoryPort()
  port.canBlock = true
  const recorder = createRecorder({ port, queue: { max: 10 } })
  const answers = Array.from({ length: 1000 }, (_, metadata) => recorder.record({ event_type: 'x', metadata }))
  assert.ok(recorder.stats().outstanding <= 10)
  await Promise.all(answers)
  assert.deepEqual(
    port.events().map(({ metadata }) => metadata),
    Array.from({ length: 1000 }, (_, i) => i),
  )
  assert.deepEqual([recorder.stats().outstanding, recorder.stats().outstandingBytes], [0, 0])
})

test('bytes bound the queue as well as events', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port, queue: { max: 100, maxBytes: 3000, whenFull: 'shed' } })
  port.hold()
  for (let i = 0; i < 10; i++) void recorder.record({ event_type: 'x', metadata: 'y'.repeat(1000) })
  assert.ok(recorder.stats().outstandingBytes < 4500)
  assert.equal(recorder.stats().shed, 7)
  port.release()
})

test('shed events are counted and reported as soon as there is room', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port, queue: { max: 2, whenFull: 'shed' }, now: () => 0 })
  port.hold()
  const answers = Array.from({ length: 5 }, (_, metadata) => recorder.record({ event_type: 'x', metadata }))
  await turn()
  port.release()
  assert.deepEqual(
    (await Promise.all(answers)).map((answer) => 'queued' in answer),
    [false, false, true, true, true],
  )
  await recorder.flush()
  const gap = port.events().at(-1)
  const at = '1970-01-01T00:00:00.000Z'
  assert.deepEqual([gap?.event_type, gap?.metadata], ['observation_gap', { dropped: 3, from: at, to: at, reason: 'queue_full' }])
})

test('context follows awaits and parallel branches; the event wins; parent_id names the surrounding action', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port, agent: { name: 'a', version: '1' }, user: 'base' })
  const branch = (user: string) =>
    recorder.withContext({ user, session_id: `s-${user}`, correlation_id: `c-${user}` }, async () => {
      await turn()
      await recorder.record({ event_type: 'x', correlation_id: 'own' })
    })
  await Promise.all([branch('alice'), branch('bob'), recorder.record({ event_type: 'y', user: 'carol' })])
  const brief = port.events().map(({ user, session_id, parent_id, agent_id }) => [user, session_id, parent_id, agent_id].join())
  assert.deepEqual(brief.toSorted(), ['alice,s-alice,c-alice,a', 'bob,s-bob,c-bob,a', 'carol,,,a'])
  assert.throws(
    () => recorder.withContext({ user: 7 as unknown as string }, () => 1),
    (e) => SwornError.is(e, 'EVENT_INVALID'),
  )
})

test('the builder builds without sharing, and records', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const base = recorder.event().type('data_access').user('alice')
  await base.target('crm').error('no').duration(3).record()
  assert.deepEqual(base.build(), { event_type: 'data_access', user: 'alice' })
  assert.deepEqual([port.events()[0]?.severity, port.events()[0]?.target], ['error', 'crm'])
})

test('flush, durable and close wait for the disk; afterwards recording is refused', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  void recorder.record({ event_type: 'x' })
  await recorder.flush()
  await recorder.durable(0)
  await assert.rejects(recorder.durable(9), (e) => SwornError.is(e, 'APPEND_UNKNOWN'))
  await recorder.close()
  assert.ok(port.closed)
  await assert.rejects(recorder.record({ event_type: 'x' }), (e) => SwornError.is(e, 'LEDGER_CLOSED'))
})

test('a wrapped async function is recorded whole: positional arguments, session, duration, one correlation_id (GW14)', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const search = recorder.tool('search', async (query: string, limit: number) => {
    await turn()
    await recorder.record({ event_type: 'data_access', correlation_id: 'inner' })
    return [query, limit]
  })
  const result = await recorder.withContext({ session_id: 's-1' }, () => search('q', 10))
  await recorder.flush()
  assert.deepEqual(result, ['q', 10])
  const [start, inner, end] = port.events()
  assert.deepEqual([start?.event_type, start?.arguments, start?.session_id], ['tool_call_start', ['q', 10], 's-1'])
  assert.deepEqual(
    [end?.event_type, end?.result, end?.session_id, end?.correlation_id],
    ['tool_call_end', ['q', 10], 's-1', start?.correlation_id],
  )
  assert.equal(inner?.parent_id, start?.correlation_id)
  assert.ok(Number(end?.duration_ms) > 0)
})

test('a wrapped async function does not run when its start cannot be recorded, unless told to continue', async () => {
  for (const onAuditFailure of ['block', 'continue'] as const) {
    const port = memoryPort()
    port.fail = new SwornError('APPEND_REFUSED', 'disk full')
    let ran = false
    const call = createRecorder({ port, onAuditFailure }).tool('t', async () => {
      ran = true
    })
    if (onAuditFailure === 'block') await assert.rejects(call(), (e) => SwornError.is(e, 'APPEND_REFUSED'))
    else await call()
    assert.equal(ran, onAuditFailure === 'continue')
  }
})

test('a wrapped sync function stays sync and keeps this, name, length, result and error', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const error = new RangeError('no')
  const box = {
    n: 2,
    times: recorder.tool('times', function times(this: { n: number }, by: number) {
      if (by < 0) throw error
      return { value: this.n * by }
    }),
  }
  assert.deepEqual(box.times(3), { value: 6 })
  assert.throws(
    () => box.times(-1),
    (e) => e === error,
  )
  assert.deepEqual([box.times.name, box.times.length], ['times', 1])
  await recorder.flush()
  assert.deepEqual(
    port.events().map(({ event_type }) => event_type),
    ['tool_call_start', 'tool_call_end', 'tool_call_start', 'tool_call_error'],
  )
  assert.deepEqual(port.events()[3]?.error_type, 'RangeError')
})

test('promises are returned as they are, streams item by item', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const promise = Promise.resolve(1)
  assert.equal(recorder.tool('p', () => promise)(), promise)
  const count = recorder.tool('count', async function* (to: number) {
    for (let i = 0; i < to; i++) yield i
  })
  assert.deepEqual(await Array.fromAsync(count(3)), [0, 1, 2])
  for await (const _ of count(3)) break
  await recorder.flush()
  const ends = port.events().filter(({ event_type, tool }) => event_type === 'tool_call_end' && tool === 'count')
  assert.deepEqual(
    ends.map(({ metadata }) => metadata),
    [
      { items: 3, complete: true },
      { items: 1, complete: false },
    ],
  )
})
