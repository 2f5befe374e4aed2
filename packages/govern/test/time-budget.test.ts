/** What cannot be judged within its time is refused, never passed; the largest frames are judged or refused in about a second. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Action, Gate } from '@sworn/recorder'
import { later } from '../../../testkit/src/suite.ts'
import { createDeadline } from '../src/gate/deadline.ts'
import { createGate } from '../src/index.ts'
import { call, emptyDisk, gateOf } from './support/make.ts'
import { roleGate } from './support/roles.ts'

const TOO_LONG = ['deny', 'malformed_request', 'The call takes too long to judge']
/** A clock that a tenth of a second passes on at each look. */
const slow = () => {
  let now = 0
  return () => (now += 100)
}
const judge = async (gate: Gate, action: Action) => {
  const { decision, reasonCode, reason } = await gate.judge(action)
  return [decision, reasonCode, reason]
}
const fill = (part: string, chars = 300_000) => part.repeat(Math.ceil(chars / part.length)).slice(0, chars)

describe('a call that takes too long to judge is refused', () => {
  const guarded = () => createGate({ policy: undefined, selfProtected: ['/srv/place/audit'], platform: emptyDisk, now: slow() })
  const list = (count: number, text: string) => Array.from({ length: count }, (_, n) => text + n)

  test('by the length of a text, in every mode of a policy and without one', async () => {
    const input = { content: fill('some words and ./a/path ') }
    for (const mode of ['enforce', 'monitor'])
      assert.deepEqual(
        await judge(gateOf(`mode: ${mode}\nallowed_tools: [run]\nprotected_paths: [.env]`, { now: slow() }), call('run', input)),
        TOO_LONG,
      )
    assert.deepEqual(await judge(guarded(), call('run', input)), TOO_LONG)
  })

  test('by the number of texts and of member names', async () => {
    assert.deepEqual(await judge(guarded(), call('run', { list: list(5000, 'some text ') })), TOO_LONG)
    assert.deepEqual(await judge(guarded(), call('run', Object.fromEntries(list(5000, 'key ').map((key) => [key, 1])))), TOO_LONG)
  })

  test('as a command, as a resource, and by the paths of a role', async () => {
    const gate = guarded()
    assert.deepEqual(await judge(gate, call('bash', { command: fill('ls /tmp; ') })), TOO_LONG)
    const read: Action = { kind: 'resource', name: `note:${fill('/x ')}`, ids: {}, rpc: { method: 'resources/subscribe' } }
    assert.deepEqual(await judge(guarded(), read), TOO_LONG)
    const roles = roleGate(undefined, { now: slow() })
    assert.deepEqual(await judge(roles, { ...call('read', { paths: list(300, '/tmp/') }), ids: { user: 'ada' } }), TOO_LONG)
  })

  test('the client learns no more than that', async () => {
    const verdict = await guarded().judge(call('run', { content: fill('secret ') }))
    assert.doesNotMatch(JSON.stringify(verdict), /secret/)
  })

  test('short ones are never: the clock is not even looked at', async () => {
    const never = () => assert.fail('the clock was looked at')
    const gate = gateOf('allowed_tools: [run]\nprotected_paths: [.env]', { now: never })
    assert.equal((await gate.judge(call('run', { path: 'docs/a.md', text: fill('words ', 1000) }))).decision, 'allow')
  })
})

test('the time of a judgement begins with the first look at the clock', () => {
  let now = 5000
  const check = createDeadline(() => now, 100)
  check()
  now = 5100
  check()
  now = 5101
  assert.throws(() => check(), RangeError)
})

test('a pattern is not tried on more than four million characters: the argument does not match', async () => {
  const gate = gateOf('tool_rules:\n- {tool: run, allow_args: {text: "(?s:.*)"}}')
  assert.equal((await gate.judge(call('run', { text: fill('a', 1_000_000) }))).decision, 'allow')
  const { reasonCode, reason } = await gate.judge(call('run', { text: fill('a', 4_194_305) }))
  assert.deepEqual([reasonCode, reason], ['argument_mismatch', 'an argument is too long to be matched'])
})

describe('the largest frame is judged or refused', { skip: later }, () => {
  const gate = gateOf('allowed_tools: [run, bash]\nprotected_paths: [~/.ssh, .env]', { selfProtected: ['/srv/place/audit'] })
  const size = 10 * 1024 * 1024
  const hostile: Readonly<Record<string, () => unknown>> = {
    'percent triplets': () => fill('%25', size),
    'variables of the home directory': () => fill('$HOME ', size),
    'unique paths': () => fill(Array.from({ length: 500_000 }, (_, n) => `/t/${n}`).join(' '), size),
    'code in quotes': () => fill('import { a } from "./b/c.ts" // %2e ~/foo\n', size),
    'one long word': () => fill('a', size),
    'separators only': () => fill('../', size),
    'a million texts': () => Array.from({ length: 900_000 }, (_, n) => `t${n}`),
    'a million member names': () => Object.fromEntries(Array.from({ length: 700_000 }, (_, n) => [`t${n}`, 1])),
  }
  for (const [what, make] of Object.entries(hostile))
    for (const [tool, member] of [
      ['run', 'content'],
      ['bash', 'command'],
    ] as const)
      test(`${what}, in ${member}`, async () => {
        const input = { [member]: make() }
        assert.match((await gate.judge(call(tool, input))).decision, /^(allow|deny)$/) // what is held is that it ends: in about a second
      })
})
