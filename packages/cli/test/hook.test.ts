/** `sworn hook`: a coding agent's session on a real ledger, and what is said when there is none. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOOK_CLIENTS } from '@sworn/proxy/hooks'
import { later } from '../../../testkit/src/suite.ts'
import { sworn, temporary } from './support/io.ts'
import { end, recorderOf, runProcess } from './support/process.ts'

interface HookVector {
  readonly event: string
  readonly payload: object
}
const vectors = (client: string): readonly HookVector[] =>
  JSON.parse(readFileSync(new URL(`../../../vectors/hooks/${client}.json`, import.meta.url), 'utf8')).hooks

const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [Bash], tool_rules: [{tool: Write, action: ask}]}\n'

function place() {
  const cwd = temporary()
  writeFileSync(join(cwd, 'agent.yaml'), POLICY)
  const home = temporary()
  return {
    cwd,
    home,
    hook: (event: string, payload: object | string, ...flags: string[]) =>
      sworn(['hook', 'claude-code', event, ...flags], {
        cwd,
        home,
        stdin: typeof payload === 'string' ? payload : JSON.stringify({ session_id: 's-1', ...payload }),
      }),
    async entries(): Promise<Record<string, unknown>[]> {
      const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], { cwd, home })
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
  }
}
const bash = (call: string) => ({ tool_name: 'Bash', tool_input: { command: 'echo hi' }, tool_use_id: call })
const decisionOf = (out: string) => JSON.parse(out).hookSpecificOutput

test("a session: decided before, ended after, refused in the client's own words, and verified", { timeout: 120_000 }, async () => {
  const here = place()
  const policy = ['--policy', 'agent.yaml']
  assert.deepEqual(await here.hook('SessionStart', { source: 'startup' }, ...policy), { code: 0, out: '', err: '' })
  assert.deepEqual(await here.hook('PreToolUse', bash('c-1'), ...policy), { code: 0, out: '', err: '' })
  assert.equal((await here.entries()).at(-1)?.event_type !== 'session_start', true)
  assert.deepEqual(await here.hook('PostToolUse', { ...bash('c-1'), tool_response: { stdout: 'hi' } }, ...policy), {
    code: 0,
    out: '',
    err: '',
  })
  const refused = await here.hook('PreToolUse', { tool_name: 'WebFetch', tool_input: { url: 'x' }, tool_use_id: 'c-2' }, ...policy)
  assert.equal(refused.code, 0)
  assert.deepEqual(decisionOf(refused.out), {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason: 'sworn refused this call (tool_not_allowed): Tool not in allowed_tools list',
  })
  const asked = await here.hook('PreToolUse', { tool_name: 'Write', tool_input: { file_path: 'a' }, tool_use_id: 'c-3' }, ...policy)
  assert.equal(decisionOf(asked.out).permissionDecision, 'ask')
  assert.equal((await here.hook('SessionEnd', { reason: 'other' }, ...policy)).code, 0)
  const entries = (await here.entries()).filter(({ session_id }) => session_id === 's-1')
  const [decision, start, end] = entries.filter(({ metadata }) => (metadata as { call_id?: string })?.call_id === 'c-1')
  assert.deepEqual(
    [decision, start, end].map((entry) => [entry?.event_type, entry?.decision, entry?.user_source]),
    [
      ['authorization_decision', 'allow', 'os'],
      ['tool_call_start', undefined, 'os'],
      ['tool_call_end', undefined, 'os'],
    ],
  )
  assert.equal(new Set([decision, start, end].map((entry) => entry?.correlation_id)).size, 1)
  const last = entries.at(-1)?.metadata as { stats: object }
  assert.deepEqual(last.stats, { allowed: 1, denied: 1, approvals: 1, dlp_blocked: 0, outcome_unknown: 1 })
  assert.equal((await sworn(['verify', '--require', 'complete'], here)).code, 0)
})

test('a call that nobody saw end is no failure: the report and the tree say that its outcome is unknown', {
  timeout: 120_000,
}, async () => {
  const here = place()
  await here.hook('PreToolUse', { tool_name: 'Write', tool_input: { file_path: 'a' }, tool_use_id: 'c-1' }, '--policy', 'agent.yaml')
  await here.hook('Stop', {}, '--policy', 'agent.yaml')
  const { calls } = JSON.parse((await sworn(['report', '--json'], here)).out)
  assert.deepEqual([calls.allowed, calls.failed, calls.outcome_unknown], [1, 0, 1])
  assert.match((await sworn(['query', '--session', 's-1'], here)).out, /Write {2}ALLOW matched_rule {2}outcome unknown/)
})

test('a call that a model asked for and no hook told is found by doctor and by the report', { timeout: 120_000 }, async () => {
  const here = place()
  const announced = (id: string) => ({
    ...{ event_type: 'model_response', session_id: 's-1', model: 'm' },
    result: { tool_calls: [{ id, name: 'Bash', arguments: { command: 'echo hi' } }] },
  })
  const record = (event: object) => sworn(['record'], { ...here, stdin: `${JSON.stringify(event)}\n` })
  await record(announced('c-1'))
  await here.hook('PreToolUse', bash('c-1'), '--policy', 'agent.yaml')
  await here.hook('PostToolUse', { ...bash('c-1'), tool_response: {} }, '--policy', 'agent.yaml')
  assert.match((await sworn(['doctor'], here)).out, /ok +coverage +of the newest \d+ entries: 0 calls that a model asked for/)
  await record(announced('c-2'))
  await here.hook('SessionEnd', {}, '--policy', 'agent.yaml')
  const { code, out } = await sworn(['doctor'], here)
  assert.equal(code, 1)
  assert.match(
    out,
    /WRONG +coverage .*: 1 calls that a model asked for are not recorded, the last Bash at seq \d+; 0 calls have no outcome/,
  )
  const { coverage } = JSON.parse((await sworn(['report', '--json'], here)).out)
  assert.deepEqual([coverage.unseen.announced_not_recorded, coverage.unseen.no_outcome], [1, 0])
})

test('what a hook and the proxy see of one call is one call', { timeout: 120_000 }, async () => {
  const here = place()
  const mcp = { tool_name: 'mcp__files__read', tool_input: { path: 'a' }, tool_use_id: 'c-1' }
  const proxy = {
    tool: 'read',
    server: 'files',
    session_id: 'p-1',
    correlation_id: 'p-c',
    source: { kind: 'mcp_stdio', name: 'sworn-proxy' },
  }
  const seen = [
    { ...proxy, event_type: 'authorization_decision', decision: 'allow', arguments: { path: 'a' } },
    { ...proxy, event_type: 'tool_call_start', arguments: { path: 'a' } },
    { ...proxy, event_type: 'tool_call_end', result: 'x', duration_ms: 3 },
  ]
  await here.hook('PreToolUse', mcp)
  await sworn(['record'], { ...here, stdin: seen.map((event) => `${JSON.stringify(event)}\n`).join('') })
  await here.hook('PostToolUse', { ...mcp, tool_response: 'x' })
  const { calls } = JSON.parse((await sworn(['report', '--json'], here)).out)
  assert.deepEqual([calls.allowed, calls.ok, calls.outcome_unknown], [1, 1, 0])
  const { out } = await sworn(['query', '--format', 'tree'], here)
  assert.equal(out.split('\n').filter((line) => line.includes('read')).length, 1, out)
})

test('what every client sends leaves a ledger that verifies', { timeout: 240_000, skip: later }, async () => {
  const here = place()
  for (const { name, events } of HOOK_CLIENTS)
    for (const { event, payload } of vectors(name)) {
      const { code, err } = await sworn(['hook', name, event], { ...here, stdin: JSON.stringify(payload) })
      assert.deepEqual([code, events[event] === 'session_start' ? '' : err], [0, ''], `${name} ${event}`)
    }
  assert.equal((await sworn(['verify', '--require', 'complete'], here)).code, 0)
})

test('without a policy it is recorded, nothing is refused, and that is said once a session', async () => {
  const here = place()
  assert.match((await here.hook('SessionStart', {})).err, /^sworn: no policy: everything is recorded, nothing is refused\n$/)
  assert.deepEqual(await here.hook('PreToolUse', bash('c-1')), { code: 0, out: '', err: '' })
})

/** What keeps a hook from its work -> how it is brought about, and what stderr names. */
const broken: readonly (readonly [string, (here: ReturnType<typeof place>) => readonly string[], RegExp])[] = [
  ['a ledger that is none', () => ['--audit-log', 'agent.yaml'], /LEDGER_DETACHED/],
  ['a configuration that is missing', () => ['--config', 'missing.yaml'], /CONFIG_INVALID/],
  [
    'a ledger whose folder cannot be made',
    ({ cwd }) => {
      writeFileSync(join(cwd, 'file'), '')
      return ['--audit-log', 'file/audit']
    },
    /IO_FAILED|LEDGER_/,
  ],
]
for (const [what, flags, named] of broken) {
  test(`${what}: a call is refused and the agent is told why; other hooks fail without stopping anything`, async () => {
    const here = place()
    const before = await here.hook('PreToolUse', bash('c-1'), ...flags(here))
    assert.equal(before.code, 0)
    assert.match(before.err, named)
    assert.equal(decisionOf(before.out).permissionDecision, 'deny')
    assert.match(decisionOf(before.out).permissionDecisionReason, /^sworn refused this call \(audit_unavailable\)/)
    for (const event of ['PostToolUse', 'Stop', 'SessionEnd', 'UserPromptSubmit']) {
      const after = await here.hook(event, bash('c-1'), ...flags(here))
      assert.deepEqual([after.code, after.out], [1, ''], event)
      assert.match(after.err, named)
    }
  })
}

test('with on_audit_failure: continue what cannot be recorded goes on, and that is said', async () => {
  const here = place()
  writeFileSync(join(here.home, 'sworn.yaml'), 'audit:\n  on_audit_failure: continue\n')
  const before = await here.hook('PreToolUse', bash('c-1'), '--audit-log', 'agent.yaml')
  assert.deepEqual([before.code, before.out], [3, ''])
  assert.match(before.err, /^error: LEDGER_DETACHED .*\nhint: /)
})

test('a payload that cannot be read refuses the call when the command line names the hook, and is exit 2 when nothing does', async () => {
  const here = place()
  const before = await here.hook('PreToolUse', '{"tool_name":')
  assert.match(decisionOf(before.out).permissionDecisionReason, /^sworn refused this call \(malformed_request\): JSON was expected$/)
  assert.deepEqual([before.code, before.err.split('\n')[0]], [0, 'error: EVENT_INVALID JSON was expected'])
  assert.equal((await here.hook('Stop', '{"tool_name":')).code, 1)
  assert.equal((await sworn(['hook', 'claude-code'], { ...here, stdin: '{' })).code, 2)
  const [blocked, gap, ...more] = (await here.entries()).filter(({ source }) => (source as { kind?: string } | undefined)?.kind === 'hook')
  assert.deepEqual(
    [blocked?.event_type, blocked?.decision, blocked?.reason_code, blocked?.metadata],
    ['method_blocked', 'deny', 'malformed_request', { hook: 'PreToolUse' }],
  )
  assert.deepEqual(
    [gap?.event_type, gap?.metadata],
    ['observation_gap', { hook: 'Stop', reason: 'payload_unreadable', detail: 'JSON was expected' }],
  )
  assert.deepEqual(more, [])
})

test('arguments that cannot be read are refused with on_audit_failure: continue too: nobody could judge them', async () => {
  const here = place()
  writeFileSync(join(here.home, 'sworn.yaml'), 'audit:\n  on_audit_failure: continue\n')
  const half = '{"tool_name":"WebFetch","tool_input":{"url":"x\\ud800"}}'
  for (const flags of [
    ['--policy', 'agent.yaml'],
    ['--audit-log', 'agent.yaml'],
  ]) {
    const { code, out } = await here.hook('PreToolUse', half, ...flags)
    assert.deepEqual([code, decisionOf(out).permissionDecision], [0, 'deny'])
  }
})

test('an output that was cut within an emoji ends its call: the half is replaced, and the entry says so', async () => {
  const here = place()
  await here.hook('PreToolUse', bash('c-1'))
  const { code, err } = await here.hook('PostToolUse', { ...bash('c-1'), tool_response: { stdout: `cut here \ud83d` } })
  assert.deepEqual([code, err], [0, ''])
  const end = (await here.entries()).find(({ event_type }) => event_type === 'tool_call_end')
  assert.match(JSON.stringify(end?.result), /cut here \ufffd/)
})

test('a policy that does not hold refuses every call', async () => {
  const here = place()
  const { out } = await here.hook('PreToolUse', bash('c-1'), '--policy', 'missing.yaml')
  assert.match(decisionOf(out).permissionDecisionReason, /policy_invalid/)
})

test('where the client cannot ask its user, the people of this machine are asked by a dialog, and their word counts', async () => {
  for (const [exit, reason] of [
    [0, 'human_approved'],
    [1, 'human_denied'],
  ] as const) {
    const here = place()
    const bin = temporary()
    writeFileSync(join(bin, 'zenity'), `#!/bin/sh\nexit ${exit}\n`, { mode: 0o755 })
    const write = { session_id: 's-1', tool_name: 'Write', tool_input: { file_path: 'a' }, tool_use_id: 'c-1' }
    const { code, out } = await sworn(['hook', 'codex', 'PreToolUse', '--policy', 'agent.yaml'], {
      ...here,
      stdin: JSON.stringify(write),
      io: { env: { SWORN_HOME: here.home, PATH: `${bin}:/usr/bin:/bin`, DISPLAY: ':0' }, now: Date.now },
    })
    assert.deepEqual([code, out === ''], [0, exit === 0])
    if (exit === 1) assert.match(decisionOf(out).permissionDecisionReason, /human_denied/)
    const decision = (await here.entries()).find(({ event_type }) => event_type === 'authorization_decision')
    assert.equal(decision?.reason_code, reason)
    assert.match(JSON.stringify(decision?.human_decision), /"channel":"dialog"/)
  }
})

test('the agent may not write the ledger, and the attempt is on record', async () => {
  const here = place()
  const payload = { tool_name: 'Bash', tool_input: { command: `rm -rf ${join(here.cwd, 'audit')}` }, tool_use_id: 'c-1' }
  assert.equal(decisionOf((await here.hook('PreToolUse', payload)).out).permissionDecision, 'deny')
  assert.ok((await here.entries()).some(({ event_type }) => event_type === 'config_tampered'))
})

test('of a prompt the configuration may keep a keyed hash alone', async () => {
  const here = place()
  writeFileSync(join(here.home, 'sworn.yaml'), 'audit:\n  redact:\n    - { path: metadata.prompt, action: hash }\n')
  await here.hook('UserPromptSubmit', { prompt: 'my secret plan' })
  const [prompt] = (await here.entries()).filter(({ event_type }) => event_type === 'user_prompt')
  assert.match((prompt!.metadata as { prompt: string }).prompt, /hmac-sha256:[0-9a-f]{64}/)
  assert.ok(!JSON.stringify(await here.entries()).includes('secret plan'))
})

test('the agent may not take its own hooks out, nor reach the ledger from the folder that it is in', async () => {
  const here = place()
  const settings = join(here.home, '.claude', 'settings.json')
  await sworn(['install', 'claude-code', '--yes'], here)
  const edit = { tool_name: 'Edit', tool_input: { file_path: settings, old_string: 'a', new_string: 'b' }, tool_use_id: 'c-1' }
  assert.equal(decisionOf((await here.hook('PreToolUse', edit)).out).permissionDecision, 'deny')
  const rm = { tool_name: 'Bash', tool_input: { command: 'rm -rf audit' }, tool_use_id: 'c-2' }
  assert.equal(decisionOf((await here.hook('PreToolUse', { ...rm, cwd: here.cwd })).out).permissionDecision, 'deny')
  assert.equal((await here.hook('PreToolUse', { ...rm, cwd: temporary() })).out, '')
})

test('hooks of one agent at once, in processes of their own: one chain, each call decided once and ended once, no process left', {
  timeout: 120_000,
  skip: later,
}, async () => {
  const here = place()
  const calls = Array.from({ length: 6 }, (_, n) => `c-${n}`)
  const run = (event: string, call: string) =>
    runProcess(['hook', 'claude-code', event, '--policy', 'agent.yaml'], here, JSON.stringify({ session_id: 's-1', ...bash(call) }))
  for (const event of ['PreToolUse', 'PostToolUse'])
    for (const ran of await Promise.all((event === 'PreToolUse' ? calls : calls.toReversed()).map((call) => run(event, call))))
      assert.deepEqual(ran, { code: 0, out: '', err: '' })
  assert.notEqual(recorderOf(join(here.cwd, 'audit')), undefined, 'a recorder was started and stays for the next hook')
  await end(['recorder', join(here.cwd, 'audit')]) // the one that records, and one that was faster to answer hooks
  const entries = (await here.entries()).filter(({ session_id }) => session_id === 's-1')
  const byCall = Map.groupBy(entries, ({ correlation_id }) => correlation_id)
  assert.equal(byCall.size, calls.length)
  for (const records of byCall.values())
    assert.deepEqual(
      records.map(({ event_type }) => event_type),
      ['authorization_decision', 'tool_call_start', 'tool_call_end'],
    )
  assert.equal((await sworn(['verify', '--require', 'complete'], here)).code, 0)
})
