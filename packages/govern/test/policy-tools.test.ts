/** Policy tools: where the profiles differ for one policy, and cases that a policy has to pass. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { normalizeName, profileDifferences } from '../src/index.ts'
import { createLearner, createReplay, findDifferences, loadPolicy, parseCases, type RecordedEntry, runCases } from '../src/policy/index.ts'
import { emptyDisk, policyText, runs } from './support/make.ts'

const EVERYTHING = `
mode: monitor
unknown_key: 1
allowed_tools: [a, "x*"]
denied_tools: [b]
denied_methods: ~
protected_paths: [~/.ssh, .env]
strict_args_default: true
tool_rules:
- {tool: a, allow_args: {x: y}, rate_limit: 1/s}
- {tool: A, strict_args: true, schema_hash: "sha256:${'0'.repeat(64)}"}
- {tool: b, action: block}
dlp: {detect_encoding: true, patterns: [{name: P, regex: "[0-9]{3,}"}]}
identity: {enabled: true}
server: {enabled: true, failover_mode: fail_open, fail_open_constraints: {allowed_tools: [a], max_duration: 5m, max_requests: 5}}
`.trim()
const find = (spec: string) => findDifferences({ text: policyText(spec), name: 'agent.yaml' })

describe('where the profiles differ', () => {
  test('every topic of the table is found where it stands, and "no policy" is no policy', () => {
    const found = find(EVERYTHING)
    const missing = profileDifferences.map(({ topic }) => topic).filter((topic) => !found.some((one) => one.topic === topic))
    assert.deepEqual(missing, ['no policy'])
    const placeOf = (topic: string) => found.find((one) => one.topic === topic)?.at
    assert.deepEqual(placeOf('unknown keys in the policy'), ['agent.yaml:7:3 spec.unknown_key'])
    assert.deepEqual(placeOf('name normalisation'), ['agent.yaml'])
    assert.match(placeOf('two rules for one tool')?.join() ?? '', /tool_rules\.1\.tool$/)
    assert.match(placeOf('monitor and denied_tools')?.join() ?? '', /tool_rules\.2\.action$/)
    assert.match(placeOf('protected bare names (`.env`)')?.join() ?? '', /protected_paths\.1$/)
  })

  test('a policy that has nothing of it differs in what concerns every call only', () => {
    assert.deepEqual(
      find('allowed_tools: [a]').map(({ topic, at }) => [topic, at]),
      [
        ['name normalisation', ['agent.yaml']],
        ['default methods', ['agent.yaml']],
      ],
    )
    assert.deepEqual(
      find('allowed_methods: ["*"]').map(({ topic }) => topic),
      ['name normalisation'],
    )
  })
})

describe('cases', () => {
  const policy = loadPolicy({ text: policyText('tool_rules:\n- {tool: a, rate_limit: 2/m}\n- {tool: b, action: ask}'), name: 'agent.yaml' })
  const run = (cases: string) => runCases(policy, parseCases({ text: `cases:\n${cases}`, name: 'cases.yaml' }), { platform: emptyDisk })

  test('hold or say what differs, and no rate runs from one to the next', async () => {
    const results = await run(`
- {tool: a, expect: allow}
- {tool: a, times: 2, expect: allow}
- {tool: a, times: 3, expect: {decision: deny, reason_code: rate_limited, rule: tool_rules.0.rate_limit}}
- {tool: b, arguments: {x: 1}, expect: ask}
- {method: resources/read, expect: {decision: deny, violation: true}}
- {name: nobody calls c, tool: c, expect: {decision: allow, reason_code: matched_rule}}`)
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, true, true, true, false],
    )
    assert.deepEqual(results[5], {
      name: 'nobody calls c',
      ok: false,
      diff: [
        '- decision: allow',
        '+ decision: deny',
        '- reason_code: matched_rule',
        '+ reason_code: tool_not_allowed',
        '  because: Tool not in allowed_tools list',
      ],
    })
  })

  for (const [what, text] of [
    ['no cases', '  []'],
    ['an unknown member', '- {tool: a, expect: allow, wants: x}'],
    ['tool and method', '- {tool: a, method: b, expect: allow}'],
    ['no expectation', '- {tool: a}'],
    ['an expectation that is none', '- {tool: a, expect: maybe}'],
  ] as const) {
    test(`${what} is refused, with the place`, async () => {
      await assert.rejects(
        async () => run(text),
        (e) => SwornError.is(e, 'POLICY_INVALID') && e.at.startsWith('cases.yaml:'),
      )
    })
  }
})

const decided = (seq: number, tool: string, input: object, rest: object = {}): RecordedEntry => ({
  seq,
  event_type: 'authorization_decision',
  decision: 'allow',
  tool,
  arguments: input,
  correlation_id: `c-${seq}`,
  timestamp: new Date(seq * 1000).toISOString(),
  ...rest,
})

async function replayAll(spec: string, entries: readonly RecordedEntry[]) {
  const replay = createReplay(loadPolicy({ text: spec, name: 'agent.yaml' }), { platform: emptyDisk })
  const found = []
  for (const entry of entries) found.push(await replay(entry))
  return found.filter((one) => one !== undefined)
}

describe('a policy over what was recorded', () => {
  test('names the calls that would be decided differently; rates run by the recorded times, and each call counts once', async () => {
    const entries = [
      decided(1, 'a', {}),
      { seq: 2, event_type: 'tool_call_start', tool: 'a', correlation_id: 'c-1' },
      decided(3, 'a', {}),
      decided(100, 'a', {}),
      decided(101, 'b', {}, { decision: 'allow', reason_code: 'human_approved' }),
      decided(102, 'b', { x: '[REDACTED:jwt]' }, { decision: 'deny', reason_code: 'tool_denied' }),
      { seq: 103, event_type: 'method_blocked', method: 'x/y', decision: 'deny', reason_code: 'method_not_allowed' },
      { seq: 104, event_type: 'method_blocked', method: 'x/y', decision: 'deny', reason_code: 'malformed_request' },
      { seq: 105, event_type: 'tool_call_start', tool: 'c', arguments: {}, correlation_id: 'nobody decided' },
    ]
    const found = await replayAll(policyText('tool_rules:\n- {tool: a, rate_limit: 1/m}\n- {tool: b, action: ask}'), entries)
    assert.deepEqual(
      found.map(({ call, verdict, changed, redacted }) => [call.seq, call.decision, verdict.decision, changed, redacted]),
      [
        [1, 'allow', 'allow', false, false],
        [3, 'allow', 'deny', true, false],
        [100, 'allow', 'allow', false, false],
        [101, 'ask', 'ask', false, false],
        [102, 'deny', 'ask', true, true],
        [103, 'deny', 'deny', false, false],
        [105, 'allow', 'deny', true, false],
      ],
    )
  })
})

describe('a policy learnt from what was recorded', () => {
  test('is the narrowest that lets the calls pass, says what from, and does not learn what was denied', () => {
    const learner = createLearner()
    for (const [n, path] of ['/data/a.txt', '/data/b/c.txt'].entries()) learner.take(decided(n, 'read', { path, mode: 'r' }))
    learner.take(decided(5, 'list', {}))
    learner.take(decided(6, 'rm', { path: '/' }, { decision: 'deny', reason_code: 'tool_denied' }))
    const text = learner.format('learnt', '3 calls\n# of "all" sessions')
    assert.match(text, /mode: monitor/)
    assert.match(text, /"path": "\/data\(\?:\/\[\^\/\.\]\[\^\/\]\*\)\+" # 2 paths/)
    assert.match(text, /"mode": "r" # exactly what was seen/)
    assert.match(text, /# not learnt: rm was denied 1 times/)
    assert.equal(text.split('\n').filter((line) => line.startsWith('# 3 calls')).length, 1)
    const policy = loadPolicy({ text: text.replace('mode: monitor', 'mode: enforce'), name: 'learnt.yaml' })
    assert.deepEqual([...policy.rules.keys()], ['list', 'read'])
    assert.deepEqual(
      [...policy.rules.values()].map(({ strictArgs }) => strictArgs),
      [true, true],
    )
  })

  test('refuses what was not seen', async () => {
    const learner = createLearner()
    for (const path of ['/data/a.txt', '/data/b/c.txt']) learner.take(decided(1, 'read', { path }))
    const enforced = learner.format('learnt', 'x').replace('mode: monitor', 'mode: enforce')
    const tried = [{ path: '/etc/passwd' }, { path: '/data/../etc/passwd' }, { path: '/data/.env' }, { path: '/data/a.txt', extra: 1 }, {}]
    const found = await replayAll(
      enforced,
      tried.map((input, n) => decided(n, 'read', input)),
    )
    assert.deepEqual(
      found.map(({ verdict }) => verdict.decision),
      tried.map(() => 'deny'),
    )
  })

  test('loads, and lets every call that it was learnt from pass, whatever the names and values', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('/a/b', '/a/c/d', '/a/../b', '-1.5', '', '[REDACTED:x]', 'a|b', '\\E(', '"\n# x'),
    )
    const name = fc.oneof(fc.constantFrom('a', 'A', 'b', '__proto__', 'x*', ''), fc.string())
    const call = fc.tuple(name, fc.dictionary(name, value, { maxKeys: 3 }))
    const property = fc.asyncProperty(fc.array(call, { maxLength: 8 }), async (calls) => {
      const learner = createLearner()
      const entries = calls.map(([tool, input], n) => decided(n, tool, input))
      for (const entry of entries) learner.take(entry)
      const text = learner.format('learnt', 'property').replace('mode: monitor', 'mode: enforce')
      const policy = loadPolicy({ text, name: 'learnt.yaml' })
      for (const { call: seen, verdict } of await replayAll(text, entries)) {
        if (policy.rules.has(normalizeName(seen.name, 'strict')))
          assert.equal(verdict.decision, 'allow', `${seen.name} ${verdict.reason}\n${text}`)
        else assert.match(normalizeName(seen.name, 'strict'), /^$|[*?]/)
      }
      assert.ok(learner.calls <= calls.length)
    })
    await fc.assert(property, runs)
  })
})
