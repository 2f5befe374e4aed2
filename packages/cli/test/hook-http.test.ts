/** Hooks over HTTP at `sworn serve`, and the configuration of a client that asks there. @module */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findHookClient } from '@sworn/proxy/hooks'
import { findHooks } from '../src/agents/edit.ts'
import { sworn, temporary } from './support/io.ts'
import { startProcess } from './support/process.ts'

const POLICY = 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [Bash]}\n'
const VECTORS: readonly { readonly event: string; readonly payload: object }[] = JSON.parse(
  readFileSync(new URL('../../../vectors/hooks/claude-code.json', import.meta.url), 'utf8'),
).hooks
const bash = { session_id: 's-1', tool_name: 'Bash', tool_input: { command: 'echo hi' }, tool_use_id: 'c-1' }

interface Asked {
  readonly status: number
  readonly body: unknown
}

async function serve(policy = POLICY) {
  const place = { cwd: temporary(), home: temporary() }
  writeFileSync(join(place.cwd, 'agent.yaml'), policy)
  const started = startProcess(['serve', 'audit', '--listen', '127.0.0.1:0', '--policy', 'agent.yaml'], place)
  let said = ''
  started.process.stderr.on('data', (text: string) => {
    said += text
  })
  await started.until('report.token')
  const url = /listening on (\S+)/.exec(said)?.[1] ?? ''
  const token = readFileSync(join(place.home, 'server', 'report.token'), 'utf8').trim()
  return {
    place,
    async ask(path: string, payload: object | string, { method = 'POST', bearer = token } = {}): Promise<Asked> {
      const body = method === 'GET' ? {} : { body: typeof payload === 'string' ? payload : JSON.stringify(payload) }
      const response = await fetch(new URL(path, url), { method, headers: { authorization: `Bearer ${bearer}` }, ...body })
      return { status: response.status, body: await response.json() }
    },
    async end(): Promise<Record<string, unknown>[]> {
      started.process.kill('SIGTERM')
      assert.equal(await started.code, 0, said)
      assert.equal((await sworn(['verify', '--require', 'complete'], place)).code, 0)
      const { out } = await sworn(['query', '--format', 'jsonl', '--limit', '1000'], place)
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
  }
}

test('what a client sends over HTTP is decided, recorded and answered as by the command', { timeout: 120_000 }, async () => {
  const { ask, end } = await serve()
  assert.deepEqual(await ask('/v1/hooks/claude-code/PreToolUse', bash), { status: 200, body: {} })
  assert.deepEqual(await ask('/v1/hooks/claude-code/PostToolUse', { ...bash, tool_response: {} }), { status: 200, body: {} })
  const { body } = await ask('/v1/hooks/claude-code/PreToolUse', { ...bash, tool_name: 'Write', tool_use_id: 'c-2' })
  assert.deepEqual(body, {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: 'sworn refused this call (tool_not_allowed): Tool not in allowed_tools list',
    },
  })
  for (const { event, payload } of VECTORS) assert.equal((await ask(`/v1/hooks/claude-code/${event}`, payload)).status, 200, event)
  for (const [path, options, status] of [
    ['/v1/hooks/claude-code/PreToolUse', { bearer: 'x'.repeat(32) }, 401],
    ['/v1/hooks/claude-code/PreToolUse', { method: 'GET' }, 405],
    ['/v1/hooks/nobody/PreToolUse', {}, 404],
    ['/v1/hooks/claude-code/Nothing', {}, 404],
  ] as const)
    assert.equal((await ask(path, bash, options)).status, status, path)
  const unread = (await ask('/v1/hooks/claude-code/PreToolUse', '{')).body
  assert.match(JSON.stringify(unread), /malformed_request/)
  for (const [event, payload] of [
    ['Stop', '{'],
    ['PostToolUse', {}],
    ['Stop', { ...bash, hook_event_name: 'PreToolUse' }],
  ] as const) {
    const { status, body: told } = await ask(`/v1/hooks/claude-code/${event}`, payload)
    assert.deepEqual([status, (told as { error: { code: string } }).error.code], [400, 'REQUEST_INVALID'])
  }
  const entries = (await end()).filter(({ session_id }) => session_id === 's-1')
  assert.deepEqual(
    entries.map(({ event_type: type, decision }) => [type, decision].filter(Boolean).join(' ')),
    ['authorization_decision allow', 'tool_call_start', 'tool_call_end', 'authorization_decision deny'],
  )
})

test('a policy that names a server judges the hooks of that server; a payload that is too long is refused, and on record', {
  timeout: 120_000,
}, async () => {
  const { ask, end } = await serve(POLICY.replace('{allowed_tools: [Bash]}', '{allowed_tools: [Bash], server: {enabled: true}}'))
  assert.deepEqual(await ask('/v1/hooks/claude-code/PreToolUse', bash), { status: 200, body: {} })
  const long = JSON.stringify({ ...bash, tool_input: { command: 'x'.repeat(16 << 20) } })
  assert.equal((await ask('/v1/hooks/claude-code/PreToolUse', long)).status, 413)
  assert.equal((await ask('/v1/hooks/claude-code/PreToolUse', bash, { bearer: 'x'.repeat(32) })).status, 401)
  const entries = await end()
  const blocked = entries.find(({ event_type: type }) => type === 'method_blocked')
  assert.match(JSON.stringify(blocked), /a body of at most 16777216 bytes was expected/)
  assert.partialDeepStrictEqual(
    entries.filter(({ event_type: type }) => type === 'auth_failure').map((entry) => entry.metadata),
    [{ endpoint: 'hooks', http_status: 401 }],
  )
})

test('install --server: the hooks ask there with its token, which is not shown, and go again byte for byte', async () => {
  const [home, cwd] = [temporary(), temporary()]
  const file = join(home, '.claude', 'settings.json')
  mkdirSync(join(home, '.claude'))
  writeFileSync(file, '{ "model": "opus" }\n', { mode: 0o600 })
  const install = ['install', 'claude-code', '--server', 'http://127.0.0.1:7710', '--yes']
  const { code, out, err } = await sworn(install, { home, cwd })
  assert.equal(code, 0, err)
  const token = readFileSync(join(home, 'server', 'report.token'), 'utf8').trim()
  assert.ok(!`${out}${err}`.includes(token))
  const { hooks } = JSON.parse(readFileSync(file, 'utf8'))
  const [before] = hooks.PreToolUse[0].hooks
  assert.deepEqual(
    [before.type, before.url, before.headers.Authorization, before.onFailure],
    ['http', 'http://127.0.0.1:7710/v1/hooks/claude-code/PreToolUse', `Bearer ${token}`, 'block'],
  )
  assert.equal(hooks.SessionStart[0].hooks[0].type, 'command')
  const events = Object.keys(findHookClient('claude-code')!.events)
  assert.deepEqual(findHooks(readFileSync(file, 'utf8'), file, 'claude-code', events), events)
  assert.match((await sworn(install, { home, cwd })).err, /nothing to change/)
  assert.equal((await sworn(['install', 'claude-code', '--yes'], { home, cwd })).code, 0)
  assert.ok(!readFileSync(file, 'utf8').includes(token), 'as commands again')
  await sworn(install, { home, cwd })
  assert.match((await sworn(['uninstall', 'claude-code'], { home, cwd })).out, /byte for byte/)
  assert.equal(readFileSync(file, 'utf8'), '{ "model": "opus" }\n')
})

test('install --server refuses a client without HTTP, other scopes, other machines and a file that others can read', async () => {
  const [home, cwd] = [temporary(), temporary()]
  const refused = async (...argv: string[]) => (await sworn(['install', ...argv, '--yes'], { home, cwd })).err
  const server = ['--server', 'http://127.0.0.1:7710']
  assert.match(await refused('codex', ...server), /runs hooks as commands only/)
  assert.match(await refused('mcp-client', ...server), /a coding agent was expected/)
  assert.match(await refused('claude-code', ...server, '--scope', 'project'), /a token stands in the file/)
  for (const url of ['https://127.0.0.1:7710', 'http://example.com', 'http://127.0.0.1:7710/x', 'there'])
    assert.match(await refused('claude-code', '--server', url), /an address of this machine/)
  assert.equal(existsSync(join(home, '.claude')), false)
  mkdirSync(join(home, '.claude'))
  writeFileSync(join(home, '.claude', 'settings.json'), '{}')
  chmodSync(join(home, '.claude', 'settings.json'), 0o644)
  assert.match(await refused('claude-code', ...server), /chmod 600/)
})
