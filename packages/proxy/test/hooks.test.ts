/** Hooks of coding agents: what each client says becomes the same records, and each is answered in its own words. @module */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createGate } from '@sworn/govern'
import { loadPolicy } from '@sworn/govern/policy'
import { type AskFn, SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { HOOK_CELLS } from '../../../testkit/src/hook-cells.ts'
import { answerHook, findHookClient, HOOK_CLIENTS, heldCalls, openCallsIn, readHook } from '../src/hooks/index.ts'
import { openRoom, readVectors } from './support/hooks.ts'

for (const { name, events } of HOOK_CLIENTS) {
  const { hooks, made, client } = readVectors(name)
  describe(`the hooks of ${name}`, () => {
    test('every hook is recorded, and a call is answered as the client reads it', async () => {
      assert.deepEqual([client, made.length > 40], [name, true])
      const room = openRoom()
      for (const [n, { event, payload, records, reply }] of hooks.entries()) {
        const answer = await room.answer(name, event, payload)
        const said = 'reason' in answer ? findHookClient(name)!.reply(answer) : undefined
        assert.deepEqual([said, room.newRecords()], [reply, records], `hook ${n}, ${event}`)
      }
      assert.deepEqual(readdirSync(room.folder), [], 'nothing is left open behind the end of the session')
    })

    test('every event that is installed has a vector', () => {
      assert.deepEqual([...new Set(hooks.map(({ event }) => event))].toSorted(), Object.keys(events).toSorted())
    })

    test('one action has one correlation_id and ends once', async () => {
      const room = openRoom()
      for (const { event, payload } of hooks) await room.answer(name, event, payload)
      const calls = Map.groupBy(
        room.port.events().filter(({ event_type }) => /^(authorization_|tool_call_)/.test(String(event_type))),
        ({ correlation_id }) => correlation_id,
      )
      for (const [id, records] of calls) {
        const types = records.map(({ event_type, decision }) => [event_type, decision].filter(Boolean).join(' '))
        const ended = types.filter((type) => /_(end|error)$/.test(type)).length
        assert.equal(ended, types[0] === 'authorization_decision deny' ? 0 : 1, `${String(id)}: ${types.join(', ')}`)
      }
    })
  })
}

const payload = (call: string, command = 'ls') => ({
  hook_event_name: 'PreToolUse',
  session_id: 's',
  tool_name: 'Bash',
  tool_input: { command },
  tool_use_id: call,
})

test('a session without a policy records the start of a call before it, and decides nothing', async () => {
  const gate = { policy: {}, inspect: (value: unknown) => ({ value, matches: [], blocked: false }) }
  const allow = { decision: 'allow', reason: 'No policy is set', reasonCode: 'default_allow' } as const
  const room = openRoom({ gate: { ...gate, judge: async () => allow, judgeMethod: () => allow } })
  assert.deepEqual(await room.answer('claude-code', undefined, payload('c')), { decision: 'none' })
  assert.deepEqual(room.newRecords(), ['tool_call_start Bash claude-code inline'])
  assert.equal(room.port.batches[0]?.[0]?.level, 'sync')
})

test('a decision that cannot be written refuses the call; with on_audit_failure continue it goes on', async () => {
  for (const [onAuditFailure, decision] of [
    ['block', 'deny'],
    ['continue', 'none'],
  ] as const) {
    const room = openRoom({ onAuditFailure })
    room.port.fail = Object.assign(new Error('no space left'), { name: 'SwornError', code: 'APPEND_REFUSED' }) as never // fits SwornError.is
    const answer = await room.answer('claude-code', undefined, payload('c')).catch((e: unknown) => e)
    assert.equal((answer as { decision?: string }).decision, decision)
    if (decision === 'deny') assert.match((answer as { reason: string }).reason, /audit_unavailable/)
  }
})

test('a ledger that does not answer in time refuses the call', async () => {
  const room = openRoom({ ackTimeoutMs: 20 })
  const stuck = { ...room, recorder: { ...room.recorder, record: () => new Promise<never>(() => {}) } }
  const client = findHookClient('codex')!
  const answer = await answerHook(client, readHook(client, Buffer.from(JSON.stringify(payload('c')))), stuck)
  assert.match('reason' in answer ? answer.reason : '', /audit_unavailable/)
  assert.deepEqual(readdirSync(room.folder).length, 1, 'its count, and no open call')
  assert.equal(room.calls.takeAll('s', () => true).length, 0)
})

test('what the agent is told names no value, no path and no rule', async () => {
  const room = openRoom()
  const secret = 'AKIAQYLPMN5HHHFPZAM2'
  const answer = await room.answer('claude-code', undefined, payload('c', `echo ${secret}`))
  assert.equal(answer.decision, 'deny')
  assert.ok(!JSON.stringify([answer, room.port.events()]).includes(secret))
})

const MASKING = `
apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: masking}
spec:
  allowed_tools: [Bash, run_shell_command]
  tool_rules: [{tool: Write, action: ask}]
  dlp:
    scan_requests: true
    on_request_match: redact
    patterns: [{name: Key, regex: "AKIA[A-Z0-9]{16}"}]
`
const masking = () => ({ gate: createGate({ policy: loadPolicy({ text: MASKING, name: 'masking.yaml' }) }) })

test('arguments that have to be masked go out masked where the client takes that, and refuse the call elsewhere', async () => {
  for (const client of HOOK_CLIENTS) {
    const { name, events, members } = client
    const { event, payload: told, reply } = readVectors(name).masked
    const room = openRoom(masking())
    const answer = await room.answer(name, event, told)
    assert.ok(!JSON.stringify(room.port.events()).includes('AKIAQ'), name)
    assert.equal(answer.decision, HOOK_CELLS[name]!.masked === 'run' ? 'rewrite' : 'deny', name)
    assert.deepEqual(
      'reason' in answer ? client.reply(answer) : answer.decision === 'rewrite' && client.rewrite?.(answer.input),
      reply,
      name,
    )
    if (answer.decision !== 'rewrite') continue
    const after = Object.keys(events).find((one) => events[one] === 'after')
    await room.answer(name, after, { ...told, hook_event_name: after, [members.input![0]!]: answer.input, tool_response: 'ok' })
    const types = room.port.events().map(({ event_type: type }) => type)
    assert.deepEqual(types.toSorted(), ['authorization_decision', 'dlp_match', 'tool_call_end', 'tool_call_start'], name)
    assert.equal(new Set(room.port.events().map(({ correlation_id }) => correlation_id)).size, 1)
  }
})

test('a client that lays changed arguments over the old ones would keep a name that has to be masked: the call is refused', async () => {
  const input = { deep: { AKIAQYLPMN5HHHFPZAM2: 1 } }
  for (const [name, event, decision] of [
    ['gemini', 'BeforeTool', 'deny'],
    ['codex', 'PreToolUse', 'rewrite'],
  ] as const) {
    const told = { hook_event_name: event, session_id: 's', tool_name: 'run_shell_command', tool_use_id: 'm', tool_input: input }
    assert.equal((await openRoom(masking()).answer(name, event, told)).decision, decision)
  }
})

test('who is asked when a policy says ask is what the page tells of each client', async () => {
  for (const { name, members, events } of HOOK_CLIENTS) {
    let people = 0
    const ask: AskFn = async ({ verdict }) => {
      people++
      return { verdict: { ...verdict, decision: 'deny', reasonCode: 'human_denied' }, members: {} }
    }
    const before = Object.keys(events).find((one) => events[one] === 'before')
    const told = { [members.session![0]!]: 's', [members.tool![0]!]: 'Write', [members.input![0]!]: { path: 'a' }, tool_use_id: 'c' }
    const { decision } = await openRoom({ ...masking(), ask }).answer(name, before, told)
    assert.deepEqual([decision, people], HOOK_CELLS[name]!.ask === 'its user' ? ['ask', 0] : ['deny', 1], name)
  }
})

test('every client has a cell for each column of the page', () => {
  assert.deepEqual(Object.keys(HOOK_CELLS).toSorted(), HOOK_CLIENTS.map(({ name }) => name).toSorted())
})

test('where the client cannot ask its user, the people of the room are asked; without any the call is refused', async () => {
  const write = { hook_event_name: 'PreToolUse', session_id: 's', tool_name: 'Write', tool_input: { path: 'a' }, tool_use_id: 'c' }
  const people =
    (decision: 'allow' | 'deny', reasonCode: string): AskFn =>
    async ({ verdict }, record) => {
      assert.equal(await record({ event_type: 'approval_requested', decision: 'ask', tool: 'Write' }), true)
      return { verdict: { ...verdict, decision, reasonCode }, members: { human_decision: { approved: decision === 'allow' } } }
    }
  for (const [ask, decision, reason] of [
    [people('allow', 'human_approved'), 'none', 'human_approved'],
    [people('deny', 'human_denied'), 'deny', 'human_denied'],
    [undefined, 'deny', 'approval_unavailable'],
  ] as const) {
    const room = openRoom({ ...masking(), ...(ask && { ask }) })
    assert.equal((await room.answer('codex', undefined, write)).decision, decision)
    assert.equal(room.port.events().find(({ event_type: type }) => type === 'authorization_decision')?.reason_code, reason)
  }
  const room = openRoom({ ...masking(), ask: people('allow', 'human_approved') })
  assert.equal((await room.answer('claude-code', undefined, write)).decision, 'ask', 'a client that asks its own user does so')
})

test('calls without an id end in the order in which equal ones began, whatever came between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ command: fc.constantFrom('a', 'b'), ends: fc.boolean() }), { maxLength: 14 }), async (steps) => {
      const room = openRoom()
      const open: Record<string, string[]> = { a: [], b: [] }
      for (const { command, ends } of steps) {
        const call = { session_id: 's', tool_name: 'run_shell_command', tool_input: { command } }
        await room.answer('gemini', ends ? 'AfterTool' : 'BeforeTool', { ...call, tool_response: { llmContent: command } })
        const { correlation_id: id, event_type: type, metadata } = room.port.events().at(-1)!
        if (!ends) open[command]!.push(String(id))
        else if (open[command]!.length > 0) assert.equal(id, open[command]!.shift())
        else assert.deepEqual([type, (metadata as { unmatched: boolean }).unmatched], ['tool_call_end', true])
      }
    }),
    { numRuns: 15, seed: 7 },
  )
})

test('of several processes that look for one call exactly one finds it', () => {
  const { folder } = openRoom()
  const processes = Array.from({ length: 4 }, () => openCallsIn(folder))
  const ref = (n: number) => `0190000${n}-0000-7000-8000-000000000000`
  for (const n of [1, 2, 3]) processes[n]!.add('key', { ref: ref(n), tool: 't', session: 's', startedAt: n })
  const taken = processes.map((calls) => calls.take('s', 'key')?.ref)
  assert.deepEqual(taken, [ref(1), ref(2), ref(3), undefined])
})

for (const [where, calls] of [
  ['in files', undefined],
  ['in memory', heldCalls()],
] as const) {
  test(`${where}: a call is open while its decision is on its way, and is open no more where that is not on disk`, async () => {
    const room = openRoom(calls && { calls })
    const spawn = (id: string) => ({ session_id: 's', tool_name: 'Agent', tool_input: { prompt: 'x' }, tool_use_id: id })
    const begin = (id: string) => room.answer('claude-code', 'PreToolUse', spawn(id))
    await begin('c-1')
    const openNow = () => {
      let count = 0
      room.calls.takeAll('s', () => {
        count++
        return false
      })
      return count
    }
    room.port.hold()
    const underWay = begin('c-2')
    while (openNow() === 1) await new Promise(setImmediate)
    assert.equal(room.port.events().at(-1)?.event_type, 'authorization_decision')
    room.port.release()
    await underWay
    for (const code of ['APPEND_REFUSED', 'APPEND_UNKNOWN'] as const) {
      room.port.fail = new SwornError(code, 'the disk is full')
      assert.equal((await begin('c-3')).decision, 'deny')
      assert.equal(openNow(), 2)
    }
    room.port.fail = undefined
    const started = room.port.events().filter(({ event_type }) => event_type === 'tool_call_start')
    for (const agent of ['a', 'b', 'c']) room.calls.link('s', agent)
    assert.deepEqual(
      ['a', 'b', 'c'].map((agent) => room.calls.parentOf('s', agent)?.ref),
      [...started.map(({ correlation_id }) => correlation_id), undefined],
    )
  })
}

test('where what was found in its arguments cannot be recorded, a call is open no more', async () => {
  const room = openRoom()
  const { recorder } = room
  const record: typeof recorder.record = (event, wish) =>
    event.event_type === 'dlp_match' ? Promise.reject(new SwornError('APPEND_REFUSED', 'the disk is full')) : recorder.record(event, wish)
  const client = findHookClient('claude-code')!
  const payload = { session_id: 's', tool_name: 'Bash', tool_input: { command: 'AKIA0123456789ABCDEF' } }
  const hook = readHook(client, Buffer.from(JSON.stringify(payload)), 'PreToolUse')
  await assert.rejects(answerHook(client, hook, { ...room, recorder: { ...recorder, record } }), (e) => SwornError.is(e, 'APPEND_REFUSED'))
  assert.deepEqual(
    room.calls.takeAll('s', () => true),
    [],
  )
})

test('a subagent that starts when the call that began it is over is linked to it, each to its own', async () => {
  const room = openRoom()
  const spawn = (call: string) => ({ session_id: 's', tool_name: 'Agent', tool_input: { prompt: call }, tool_use_id: call })
  const tell = (event: string, members: object) => room.answer('claude-code', event, { session_id: 's', ...members })
  for (const call of ['c-1', 'c-2', 'c-3']) await tell('PreToolUse', spawn(call))
  const refs = room.port
    .events()
    .filter(({ event_type }) => event_type === 'tool_call_start')
    .map((event) => event.correlation_id)
  await tell('PostToolUse', { ...spawn('c-2'), tool_response: { isAsync: true, agentId: 'a-2' } })
  await tell('PostToolUse', { ...spawn('c-1'), tool_response: { isAsync: true } })
  for (const agent of ['a-1', 'a-2', 'a-3']) await tell('SubagentStart', { agent_id: agent, agent_type: 'Explore' })
  const started = room.port.events().filter(({ event_type }) => event_type === 'subagent_start')
  assert.deepEqual(
    started.map(({ parent_id }) => parent_id),
    refs,
  )
})

for (const [where, calls] of [
  ['in files', undefined],
  ['in memory', heldCalls()],
] as const) {
  test(`${where}: subagents within subagents name the call that began them, and who made it`, async () => {
    const room = openRoom(calls && { calls })
    const tell = (event: string, members: object) => room.answer('claude-code', event, { session_id: 's', ...members })
    const of = (agent: string | undefined) => (agent === undefined ? {} : { agent_id: agent, agent_type: 'Explore' })
    const line = [undefined, 'a-1', 'a-2', 'a-3']
    for (const [n, agent] of line.slice(1).entries()) {
      await tell('PreToolUse', { ...of(line[n]), tool_name: 'Agent', tool_input: { prompt: 'go' }, tool_use_id: `c-${n}` })
      await tell('SubagentStart', of(agent))
    }
    await tell('PreToolUse', { ...of('a-3'), tool_name: 'Bash', tool_input: { command: 'ls' }, tool_use_id: 'c-9' })
    const events = room.port.events()
    const began = events.filter(({ tool, event_type }) => tool === 'Agent' && event_type === 'tool_call_start')
    const about = (type: string) => events.filter(({ event_type }) => event_type === type)
    const links = (one: Readonly<Record<string, unknown>>) => [
      one.agent_id,
      (one.agent as { parent_agent_id?: string }).parent_agent_id,
      one.parent_id,
    ]
    assert.deepEqual(about('subagent_start').map(links), [
      ['a-1', 'claude-code', began[0]?.correlation_id],
      ['a-2', 'a-1', began[1]?.correlation_id],
      ['a-3', 'a-2', began[2]?.correlation_id],
    ])
    assert.deepEqual(links(about('tool_call_start').at(-1)!), ['a-3', 'a-2', began[2]?.correlation_id])
  })
}

test('a session holds at most 1,000 open calls: the oldest is given up; what is older than a week is ended', () => {
  const { folder } = openRoom()
  const calls = openCallsIn(folder)
  const ref = (n: number) => `${String(n).padStart(8, '0')}-0000-7000-8000-000000000000`
  const evicted = Array.from({ length: 1002 }, (_, n) => calls.add(`k${n}`, { ref: ref(n), tool: 't', session: 's', startedAt: n })?.ref)
  assert.deepEqual(evicted.filter(Boolean), [ref(0), ref(1)])
  assert.deepEqual(calls.takeLost(), [])
  const later = openCallsIn(folder, () => Date.now() + 8 * 24 * 3_600_000)
  assert.equal(later.takeLost().length, 1000)
  assert.deepEqual(readdirSync(folder), [])
})

test('payloads that are none are refused with what was expected, and no value', () => {
  const client = findHookClient('claude-code')!
  const bad: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['', undefined, /EVENT_INVALID|expected/],
    ['[1]', 'Stop', /an object was expected/],
    ['{}', undefined, /an event of claude-code was expected/],
    ['{"hook_event_name":"Stop"}', 'PreToolUse', /the event that the command line names/],
    ['{"hook_event_name":"constructor"}', undefined, /an event of claude-code/],
    ['{"tool_name":5}', 'PreToolUse', /.*/],
    ['{}', 'PreToolUse', /the name of a tool/],
    [`{"tool_name":"${'s3cret'.repeat(200)}"}`, 'PreToolUse', /the name of a tool/],
    ['{"tool_name":"a","tool_name":"b"}', 'PreToolUse', /.+/],
    [`${'['.repeat(300)}${']'.repeat(300)}`, 'Stop', /.+/],
  ]
  for (const [text, event, expected] of bad.filter(([text]) => text !== '{"tool_name":5}'))
    assert.throws(
      () => readHook(client, Buffer.from(text), event),
      (e: Error) => expected.test(e.message) && !e.message.includes('s3cret'),
      text.slice(0, 40),
    )
})

test('any JSON object is a hook or is refused; what is read keeps its bounds', () => {
  fc.assert(
    fc.property(fc.constantFrom(...HOOK_CLIENTS), fc.jsonValue(), fc.jsonValue(), (client, a, b) => {
      const [event = ''] = Object.keys(client.events)
      const members = Object.values(client.members).flatMap((names) => names.map((name) => name.split('.')[0]!))
      const payload = Object.fromEntries(members.map((name, n) => [name, n % 2 ? a : b]))
      const hook = readHook(client, Buffer.from(JSON.stringify(payload)), event)
      assert.ok((hook.session ?? '').length <= 1024 && typeof (hook.session ?? '') === 'string')
    }),
    { numRuns: 200, seed: 7 },
  )
})
