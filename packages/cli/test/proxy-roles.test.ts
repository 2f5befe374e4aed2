/** `sworn proxy` with a policy and roles: real processes, a real server, one budget over restarts. @module */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { later } from '../../../testkit/src/suite.ts'
import { temporary } from './support/io.ts'
import { type Place, SWORN, startProcess } from './support/process.ts'

const SERVER = fileURLToPath(new URL('../src/demo/server.ts', import.meta.url))
const POLICY =
  'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: demo}\nspec:\n  allowed_tools: [read_text_file, write_file]\n'
const RATED = POLICY.replace('write_file]', 'write_file]\n  tool_rules: [{tool: read_file, rate_limit: 2/h}]')
const ROLES = `
roles:
  reader:
    allowed_tools: ['read_*']
    execution_mode: autonomous
    allowed_paths: ['{{project_path}}/**']
    blocked_paths: ['**/secrets/**']
    budgets: {calls: {day: 3}}
  auditor: {allowed_tools: [all], execution_mode: dry_run, allowed_paths: ['**'], budgets: unlimited}
`
const USERS = 'users:\n  alice: {role: reader, org_unit: research}\n  dan: {role: auditor}\n'
const GOVERNANCE = 'policy: {yaml: {rules_file: ./rules.yaml}}\nauth: {provider: local, local: {users_file: ./users.yaml}}\n'

interface Entry {
  readonly event_type: string
  readonly reason_code?: string
  readonly role?: string
  readonly org_unit?: string
  readonly policy_mode?: string
  readonly target?: string
  readonly metadata?: { readonly stats: object; readonly budget: object }
}

function createPlace(files: Readonly<Record<string, string>>): Place {
  const cwd = temporary()
  mkdirSync(join(cwd, 'files'))
  writeFileSync(join(cwd, 'files', 'a.txt'), 'content of a')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  return { cwd, home: temporary() }
}

const WHOLE = {
  'agent.yaml': POLICY,
  'rules.yaml': ROLES,
  'users.yaml': USERS,
  'governance.yaml': GOVERNANCE,
  'sworn.yaml': 'audit: {policy: agent.yaml, roles: governance.yaml}\n',
}

/** One session: each tool call waits for the answer before it; gives the answers in order. */
async function session(
  place: Place,
  user: string,
  calls: readonly (readonly [tool: string, args: object])[],
  more: readonly string[] = [],
): Promise<string[]> {
  const [node = '', ...flags] = SWORN.slice(0, -1)
  const started = startProcess(['proxy', '--user', user, ...more, '--', node, ...flags, SERVER, join(place.cwd, 'files')], place)
  const { stdin, stdout } = started.process
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const requests = [['initialize', params], ...calls.map(([name, args]) => ['tools/call', { name, arguments: args }])]
  const answers: string[] = []
  const ask = () => {
    const [method, given] = requests[answers.length] ?? []
    if (method === undefined) stdin.end()
    else stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: answers.length, method, params: given })}\n`)
  }
  createInterface(stdout).on('line', (line) => {
    answers.push(line)
    ask()
  })
  ask()
  assert.equal(await started.code, 0, started.said())
  return answers.slice(1)
}

function entriesOf({ cwd }: Place): Entry[] {
  const files = globSync(join(cwd, 'audit', 'segments', '*.jsonl')).toSorted()
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean)).map((line) => JSON.parse(line))
}

test('roles decide with the policy, budgets outlive the process, and the records say who and why', {
  skip: later,
  timeout: 120_000,
}, async () => {
  const place = createPlace(WHOLE)
  const read = ['read_text_file', { path: 'a.txt' }] as const
  const first = await session(place, 'alice', [
    read,
    ['write_file', { path: 'a.txt', content: '' }],
    ['read_text_file', { path: 'secrets/k' }],
    read,
  ])
  assert.match(first[0]!, /content of a/)
  assert.match(first[1]!, /-32001.*not allowed for this role/)
  assert.match(first[2]!, /-32007/)
  assert.match(first[3]!, /content of a/)
  const second = await session(place, 'alice', [read, read, ['read_text_file', { path: 'audit/log' }]])
  assert.match(second[0]!, /content of a/)
  assert.match(second[1]!, /Budget exceeded/)
  assert.match(
    (await session(place, 'dan', [['write_file', { path: 'a.txt', content: 'x' }]]))[0]!,
    /Dry run: not executed, it would be allowed/,
  )
  assert.match((await session(place, 'mallory', [read]))[0]!, /No known role/)
  assert.match((await session(place, 'dan', [['write_file', { path: 'users.yaml', content: 'x' }]]))[0]!, /-32007/)
  assert.equal(readFileSync(join(place.cwd, 'files', 'a.txt'), 'utf8'), 'content of a')
  checkRecords(entriesOf(place))
})

function checkRecords(entries: readonly Entry[]): void {
  const decisions = entries.filter(({ event_type }) => event_type === 'authorization_decision')
  assert.deepEqual(
    decisions.map(({ reason_code, role }) => `${role} ${reason_code}`),
    [
      'reader matched_allowed_tools',
      'reader tool_not_allowed',
      'reader path_not_allowed',
      'reader matched_allowed_tools',
      'reader matched_allowed_tools',
      'reader budget_exceeded',
      'reader protected_path',
      'auditor dry_run',
      'undefined role_unknown',
      'auditor protected_path',
    ],
  )
  assert.deepEqual([decisions[0]?.org_unit, decisions[7]?.policy_mode], ['research', 'dry_run'])
  assert.match(entries.find(({ event_type }) => event_type === 'config_tampered')?.target ?? '', /users\.yaml$/)
  assert.equal(entries.filter(({ event_type }) => event_type === 'config_tampered').length, 1)
  const ends = entries.filter(({ event_type }) => event_type === 'session_end').map(({ metadata }) => metadata)
  assert.partialDeepStrictEqual(ends[1], {
    stats: { allowed: 1, denied: 2, budget_exceeded: 1, dry_run: 0 },
    budget: { used: 3, remaining: 0 },
  })
  assert.partialDeepStrictEqual(ends[2], { stats: { allowed: 0, dry_run: 1 }, budget: { used: 0, remaining: null, unlimited: true } })
}

test('a file of roles that is missing or misspelt blocks everything', { skip: later, timeout: 120_000 }, async () => {
  for (const files of [
    { ...WHOLE, 'governance.yaml': 'rolls: {}\n' },
    { ...WHOLE, 'sworn.yaml': 'audit: {roles: none.yaml}\n' },
  ]) {
    const [answer] = await session(createPlace(files), 'alice', [['read_text_file', { path: 'a.txt' }]])
    assert.match(answer!, /The policy is not valid/)
  }
})

test('three proxies at once with --roles: one budget and one rate between them, on the answers and in the records', {
  skip: later,
  timeout: 120_000,
}, async () => {
  const place = createPlace({ 'agent.yaml': RATED, 'roles.yaml': `${ROLES}${USERS}` })
  const calls = Array.from(
    { length: 4 },
    () =>
      [
        ['read_text_file', { path: 'a.txt' }],
        ['read_file', { path: 'a.txt' }],
      ] as const,
  ).flat()
  const flags = ['--policy', 'agent.yaml', '--roles', 'roles.yaml']
  const answers = (await Promise.all([1, 2, 3].map(() => session(place, 'alice', calls, flags)))).flat()
  const decisions = entriesOf(place).filter(({ event_type }) => event_type === 'authorization_decision')
  assert.equal(decisions.length, answers.length)
  const count = (code: string) => decisions.filter(({ reason_code }) => reason_code === code).length
  assert.equal(count('matched_rule') + count('matched_allowed_tools'), 3, 'the budget of the day')
  assert.ok(count('matched_rule') <= 2, 'the rate of read_file')
  assert.ok(count('rate_limited') > 0)
  assert.equal(answers.filter((answer) => !/-3200[12]/.test(answer)).length, 3)
})
