/** `sworn policy`: profiles compared, cases, replay and a learnt policy, as a user runs them. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashTool } from '@sworn/govern'
import { sworn, temporary } from './support/io.ts'

const policyOf = (spec: string) => `apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: ${spec}\n`

/** A folder with a policy, cases for it, and a ledger of three calls. */
async function createPlace() {
  const cwd = temporary()
  const home = temporary()
  const run = (argv: readonly string[], stdin = '') => sworn([...argv], { cwd, home, stdin })
  writeFileSync(join(cwd, 'agent.yaml'), policyOf('{allowed_tools: [read], protected_paths: [~/.ssh]}'))
  const decided = { event_type: 'authorization_decision', decision: 'allow' }
  const events = [
    { ...decided, tool: 'read', arguments: { path: '/data/a.txt' }, session_id: 's-1', correlation_id: 'c-1' },
    { ...decided, tool: 'read', arguments: { path: '/data/b.txt' }, session_id: 's-1', correlation_id: 'c-2' },
    { ...decided, tool: 'send', arguments: { to: 'ada' }, session_id: 's-2', correlation_id: 'c-3' },
  ]
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('')
  assert.equal((await run(['record'], lines)).code, 0)
  return { cwd, run }
}

test('policy check names every place where the profiles differ', async () => {
  const { run } = await createPlace()
  const { code, out } = await run(['policy', 'check', 'agent.yaml'])
  assert.equal(code, 0)
  assert.match(
    out,
    /profiles differ: protected paths: links \(\S*agent\.yaml:4:\d+ spec\.protected_paths\)\n {2}strict: resolved; aip-compat: not resolved/,
  )
  assert.doesNotMatch(out, /profiles differ: (?:rates|DLP)/)
  const { differences } = JSON.parse((await run(['policy', 'check', 'agent.yaml', '--json'])).out)
  assert.ok(differences.length >= 5)
})

test('policy test exits 1 with a diff when a case does not hold', async () => {
  const { cwd, run } = await createPlace()
  writeFileSync(join(cwd, 'good.yaml'), 'cases:\n- {tool: read, expect: allow}\n')
  writeFileSync(join(cwd, 'bad.yaml'), 'cases:\n- {tool: read, expect: allow}\n- {name: mail, tool: send, expect: allow}\n')
  assert.deepEqual((await run(['policy', 'test', 'agent.yaml', 'good.yaml'])).code, 0)
  const { code, out } = await run(['policy', 'test', 'agent.yaml', 'bad.yaml'])
  assert.equal(code, 1)
  assert.match(out, /ok {5}read\nnot ok mail\n\s+- decision: allow\n\s+\+ decision: deny\n[\s\S]*2 cases, 1 failed/)
  assert.equal((await run(['policy', 'test', 'agent.yaml'])).code, 2)
})

test('policy replay tells which recorded verdicts another policy changes, of one session too', async () => {
  const { run } = await createPlace()
  const { code, out } = await run(['policy', 'replay', 'agent.yaml'])
  assert.equal(code, 1)
  assert.match(out, /^seq \d+ {2}send {2}allow → deny {2}tool_not_allowed: [^\n]*\n3 calls, 1 would be decided differently\n$/)
  const first = await run(['policy', 'replay', 'agent.yaml', '--session', 's-1', '--json'])
  assert.deepEqual([first.code, JSON.parse(first.out)], [0, { calls: 2, changed: [] }])
})

test('policy init learns a policy that decides as it was; enforced, it changes no verdict', async () => {
  const { cwd, run } = await createPlace()
  const { code, out } = await run(['policy', 'init'])
  assert.equal(code, 0)
  assert.match(out, /^# 3 calls of all sessions\n/)
  writeFileSync(join(cwd, 'learnt.yaml'), out.replace('mode: monitor', 'mode: enforce'))
  assert.equal((await run(['policy', 'replay', 'learnt.yaml'])).code, 0)
  assert.equal((await run(['policy', 'explain', 'learnt.yaml', 'read', '{"path":"/etc/passwd"}'])).code, 1)
})

const ROLES = `
roles:
  reader:
    allowed_tools: [read]
    execution_mode: autonomous
    allowed_paths: [/data/**]
    budgets: {calls: {session: 1}, usd: {day: 1}}
users: {alice: {role: reader}}
default: {role: reader}
`

test('policy test, replay and explain protect what a proxy here would: ledger, policy, roles, keys', async () => {
  const { cwd, run } = await createPlace()
  writeFileSync(join(cwd, 'agent.yaml'), policyOf('{allowed_tools: [read, write_file]}'))
  writeFileSync(
    join(cwd, 'roles.yaml'),
    'roles: {any: {allowed_tools: [all], execution_mode: autonomous, allowed_paths: ["**"], budgets: unlimited}}\n',
  )
  const named = ['audit/active.jsonl', 'agent.yaml', 'roles.yaml']
  const refused = named.map((path) => `- {role: any, tool: write_file, arguments: {path: ${path}}, expect: {decision: deny, rule: self}}\n`)
  writeFileSync(
    join(cwd, 'cases.yaml'),
    `cases:\n${refused.join('')}- {role: any, tool: write_file, arguments: {path: notes}, expect: allow}\n`,
  )
  const tested = await run(['policy', 'test', 'agent.yaml', 'cases.yaml', '--roles', 'roles.yaml'])
  assert.deepEqual([tested.code, tested.out.match(/ok {5}/g)?.length], [0, 4], tested.out)
  const wrote = { event_type: 'authorization_decision', decision: 'allow', tool: 'write_file', correlation_id: 'c-9' }
  await run(['record', 'other'], `${JSON.stringify({ ...wrote, arguments: { path: 'other/active.jsonl' } })}\n`)
  const replayed = await run(['policy', 'replay', 'agent.yaml', 'other'])
  assert.match(replayed.out, /allow → deny {2}protected_path: protected path \S*other is named at \/path/)
})

test('--roles: check tells the roles and what cannot be measured, explain goes through them, test and replay obey them', async () => {
  const { cwd, run } = await createPlace()
  writeFileSync(join(cwd, 'roles.yaml'), ROLES)
  const roles = ['--roles', 'roles.yaml']
  const checked = await run(['policy', 'check', 'agent.yaml', ...roles])
  assert.equal(checked.code, 0)
  assert.match(checked.out, /roles\.reader: budgets: 1 calls per session, \$1 per day\nwarning: roles\.reader\.budgets\.usd\.day: /)
  const explained = await run(['policy', 'explain', 'agent.yaml', 'read', '{"path":"/etc/hosts"}', ...roles, '--user', 'alice'])
  assert.equal(explained.code, 1)
  assert.match(
    explained.out,
    /^who passes user alice: role reader\n[\s\S]*role_path denies a path at \/path is not allowed[^\n]*; paths \/data\/\*\*/,
  )
  assert.equal((await run(['policy', 'explain', 'agent.yaml', 'read', '{"path":"/data/a"}', ...roles, '--role', 'reader'])).code, 0)
  writeFileSync(
    join(cwd, 'cases.yaml'),
    'cases:\n- {user: alice, tool: read, arguments: {path: /data/a}, times: 2, expect: {decision: deny, mode: autonomous}}\n',
  )
  assert.equal((await run(['policy', 'test', 'agent.yaml', 'cases.yaml', ...roles])).code, 0)
  const replayed = await run(['policy', 'replay', 'agent.yaml', ...roles])
  assert.match(
    replayed.out,
    /read {2}allow → deny {2}budget_exceeded: Budget exceeded: 1 calls per session\n[\s\S]*3 calls, 2 would be decided differently/,
  )
  assert.equal((await run(['policy', 'replay', 'agent.yaml', ...roles, '--session', 's-2', '--json'])).out.includes('"calls":1'), true)
})

test('what --roles, --user, --role and --tools name is there and fits, or the command says so', async () => {
  const { cwd, run } = await createPlace()
  writeFileSync(join(cwd, 'roles.yaml'), ROLES)
  const call = ['policy', 'explain', 'agent.yaml', 'read']
  for (const [flags, said] of [
    [['--roles', 'none.yaml'], /does not exist/],
    [['--user', 'alice'], /--roles FILE was expected/],
    [['--roles', 'roles.yaml', '--user', 'alice', '--role', 'reader'], /one of --user and --role/],
    [['--tools', 'roles.yaml'], /the answer to tools\/list was expected/],
  ] as const) {
    const { code, err } = await run([...call, ...flags])
    assert.equal(code, 2, flags.join(' '))
    assert.match(err, said)
  }
})

test('--tools: schema_hash is compared with the description in a file', async () => {
  const { cwd, run } = await createPlace()
  const tool = { name: 'read', description: 'Reads', inputSchema: { type: 'object' } }
  writeFileSync(join(cwd, 'agent.yaml'), policyOf(`{tool_rules: [{tool: read, schema_hash: "${hashTool(tool)[0]}"}]}`))
  writeFileSync(join(cwd, 'tools.json'), JSON.stringify({ tools: [tool] }))
  writeFileSync(join(cwd, 'other.json'), JSON.stringify({ tools: [{ ...tool, description: 'Reads, and sends' }] }))
  const explain = (...flags: string[]) => run(['policy', 'explain', 'agent.yaml', 'read', ...flags])
  assert.equal((await explain('--tools', 'tools.json')).code, 0)
  assert.match(
    (await explain('--tools', 'other.json')).out,
    /schema_hash denies [^\n]*; the policy names sha256:\S+ it is described as sha256:/,
  )
  assert.match((await explain()).out, /schema_hash denies [^\n]*nothing describes the tool/)
})

test('explain says what the proxy would: the policy, the roles and the ledger are protected from every tool', async () => {
  const cwd = temporary()
  writeFileSync(
    join(cwd, 'agent.yaml'),
    'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: p}\nspec: {allowed_tools: [write, bash]}\n',
  )
  const explain = (tool: string, input: object) =>
    sworn(['policy', 'explain', 'agent.yaml', tool, JSON.stringify(input), '--json'], { cwd })
  for (const [tool, input] of [
    ['write', { path: 'agent.yaml' }],
    ['write', { path: join(cwd, 'audit', 'x') }],
    ['bash', { command: 'rm -r aud*' }],
  ] as const) {
    const { code, out } = await explain(tool, input)
    const step = (JSON.parse(out) as { steps: { step: string; outcome: string }[] }).steps.find(({ outcome }) => outcome === 'denies')
    assert.deepEqual([code, step?.step], [1, 'protected_path'], out)
  }
  assert.equal((await explain('write', { path: 'other.yaml' })).code, 0)
})
