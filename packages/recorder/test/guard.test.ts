/** The guard: nothing happens before its decision is on disk. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SwornError } from '@sworn/verify'
import type { FilterOptions } from '../src/event/filter.ts'
import { createGuard } from '../src/guard/guard.ts'
import type { Action, AskFn, Gate, Verdict } from '../src/guard/types.ts'
import { createRecorder } from '../src/recorder/recorder.ts'
import { type MemoryPort, memoryPort } from './support/memory-port.ts'

const SOURCE = { kind: 'sdk', name: 'test', vantage: 'inline' } as const
const action: Action = { kind: 'tool', name: 'write', input: { path: 'a' }, ids: { session: 's-1', user: 'alice' } }
const allow: Verdict = { decision: 'allow', reason: 'listed', reasonCode: 'matched_allowed_tools', policyName: 'p' }

function gateOf(verdict: Verdict | (() => Verdict)): Gate {
  const judge = () => (typeof verdict === 'function' ? verdict() : verdict)
  return { policy: {}, judgeMethod: judge, judge: async () => judge(), inspect: (value) => ({ value, matches: [], blocked: false }) }
}

function setUp(
  options: { gate?: Gate; ask?: AskFn; ackTimeoutMs?: number; onAuditFailure?: 'block' | 'continue' } = {},
  filter: FilterOptions = {},
) {
  const port = memoryPort()
  const recorder = createRecorder({ port, ...filter })
  return { port, recorder, guard: createGuard({ recorder, source: SOURCE, ...options }) }
}
const types = (port: MemoryPort) => port.events().map(({ event_type }) => event_type)

test('decision, start, effect, end: in this order, under one correlation_id', async () => {
  const { port, recorder, guard } = setUp({ gate: gateOf(allow) })
  let seen: unknown[] = []
  const result = await guard.guard(action, (input) => {
    seen = types(port)
    return { wrote: input }
  })
  await recorder.flush()
  assert.deepEqual(result, { wrote: { path: 'a' } })
  assert.equal(seen[0], 'authorization_decision')
  assert.deepEqual(types(port), ['authorization_decision', 'tool_call_start', 'tool_call_end'])
  assert.equal(new Set(port.events().map(({ correlation_id }) => correlation_id)).size, 1)
  assert.deepEqual(
    [port.events()[0]?.reason_code, port.events()[0]?.session_id, port.events()[0]?.user],
    ['matched_allowed_tools', 's-1', 'alice'],
  )
  assert.equal(port.batches[0]?.at(-1)?.level, 'sync')
})

test('without a gate the start is what is on disk first', async () => {
  const { port, recorder, guard } = setUp()
  await guard.guard(action, () => assert.deepEqual(types(port), ['tool_call_start']))
  await recorder.flush()
  assert.equal(port.batches[0]?.[0]?.level, 'sync')
  assert.deepEqual(types(port), ['tool_call_start', 'tool_call_end'])
})

test('every record of an action says how its user is known, wherever it ends', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port, user: 'service', userSource: 'os' })
  const guard = createGuard({ recorder, source: SOURCE })
  const begin = () => guard.begin({ ...action, ids: guard.context() })
  const { ref } = await recorder.withContext({ user: 'alice', user_source: 'token' }, begin)
  await guard.end(ref, { status: 'ok' })
  await guard.end((await begin()).ref, { status: 'ok' })
  const who = port.events().map(({ user, user_source }) => `${user} ${user_source}`)
  assert.deepEqual(who, ['alice token', 'alice token', 'service os', 'service os'])
})

test('no audit.events and no log_level leaves out the decision about a tool', async () => {
  const { port, recorder, guard } = setUp({ gate: gateOf(allow) }, { events: ['model_calls'], logLevel: 'critical' })
  await guard.guard(action, () => assert.deepEqual(types(port), ['authorization_decision']))
  await recorder.flush()
  assert.deepEqual(types(port), ['authorization_decision'])
})

test('without a gate a tool whose start is left out does not run; a model whose request is left out does', async () => {
  const { port, guard } = setUp({}, { events: ['errors'] })
  await assert.rejects(
    guard.guard(action, () => assert.fail('it ran')),
    (e) => SwornError.is(e, 'ACTION_DENIED') && e.message.includes('audit_unavailable'),
  )
  assert.equal(await guard.guard({ ...action, kind: 'model' }, () => 'answer'), 'answer')
  assert.deepEqual(types(port), [])
})

test('a denial is recorded once and the effect does not happen', async () => {
  const { port, guard } = setUp({ gate: gateOf({ decision: 'deny', reason: 'no', reasonCode: 'tool_blocked' }) })
  await assert.rejects(
    guard.guard(action, () => assert.fail('it ran')),
    (e) => SwornError.is(e, 'ACTION_DENIED') && e.message.includes('tool_blocked'),
  )
  assert.deepEqual([types(port), port.events()[0]?.decision], [['authorization_decision'], 'deny'])
})

const REQUESTED = { event_type: 'approval_requested', tool: 'write', correlation_id: 'c' } as const
const yes: AskFn = async ({ verdict }, record) => {
  const recorded = await record(REQUESTED)
  const members = { human_decision: { channel: 'hand', approved: true }, metadata: { approval: { id: 'q' } } }
  return { verdict: { ...verdict, decision: recorded ? 'allow' : 'deny', reasonCode: 'human_approved' } as Verdict, members }
}

test('an ask is put to people after the question is on disk; the decision carries who said so, then the effect happens', async () => {
  const { port, recorder, guard } = setUp({ gate: gateOf({ ...allow, decision: 'ask' }), ask: yes })
  await guard.guard({ ...action, rawName: 'Write' }, () => assert.deepEqual(types(port), ['approval_requested', 'authorization_decision']))
  await recorder.flush()
  const [asked, decided] = port.events()
  assert.equal(port.batches[0]?.at(-1)?.level, 'sync')
  assert.partialDeepStrictEqual(asked, { source: SOURCE })
  assert.partialDeepStrictEqual(decided, {
    decision: 'allow',
    reason_code: 'human_approved',
    human_decision: { channel: 'hand', approved: true },
    metadata: { approval: { id: 'q' }, raw_name: 'Write' },
  })
})

test('a question that cannot be recorded, an asker that throws and one that answers ask refuse the action', async () => {
  const gate = gateOf({ ...allow, decision: 'ask' })
  const lost = setUp({ gate, ask: async (request, record) => ({ ...(await yes(request, record)), members: {} }) })
  lost.port.fail = new SwornError('APPEND_REFUSED', 'no space left')
  assert.equal((await lost.guard.begin(action)).verdict.decision, 'deny')
  const broken = setUp({ gate, ask: () => Promise.reject(new Error('broken')) })
  assert.equal((await broken.guard.begin(action)).verdict.reasonCode, 'approval_unavailable')
  const undecided = setUp({ gate, ask: async ({ verdict }) => ({ verdict, members: {} }) })
  await assert.rejects(
    undecided.guard.guard(action, () => assert.fail('it ran')),
    (e) => SwornError.is(e, 'ACTION_DENIED'),
  )
})

test('ask is a denial with approval_unavailable; a gate that throws blocks with policy_invalid', async () => {
  const ask = setUp({ gate: gateOf({ ...allow, decision: 'ask' }) })
  assert.equal((await ask.guard.begin(action)).verdict.reasonCode, 'approval_unavailable')
  const broken = setUp({
    gate: gateOf(() => {
      throw new Error('x')
    }),
  })
  const { verdict } = await broken.guard.begin(action)
  assert.deepEqual([verdict.decision, verdict.reasonCode], ['deny', 'policy_invalid'])
})

test('when the ledger refuses, the action is refused with audit_unavailable, or goes on if told so', async () => {
  const { port, guard } = setUp({ gate: gateOf(allow) })
  port.fail = new SwornError('APPEND_REFUSED', 'disk full')
  const { verdict } = await guard.begin(action)
  assert.deepEqual([verdict.decision, verdict.reasonCode], ['deny', 'audit_unavailable'])
  const open = setUp({ gate: gateOf(allow), onAuditFailure: 'continue' })
  open.port.fail = port.fail
  assert.equal((await open.guard.begin(action)).verdict.decision, 'allow')
})

test('what is done meanwhile begins when an allowed intent is sent, and is over when begin is, before or after the disk', async () => {
  for (const isHeld of [true, false]) {
    const { port, guard } = setUp({ gate: gateOf(allow) })
    if (isHeld) port.hold()
    const seen: unknown[] = []
    const { verdict, ref } = await guard.begin(action, (begun) => {
      seen.push(begun, types(port)[0])
      port.release()
    })
    assert.deepEqual(seen, [{ verdict, ref }, 'authorization_decision'])
  }
  const denied = setUp({ gate: gateOf({ ...allow, decision: 'deny' }) })
  await denied.guard.begin(action, () => assert.fail('it ran'))
})

test('a decision that reaches the log too late is followed by not_executed', async () => {
  const { port, recorder, guard } = setUp({ gate: gateOf(allow), ackTimeoutMs: 1 })
  port.hold()
  const { verdict, ref } = await guard.begin(action)
  assert.equal(verdict.reasonCode, 'audit_unavailable')
  port.release()
  await new Promise(setImmediate)
  await recorder.flush()
  const [decision, error] = port.events()
  assert.deepEqual([decision?.decision, decision?.correlation_id], ['allow', ref])
  assert.deepEqual(
    [error?.event_type, error?.error_type, error?.reason_code, error?.correlation_id],
    ['tool_call_error', 'not_executed', 'audit_unavailable', ref],
  )
})

test('errors pass with their identity; cancelled and unknown outcomes are errors in the log', async () => {
  const { port, recorder, guard } = setUp()
  const error = new TypeError('boom')
  await assert.rejects(
    guard.guard(action, () => Promise.reject(error)),
    (e) => e === error,
  )
  const { ref } = await guard.begin(action)
  await guard.end(ref, { status: 'cancelled' })
  await recorder.flush()
  const errors = port.events().filter(({ event_type }) => event_type === 'tool_call_error')
  assert.deepEqual(
    errors.map(({ error_type }) => error_type),
    ['TypeError', 'cancelled'],
  )
})

test('end takes the matches of an inspection, finds actions by their ids, and records strangers', async () => {
  const { port, guard } = setUp()
  const { ref } = await guard.begin({ ...action, ids: { call: 'c-9' } })
  await guard.end({ match: { call: 'c-9' } }, { status: 'ok', output: 1 }, [
    { pattern: 'jwt', matchCount: 2, direction: 'response', dlpAction: 'mask', redacted: true },
  ])
  await guard.end({ match: { call: 'c-0' } }, { status: 'ok' })
  const [, match, end, stranger] = port.events()
  assert.deepEqual([match?.event_type, match?.match_count, match?.correlation_id], ['dlp_match', 2, ref])
  assert.deepEqual([end?.event_type, end?.correlation_id], ['tool_call_end', ref])
  assert.deepEqual(stranger?.metadata, { call_id: 'c-0', unmatched: true })
})

test('parallel calls are told apart; overlong and hostile names are cut, never lost', async () => {
  const { port, recorder, guard } = setUp({ gate: gateOf(allow) })
  await Promise.all(['x'.repeat(5000), 'b'].map((name) => guard.guard({ ...action, name }, () => name)))
  await guard.note('prompt', { session: 's-1' }, { text: 'hi' })
  await recorder.flush()
  const decisions = port.events().filter(({ event_type }) => event_type === 'authorization_decision')
  assert.equal(new Set(decisions.map(({ correlation_id }) => correlation_id)).size, 2)
  assert.equal(String(decisions[0]?.tool).length, 1024)
  assert.deepEqual(port.events().at(-1)?.event_type, 'prompt')
})

test('model calls and refused methods have their own words', async () => {
  const model = setUp()
  await model.guard.guard(
    { kind: 'model', name: 'm-1', ids: {} },
    () => 'text',
    () => ({ usage: { inputTokens: 3 } }),
  )
  const [request, response] = model.port.events()
  assert.deepEqual([request?.event_type, response?.event_type, response?.model], ['model_request', 'model_response', 'm-1'])
  assert.deepEqual(response?.usage, { input_tokens: 3 })
  const method = setUp({ gate: gateOf({ decision: 'deny', reason: 'no', reasonCode: 'method_not_allowed' }) })
  await method.guard.begin({ kind: 'custom', name: 'x', ids: {}, rpc: { method: 'resources/read' } })
  assert.deepEqual([types(method.port), method.port.events()[0]?.method], [['method_blocked'], 'resources/read'])
})
