/** `sworn policy`: profiles compared, cases, replay and a learnt policy, as a user runs them. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
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
