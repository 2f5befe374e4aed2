/** `claudeHooks`: by the hooks that Claude Code was seen to send, with the SDK and the agent itself: claude-agent-sdk.test.ts. @module */
import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecorder } from 'sworn'
import { claudeHooks, claudePermissions } from 'sworn/instrument'
import { temporary } from './support/io.ts'

const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: inside}
spec:
  allowed_tools: [Bash, Read, Agent]
  tool_rules: [{tool: Write, action: ask}]
  dlp:
    scan_requests: true
    patterns: [{name: AWS Key, regex: "AKIA[A-Z0-9]{16}"}]
`

type Entry = Readonly<Record<string, unknown>>

async function openWithPolicy() {
  const folder = temporary()
  writeFileSync(join(folder, 'agent.yaml'), POLICY)
  const path = join(folder, 'audit')
  const recorder = await openRecorder({ path, policy: join(folder, 'agent.yaml') })
  const hooks = claudeHooks(recorder)
  return {
    hooks,
    recorder,
    folder,
    tell: (event: string, input: object) => hooks[event]![0]!.hooks[0]!({ session_id: 's', hook_event_name: event, ...input }),
    async entries(): Promise<readonly Entry[]> {
      await recorder.close()
      const files = globSync('**/*.jsonl', { cwd: path }).toSorted()
      return files.flatMap((file) => readFileSync(join(path, file), 'utf8').trim().split('\n')).map((line) => JSON.parse(line))
    },
  }
}

const bash = (id: string, command: string) => ({ tool_name: 'Bash', tool_input: { command }, tool_use_id: id })
const wordsOf = (entries: readonly Entry[]) =>
  entries
    .filter(({ event_type }) => !/^(log|instrumentation|policy|config)/.test(String(event_type)))
    .map(({ event_type, decision, reason_code, error_type }) =>
      [event_type, decision, decision === 'deny' ? reason_code : error_type].filter(Boolean).join(' '),
    )

test('tools are judged and recorded, denials and questions are told in the SDK’s words', async () => {
  const { tell, entries } = await openWithPolicy()
  assert.deepEqual(await tell('UserPromptSubmit', { prompt: 'go' }), {})
  assert.deepEqual(await tell('PreToolUse', bash('c-1', 'echo')), {})
  assert.deepEqual(await tell('PostToolUse', { ...bash('c-1', 'echo'), tool_response: 'ok', duration_ms: 3 }), {})
  const fetched = await tell('PreToolUse', { tool_name: 'WebFetch', tool_input: { url: 'https://example.com/' }, tool_use_id: 'c-2' })
  assert.equal(fetched.hookSpecificOutput?.permissionDecision, 'deny')
  assert.match(fetched.hookSpecificOutput?.permissionDecisionReason ?? '', /tool_not_allowed/)
  const written = await tell('PreToolUse', { tool_name: 'Write', tool_input: { file_path: 'x', content: 'x' }, tool_use_id: 'c-3' })
  assert.equal(written.hookSpecificOutput?.permissionDecision, 'ask')
  assert.deepEqual(await tell('Stop', {}), {})
  assert.deepEqual(wordsOf(await entries()), [
    'user_prompt',
    'authorization_decision allow',
    'tool_call_start',
    'tool_call_end',
    'authorization_decision deny tool_not_allowed',
    'approval_requested ask',
    'authorization_decision allow',
    'tool_call_start',
    'tool_call_error outcome_unknown',
    'turn_end',
  ])
})

test('what canUseTool denies ends as denied, once; what it allows goes on, and what it throws passes', async () => {
  const { recorder, tell, entries } = await openWithPolicy()
  const canUseTool = claudePermissions(recorder, async (_tool: string, { command }: Record<string, unknown>, _: { toolUseID: string }) => {
    if (command === 'throw') throw new RangeError('asked in vain')
    return command === 'rm' ? { behavior: 'deny', message: 'no' } : { behavior: 'allow' }
  })
  for (const [id, command] of [['c-1', 'rm'] as const, ['c-2', 'ls'] as const, ['c-3', 'throw'] as const])
    await tell('PreToolUse', bash(id, command))
  await tell('PermissionRequest', bash('c-1', 'rm')) // comes before the callback is asked
  assert.deepEqual(await canUseTool('Bash', { command: 'rm' }, { toolUseID: 'c-1' }), { behavior: 'deny', message: 'no' })
  assert.deepEqual(await canUseTool('Bash', { command: 'ls' }, { toolUseID: 'c-2' }), { behavior: 'allow' })
  await assert.rejects(canUseTool('Bash', { command: 'throw' }, { toolUseID: 'c-3' }), RangeError)
  assert.equal((await canUseTool('Bash', { command: 'rm' }, { toolUseID: 'unheard of' })).behavior, 'deny')
  await tell('PostToolUse', { ...bash('c-2', 'ls'), tool_response: 'ok' })
  await tell('Stop', {})
  assert.deepEqual(
    wordsOf(await entries()).filter((word) => /_(end|error)/.test(word)),
    ['tool_call_error denied', 'tool_call_end', 'tool_call_error outcome_unknown', 'turn_end'],
  )
})

test('a secret in the arguments refuses the call, and stands nowhere', async () => {
  const { tell, entries } = await openWithPolicy()
  const reply = await tell('PreToolUse', bash('c-1', 'echo AKIAQYLPMN5HHHFPZAM2'))
  assert.match(reply.hookSpecificOutput?.permissionDecisionReason ?? '', /dlp_blocked/)
  assert.doesNotMatch(JSON.stringify([reply, await entries()]), /AKIAQYLPMN5HHHFPZAM2/)
})

test('parallel calls, and calls of a subagent, are told apart', async () => {
  const { tell, entries } = await openWithPolicy()
  const spawn = { tool_name: 'Agent', tool_input: { prompt: 'x' }, tool_use_id: 'c-0' }
  await tell('PreToolUse', spawn)
  await tell('SubagentStart', { agent_id: 'a-1', agent_type: 'Explore' })
  await Promise.all(['c-1', 'c-2', 'c-3'].map((id) => tell('PreToolUse', { ...bash(id, `echo ${id}`), agent_id: 'a-1' })))
  await Promise.all(
    ['c-3', 'c-1', 'c-2'].map((id) => tell('PostToolUse', { ...bash(id, `echo ${id}`), agent_id: 'a-1', tool_response: id })),
  )
  await tell('PostToolUse', { ...spawn, tool_response: 'done' })
  const recorded = await entries()
  const ends = recorded.filter(({ event_type, tool }) => event_type === 'tool_call_end' && tool === 'Bash')
  const startOf = (end: Entry) => recorded.find((one) => one.event_type === 'tool_call_start' && one.correlation_id === end.correlation_id)
  assert.deepEqual(
    ends.map((end) => [(startOf(end)?.arguments as { command: string } | undefined)?.command, end.result]).toSorted(),
    ['c-1', 'c-2', 'c-3'].map((id) => [`echo ${id}`, id]),
  )
  const begun = recorded.find(({ tool }) => tool === 'Agent')
  assert.ok(ends.every(({ parent_id, agent_id }) => parent_id === begun?.correlation_id && agent_id === 'a-1'))
})

test('hooks that are given twice record a call once, and refuse it twice', async () => {
  const { recorder, hooks, tell, entries } = await openWithPolicy()
  const again = claudeHooks(recorder)
  const both = (event: string, input: object) =>
    Promise.all([
      tell(event, input),
      again[event]![0]!.hooks[0]!({ session_id: 's', hook_event_name: event, ...input }),
      hooks[event]![0]!.hooks[0]!({ session_id: 's-2', hook_event_name: event, ...input }), // of another session
    ])
  await both('PreToolUse', bash('c-1', 'echo'))
  await both('PostToolUse', { ...bash('c-1', 'echo'), tool_response: 'ok' })
  const replies = await both('PreToolUse', { tool_name: 'WebFetch', tool_input: { url: 'https://example.com/' }, tool_use_id: 'c-2' })
  assert.ok(replies.every(({ hookSpecificOutput }) => hookSpecificOutput?.permissionDecision === 'deny'))
  assert.deepEqual(
    wordsOf(await entries()).toSorted(),
    ['authorization_decision allow', 'authorization_decision deny tool_not_allowed', 'tool_call_end', 'tool_call_start']
      .flatMap((word) => [word, word])
      .toSorted(),
  )
})

test('what is no hook, or is not JSON, refuses a call and throws nothing', async () => {
  const { hooks, tell, entries } = await openWithPolicy()
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const [n, input] of [circle, { command: 10n }].entries()) {
    const reply = await tell('PreToolUse', { tool_name: 'Bash', tool_input: input, tool_use_id: `c-${n}` })
    assert.equal(reply.hookSpecificOutput?.permissionDecision, 'deny')
  }
  for (const input of [undefined, null, 'x', { hook_event_name: 'Nothing' }]) assert.deepEqual(await hooks.Stop![0]!.hooks[0]!(input), {})
  const blocked = (await entries()).filter(({ event_type }) => event_type === 'method_blocked')
  assert.deepEqual(
    blocked.map(({ decision, reason_code }) => [decision, reason_code]),
    Array(2).fill(['deny', 'malformed_request']),
  )
})
