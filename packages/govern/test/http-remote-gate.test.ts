/** A gate whose verdicts come from a server: what protects itself here stays protected, the rest is the server's. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gate, Verdict } from '@sworn/recorder'
import { createRemoteGate } from '../src/http/index.ts'
import { createGate } from '../src/index.ts'
import { call, emptyDisk, gateOf } from './support/make.ts'

const own = createGate({ policy: undefined, selfProtected: ['/srv/place/audit'], platform: emptyDisk })
const local = gateOf(
  'allowed_tools: [none]\nallowed_methods: [tools/call]\nprotected_paths: [~/.ssh]\ndlp: {patterns: [{name: P, regex: "[0-9]{3}"}]}',
)
const told = (decision: 'allow' | 'deny' | 'ask'): Verdict => ({ decision, reason: 'told', reasonCode: 'matched_rule' })

function remoteGate(decision: 'allow' | 'deny' | 'ask', gate: Gate = local) {
  const asked: string[] = []
  const judge = async ({ name }: { name: string }) => {
    asked.push(name)
    return told(decision)
  }
  return { asked, gate: createRemoteGate({ local: gate, own, validator: { judge } }) }
}

test('a tool call is what the server says', async () => {
  for (const decision of ['allow', 'deny', 'ask'] as const) {
    const { gate, asked } = remoteGate(decision)
    assert.deepEqual(await gate.judge(call('any', { path: '/data' })), told(decision))
    assert.deepEqual(asked, ['any'])
  }
})

test('the ledger is protected whatever the server says, and the server is not asked', async () => {
  const { gate, asked } = remoteGate('allow')
  assert.partialDeepStrictEqual(await gate.judge(call('write_file', { path: 'audit/x' })), {
    decision: 'deny',
    reasonCode: 'protected_path',
  })
  assert.deepEqual(asked, [])
})

test('what a person is to be asked about here is asked about, unless the server denies it', async () => {
  const checkout = call('git_checkout', { repo_path: '/srv/place' })
  for (const [decision, expected] of [
    ['allow', 'ask'],
    ['ask', 'ask'],
    ['deny', 'deny'],
  ] as const)
    assert.equal((await remoteGate(decision).gate.judge(checkout)).decision, expected)
})

test('methods, resources and data are judged here, and the record names the policy here', async () => {
  const { gate, asked } = remoteGate('allow')
  assert.equal(gate.judgeMethod('resources/read').decision, 'deny')
  const read = { kind: 'resource', name: 'file:///home/ada/.ssh/id', ids: {}, rpc: { method: 'tools/call' } } as const
  assert.equal((await gate.judge(read)).reasonCode, 'protected_path')
  assert.deepEqual(gate.inspect({ x: '123' }, 'response').value, { x: '[REDACTED:P]' })
  assert.deepEqual([gate.policy, gate.charge, asked], [local.policy, undefined, []])
})
