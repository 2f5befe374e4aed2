/** One action, however many saw it; and what began and was not seen to go on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { MAX_WAITING } from '../src/actions/follow.ts'
import { createObservations, createUnseen } from '../src/actions/index.ts'
import { MAX_FOLLOWED } from '../src/actions/observations.ts'
import type { Entry } from '../src/reading/entry.ts'
import { createSummary } from '../src/report/summary.ts'
import { anyEvent } from './support/ledgers.ts'

type Members = Readonly<Record<string, unknown>>

const T0 = Date.parse('2026-11-21T10:00:00Z')
const at = (minutes: number) => ({ timestamp: new Date(T0 + minutes * 60_000).toISOString() })
const hook = { session_id: 's-1', source: { kind: 'hook', name: 'claude-code', vantage: 'inline' } }
const proxy = { session_id: 'p-9', source: { kind: 'mcp_stdio', name: 'sworn', vantage: 'inline' } }
const adapter = { session_id: 's-1', source: { kind: 'instrumentation', name: 'ai', vantage: 'inline' } }
const span = { session_id: 's-1', source: { kind: 'otlp', name: 'claude-code', vantage: 'reported' } }
const read = { tool: 'mcp__files__read', arguments: { path: 'a', deep: { x: 1, y: 2 } } }
const same = { tool: 'read', arguments: { deep: { y: 2, x: 1 }, path: 'a' } }

const decided = (by: Members, id: string, call: Members, decision = 'allow') => ({
  event_type: 'authorization_decision',
  decision,
  correlation_id: id,
  ...at(0),
  ...by,
  ...call,
})
const ended = (by: Members, id: string, call: Members, rest: Members = {}) => ({
  event_type: 'tool_call_end',
  correlation_id: id,
  duration_ms: 5,
  ...at(0),
  ...by,
  ...call,
  ...rest,
})
const answered = (calls: readonly Members[], rest: Members = {}) => ({
  event_type: 'model_response',
  session_id: 's-1',
  result: { tool_calls: calls },
  ...at(0),
  ...rest,
})
const entries = (events: readonly Members[]): Entry[] => events.map((event, seq) => ({ ...event, seq }))

/** For each event: the action, and whether its observer was the first. */
function observe(...events: Members[]): (string | undefined)[] {
  const { observe: one } = createObservations()
  return entries(events).map((entry) => {
    const observed = one(entry)
    return observed && `${observed.action}${observed.first ? '' : ' again'}`
  })
}

function unseen(...events: Members[]) {
  const builder = createUnseen()
  for (const entry of entries(events)) builder.add(entry)
  const { newest, ...counts } = builder.done()
  return { ...counts, found: newest.map(({ finding, seq, tool }) => `${finding} ${seq} ${tool}`) }
}
const clean = { no_outcome: 0, announced_not_recorded: 0, under_way: 0, not_followed: 0, found: [] }

describe('observations', () => {
  test('a hook and the proxy behind it see one action: the same tool and arguments, the one within the other', () => {
    const events = [decided(hook, 'h', read), decided(proxy, 'p', same), ended(proxy, 'p', same), ended(hook, 'h', read)]
    assert.deepEqual(observe(...events), ['h', 'h again', 'h again', 'h'])
  })

  test('a span that comes when all is over is the same action by the id of its call', () => {
    const call = { tool: 'Bash', metadata: { call_id: 'toolu_1' } }
    const events = [decided(hook, 'h', call), ended(hook, 'h', call), ended(span, 'o', call)]
    assert.deepEqual(observe(...events), ['h', 'h', 'h again'])
    const elsewhere = { ...span, session_id: 's-2' }
    assert.equal(observe(...events.slice(0, 2), ended(elsewhere, 'o', call))[2], 'o')
  })

  test('redacted arguments are equal by their keyed hash', () => {
    const hidden = { tool: 'send', arguments: '[REDACTED:email]', arguments_hash: 'hmac-sha256:aa' }
    assert.equal(observe(decided(hook, 'h', hidden), decided(proxy, 'p', hidden))[1], 'h again')
    assert.equal(observe(decided(hook, 'h', hidden), decided(proxy, 'p', { ...hidden, arguments_hash: 'hmac-sha256:bb' }))[1], 'p')
  })

  test('three observers, one action; each call of a pair of equal ones has its own', () => {
    const events = [decided(hook, 'h', same), decided(adapter, 'a', same), decided(proxy, 'p', same)]
    assert.deepEqual(observe(...events), ['h', 'h again', 'h again'])
    const twice = [decided(hook, 'h1', same), decided(hook, 'h2', same), decided(proxy, 'p1', same), decided(proxy, 'p2', same)]
    assert.deepEqual(observe(...twice), ['h1', 'h2', 'h1 again', 'h2 again'])
  })

  test('no action is shared by what differs in tool or arguments, comes one after the other, or does not say who saw it', () => {
    assert.equal(observe(decided(hook, 'h', same), decided(proxy, 'p', { ...same, tool: 'write' }))[1], 'p')
    assert.equal(observe(decided(hook, 'h', same), decided(proxy, 'p', { ...same, arguments: {} }))[1], 'p')
    assert.equal(observe(decided(hook, 'h', same), ended(hook, 'h', same), decided(proxy, 'p', same))[2], 'p')
    assert.equal(observe(decided({}, 'h', same), decided({}, 'p', same))[1], 'p')
  })

  test('of any entries: one id is one action, and what is no tool call has none', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        const { observe: one } = createObservations()
        const actions = new Map<unknown, string>()
        for (const entry of entries(events)) {
          const observed = one(entry)
          if (!observed) continue
          assert.equal(observed.begins, !actions.has(entry.correlation_id))
          assert.equal(actions.get(entry.correlation_id) ?? observed.action, observed.action)
          actions.set(entry.correlation_id, observed.action)
        }
      }),
    )
  })

  test('more than are followed are forgotten, and their call is a new one', () => {
    const { observe: one } = createObservations()
    const calls = Array.from({ length: 2 * MAX_FOLLOWED + 1 }, (_, i) => decided(hook, `h${i}`, { ...same, arguments: { i } }))
    for (const entry of entries(calls)) one(entry)
    assert.equal(one({ ...decided(proxy, 'p', { ...same, arguments: { i: 0 } }), seq: 0 })?.action, 'p')
    assert.equal(one({ ...decided(proxy, 'q', { ...same, arguments: { i: MAX_FOLLOWED } }), seq: 0 })?.action, `h${MAX_FOLLOWED}`)
  })
})

describe('a report counts an action once', () => {
  function calls(...events: Members[]) {
    const summary = createSummary()
    for (const entry of entries(events)) summary.add(entry)
    const { allowed, denied, ok, failed, outcome_unknown } = summary.done().calls
    return { allowed, denied, ok, failed, outcome_unknown }
  }

  test('allowed by a hook and by the proxy', () => {
    const events = [decided(hook, 'h', read), decided(proxy, 'p', same), ended(proxy, 'p', same), ended(hook, 'h', read)]
    assert.deepEqual(calls(...events), { allowed: 1, denied: 0, ok: 1, failed: 0, outcome_unknown: 0 })
  })

  test('allowed by the hook and refused by the proxy is refused', () => {
    const failed = { event_type: 'tool_call_error' }
    const events = [decided(hook, 'h', read), decided(proxy, 'p', same, 'deny'), ended(hook, 'h', read, failed)]
    assert.deepEqual(calls(...events), { allowed: 0, denied: 1, ok: 0, failed: 0, outcome_unknown: 0 })
  })

  test('one observer that saw the end is enough', () => {
    const events = [decided(hook, 'h', read), decided(proxy, 'p', same), ended(proxy, 'p', same)]
    assert.deepEqual(calls(...events), { allowed: 1, denied: 0, ok: 1, failed: 0, outcome_unknown: 0 })
  })
})

describe('what nobody saw go on', () => {
  const call = { id: 'toolu_1', name: 'Bash' }
  const recorded = { tool: 'Bash', metadata: { call_id: 'toolu_1' } }

  test('a call that a model announced, recorded before or after its answer, is none', () => {
    assert.deepEqual(unseen(answered([call]), decided(hook, 'h', recorded), ended(hook, 'h', recorded)), clean)
    assert.deepEqual(unseen(decided(hook, 'h', recorded), ended(hook, 'h', recorded), answered([call])), clean)
  })

  test('a call that a model announced and nobody recorded is found when the model is asked again', () => {
    const asked = { event_type: 'model_request', session_id: 's-1', ...at(1) }
    assert.deepEqual(unseen(answered([call]), asked), { ...clean, announced_not_recorded: 1, found: ['announced_not_recorded 0 Bash'] })
    assert.deepEqual(unseen(answered([call])), { ...clean, under_way: 1 })
    assert.deepEqual(unseen(answered([call]), { ...asked, session_id: 's-2' }), { ...clean, under_way: 1 })
  })

  test('of two that were announced under one name the one with another id is found', () => {
    const found = unseen(answered([{ ...call, id: 'toolu_0' }, call]), decided(hook, 'h', recorded), ended(hook, 'h', recorded), {
      event_type: 'turn_end',
      session_id: 's-1',
      ...at(1),
    })
    assert.equal(found.announced_not_recorded, 1)
  })

  test('where an id is missing on one side the next of the same tool counts; a proxy knows no session of the agent', () => {
    assert.deepEqual(unseen(answered([{ name: 'Bash' }]), decided(hook, 'h', recorded), ended(hook, 'h', recorded)), clean)
    const viaProxy = answered([{ id: 'toolu_2', name: 'mcp__files__read' }])
    assert.deepEqual(unseen(viaProxy, decided(proxy, 'p', same), ended(proxy, 'p', same)), clean)
    assert.deepEqual(unseen(decided(proxy, 'p', same), ended(proxy, 'p', same), viaProxy), clean)
  })

  test('one record answers one announcement, however many saw it', () => {
    const twice = answered([
      { id: 'toolu_1', name: 'mcp__files__read' },
      { id: 'toolu_2', name: 'mcp__files__read' },
    ])
    const seen = [decided(hook, 'h', read), decided(proxy, 'p', same), ended(proxy, 'p', same), ended(hook, 'h', read)]
    const over = { event_type: 'turn_end', session_id: 's-1', ...at(1) }
    assert.equal(unseen(twice, ...seen, over).announced_not_recorded, 1)
  })

  test('an allowed call without an end is found when the turn ends, when its end is unknown, or when time went by', () => {
    const found = { ...clean, no_outcome: 1, found: ['no_outcome 0 Bash'] }
    const begun = decided(hook, 'h', recorded)
    assert.deepEqual(unseen(begun), { ...clean, under_way: 1 })
    assert.deepEqual(unseen(begun, { event_type: 'turn_end', session_id: 's-1', ...at(1) }), found)
    assert.deepEqual(unseen(begun, { event_type: 'session_end', session_id: 's-1', agent_id: 'other', ...at(1) }), found)
    assert.deepEqual(unseen(begun, { event_type: 'turn_end', session_id: 's-1', agent_id: 'other', ...at(1) }), { ...clean, under_way: 1 })
    assert.deepEqual(unseen(begun, ended(hook, 'h', recorded, { event_type: 'tool_call_error', error_type: 'outcome_unknown' })), found)
    assert.deepEqual(unseen(begun, { event_type: 'data_access', ...at(15) }), found)
  })

  test('a refused call needs no end, and of any entries the counts add up', () => {
    assert.deepEqual(unseen(decided(hook, 'h', recorded, 'deny')), clean)
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const { no_outcome, announced_not_recorded, found } = unseen(...events)
        assert.equal(found.length, Math.min(20, no_outcome + announced_not_recorded))
      }),
    )
  })

  test('more than can wait are let go and counted', () => {
    const builder = createUnseen()
    for (let i = 0; i <= MAX_WAITING; i++) builder.add({ ...decided(hook, `h${i}`, { tool: 'Bash' }), seq: i })
    const { under_way, not_followed } = builder.done()
    assert.deepEqual({ under_way, not_followed }, { under_way: MAX_WAITING, not_followed: 1 })
  })
})
