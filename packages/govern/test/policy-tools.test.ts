/** Policy tools: where the profiles differ for one policy, and cases that a policy has to pass. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { explain, hashTool, normalizeName, profileDifferences } from '../src/index.ts'
import {
  createLearner,
  createReplay,
  findDifferences,
  loadPolicy,
  parseCases,
  type RecordedEntry,
  readTools,
  runCases,
} from '../src/policy/index.ts'
import { explainRoles } from '../src/roles/index.ts'
import { emptyDisk, policyOf, policyText, runs } from './support/make.ts'
import { directoryOf, sharedCounters } from './support/roles.ts'

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
        ['a tool that is described differently than at first', ['agent.yaml']],
        ['name normalisation', ['agent.yaml']],
        ['default methods', ['agent.yaml']],
      ],
    )
    assert.deepEqual(
      find('allowed_methods: ["*"]').map(({ topic }) => topic),
      ['a tool that is described differently than at first', 'name normalisation'],
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

const ROLES = `
roles:
  reader:
    allowed_tools: ['read_*', work]
    human_approval: {auto_approve: ['read_*']}
    allowed_paths: ['{{project_path}}/**']
    budgets: {calls: {session: 3, day: 4}, tokens: {day: 100}}
  tester: {allowed_tools: [all], execution_mode: dry_run, allowed_paths: ['**'], budgets: unlimited}
users: {ada: {role: reader, org_unit: research}, bob: {role: reader}}
`

describe('cases with roles and described tools', () => {
  const ECHO = { name: 'work', description: 'Works', inputSchema: { type: 'object' } }
  const [hash] = hashTool(ECHO)
  const policy = policyOf(
    `allowed_tools: [read_a, work]\ntool_rules:\n- {tool: described, schema_hash: "${hash}"}\n- {tool: work, schema_hash: "${hash}"}`,
  )
  const options = { platform: emptyDisk, roles: { directory: directoryOf(ROLES) } }
  const run = (cases: string, given: object = options) =>
    runCases(policy, parseCases({ text: `cases:\n${cases}`, name: 'cases.yaml' }), given)
  const tools = readTools({ text: JSON.stringify({ result: { tools: [ECHO] } }), name: 'tools.json' })

  test('a case names a user or a role, and what is expected of mode, approval and budget', async () => {
    const results = await run(
      `
- {user: ada, tool: read_a, arguments: {path: x}, expect: {decision: allow, role: reader, mode: supervised, approval: false}}
- {user: ada, tool: read_a, arguments: {path: /etc/x}, expect: {decision: deny, reason_code: path_not_allowed, approval: false}}
- {user: ada, tool: read_a, times: 3, expect: allow}
- {user: ada, tool: read_a, times: 4, expect: {decision: deny, rule: roles.reader.budgets.calls.session}}
- {user: ada, tool: work, expect: {decision: ask, rule: roles.reader.execution_mode, approval: true}}
- {user: eve, tool: read_a, expect: {decision: deny, reason_code: role_unknown}}
- {role: tester, tool: work, expect: {decision: deny, reason_code: dry_run, role: tester, mode: dry_run, approval: false}}
- {role: tester, tool: work, expect: {decision: deny, mode: autonomous}}`,
      { ...options, tools },
    )
    assert.deepEqual(
      results.map(({ diff }) => diff.slice(0, 2)),
      [...Array(7).fill([]), ['- mode: autonomous', '+ mode: dry_run']],
    )
  })

  test('a case that names somebody where there are no roles is refused, and so is one that names user and role', async () => {
    await assert.rejects(run('- {user: ada, tool: read_a, expect: allow}', {}), { code: 'POLICY_INVALID' })
    await assert.rejects(async () => run('- {user: ada, role: reader, tool: read_a, expect: allow}'), { code: 'POLICY_INVALID' })
  })

  test('schema_hash is compared with what a file describes, and the explanation shows both sides', async () => {
    const roles = { directory: directoryOf(ROLES) }
    const results = await run('- {role: tester, tool: work, expect: {decision: deny, reason_code: schema_mismatch}}', {
      platform: emptyDisk,
      roles,
    })
    assert.deepEqual(results[0]?.diff, [], 'a tool that nothing describes')
    const action = { kind: 'tool', name: 'work', input: {}, ids: {} } as const
    const said = async (described: readonly string[] | undefined) =>
      (await explain({ ...action, ...(described && { described }) }, { policy, platform: emptyDisk })).find(
        ({ step }) => step === 'schema_hash',
      )
    const known = await said(tools.get('work'))
    assert.deepEqual([known?.outcome, known?.detail], ['passes', `the policy names ${hash}, it is described as ${hash}`])
    const [other] = hashTool({ ...ECHO, description: 'Works, and more' })
    const changed = await said([other])
    assert.deepEqual([changed?.outcome, changed?.detail.includes(`it is described as ${other}`)], ['denies', true])
    assert.match((await said(undefined))?.detail ?? '', /nothing describes the tool/)
  })

  test('tools are read from an answer, a result, a list, and pages one a line; what describes none is refused', () => {
    const pages = `${JSON.stringify({ id: 1, result: { tools: [ECHO] } })}\nnot JSON\n${JSON.stringify({ tools: [{ name: 'b' }] })}\n`
    for (const text of [JSON.stringify([ECHO]), JSON.stringify({ tools: [ECHO] }), pages])
      assert.equal(readTools({ text, name: 't' }).get('work')?.[0], hash)
    for (const text of ['', '{}', '{"tools": [1, {"name": 2}]}', 'null'])
      assert.throws(() => readTools({ text, name: 't' }), { code: 'POLICY_INVALID' })
  })
})

describe('an explanation with roles', () => {
  test('goes from the user to the role and through each of its rules to the budgets', async () => {
    const options = { policy: undefined, platform: emptyDisk, reserve: sharedCounters(), roles: { directory: directoryOf(ROLES) } }
    const steps = await explain({ kind: 'tool', name: 'work', input: { path: 'x' }, ids: { user: 'ada' } }, options)
    const role = steps.filter(({ step }) => /^(who|role|role_path|approval|budget|verdict)$/.test(step))
    assert.deepEqual(
      role.map(({ step, outcome, detail }) => `${step} ${outcome} ${detail}`),
      [
        'who passes user ada: role reader, unit research',
        'role passes tools read_*, work; blocked: none',
        'role_path passes paths {{project_path}}/**; blocked: none',
        'approval asks roles.reader.execution_mode: This role is supervised; supervised: a person is asked before every tool but: read_*; always before: none',
        'budget passes 3 calls per session, counted at the ledger',
        'budget passes 4 calls per day, counted at the ledger',
        'budget passes 100 tokens per day, counted at the ledger',
        'verdict asks matched_rule: This role is supervised',
      ],
    )
  })

  test('roles in words name users, rules, budgets, and which budgets count only what is reported', () => {
    const text = explainRoles(directoryOf(ROLES)).join('\n')
    assert.match(text, /user ada: role reader, unit research\nuser bob: role reader\neverybody else: denied/)
    assert.match(text, /roles\.tester: dry_run: nothing is executed\nroles\.tester: budgets: unlimited/)
    assert.match(text, /warning: roles\.reader\.budgets\.tokens\.day: tokens and money are counted from what is reported/)
  })
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

describe('roles and budgets over what was recorded', () => {
  const DAY_S = 24 * 3600
  const replayRoles = async (roles: string, entries: readonly RecordedEntry[]) => {
    const replay = createReplay(policyOf('allowed_tools: [read_a, work]'), {
      platform: emptyDisk,
      roles: { directory: directoryOf(roles) },
    })
    const found = []
    for (const entry of entries) found.push(await replay(entry))
    return found.flatMap((one) =>
      one ? [`${one.call.seq} ${one.verdict.decision} ${one.verdict.matchedRule?.split('.').slice(-2).join('.')}`] : [],
    )
  }

  test('budgets are counted by the recorded sessions, users and days, in the order of the ledger', async () => {
    const by = (user: string, session: string) => ({ user, session_id: session })
    const found = await replayRoles(ROLES, [
      ...[1, 2, 3, 4].map((seq) => decided(seq, 'read_a', {}, by('ada', 's-1'))),
      decided(5, 'read_a', {}, by('ada', 's-2')),
      decided(6, 'read_a', {}, by('ada', 's-3')),
      decided(7, 'read_a', {}, by('bob', 's-4')),
      decided(DAY_S + 8, 'read_a', {}, by('ada', 's-5')),
      decided(DAY_S + 9, 'read_a', {}, by('eve', 's-6')),
    ])
    const passes = 'allow allowed_tools'
    assert.deepEqual(found, [
      `1 ${passes}`,
      `2 ${passes}`,
      `3 ${passes}`,
      '4 deny calls.session',
      `5 ${passes}`,
      '6 deny calls.day',
      `7 ${passes}`,
      `${DAY_S + 8} ${passes}`,
      `${DAY_S + 9} deny roles`,
    ])
  })

  test('a question counts when the call happened then, and tokens are those of the outcomes', async () => {
    const who = { user: 'ada', session_id: 's-1' }
    const refused = { ...who, decision: 'deny', reason_code: 'human_denied' }
    const found = await replayRoles(ROLES, [
      ...[1, 2, 3].map((seq) => decided(seq, 'work', {}, refused)),
      decided(4, 'work', {}, { ...who, reason_code: 'human_approved' }),
      { ...decided(5, 'work', {}, who), event_type: 'tool_call_end', usage: { input_tokens: 60, output_tokens: 39 } },
      decided(6, 'read_a', {}, who),
      { ...decided(7, 'work', {}, who), event_type: 'model_response', usage: { input_tokens: 1 } },
      decided(8, 'read_a', {}, who),
    ])
    const asks = 'ask reader.execution_mode'
    assert.deepEqual(found, [`1 ${asks}`, `2 ${asks}`, `3 ${asks}`, `4 ${asks}`, '6 allow allowed_tools', '8 deny tokens.day'])
  })

  test('where roles come from the environment or a token, they are those of the record', async () => {
    for (const provider of ['env', 'token']) {
      const found = await replayRoles(`${ROLES}auth: {provider: ${provider}}\n`, [
        decided(1, 'read_a', {}, { user: 'kim', role: 'reader' }),
        decided(2, 'read_a', {}, { user: 'kim', role: 'tester' }),
        decided(3, 'read_a', {}, { user: 'kim' }),
      ])
      assert.deepEqual(found, ['1 allow allowed_tools', '2 deny allowed_tools', '3 deny roles'], provider)
    }
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

  test('has the methods that were let through, and the lists that go with them; none where only default ones were', async () => {
    const learner = createLearner()
    const method = (name: string, decision = 'allow') => {
      learner.take({
        event_type: decision === 'allow' ? 'authorization_decision' : 'method_blocked',
        decision,
        method: name,
        correlation_id: name,
      })
    }
    method('completion/complete')
    assert.doesNotMatch(learner.format('learnt', 'x'), /allowed_methods/)
    for (const name of ['resources/read', 'vendor/ping', 'a: b\n# x']) method(name)
    method('prompts/get', 'deny')
    const { allowedMethods } = loadPolicy({ text: learner.format('learnt', 'x'), name: 'learnt.yaml' })
    const allowed = (name: string) => allowedMethods?.has(name)
    assert.ok(['tools/call', 'initialize', 'resources/read', 'resources/list', 'vendor/ping'].every(allowed))
    assert.ok(!['prompts/get', 'prompts/list', '*'].some(allowed))
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

describe('methods in a replay', () => {
  const replay = createReplay(policyOf('allowed_methods: [resources/read]\nprotected_paths: [~/.ssh]'), { platform: emptyDisk })
  const decided = { event_type: 'authorization_decision', decision: 'allow', method: 'resources/read', correlation_id: 'c' }

  const recorded: readonly (readonly [string, RecordedEntry, before: string, after: string])[] = [
    ['a resource that was read and may be', { ...decided, target: 'file:///data/a' }, 'allow', 'allow'],
    ['a resource that was read and is protected', { ...decided, target: 'file:///home/ada/.ssh/id' }, 'allow', 'deny'],
    ['arguments that name a protected place', { ...decided, arguments: { x: '~/.ssh' } }, 'allow', 'deny'],
    ['a method that is not allowed', { ...decided, method: 'prompts/get' }, 'allow', 'deny'],
    [
      'a resource that was refused and is',
      { ...decided, event_type: 'method_blocked', decision: 'deny', target: '~/.ssh/id' },
      'deny',
      'deny',
    ],
    ['a method that was refused and may be', { ...decided, event_type: 'method_blocked', decision: 'deny' }, 'deny', 'allow'],
  ]
  for (const [what, entry, before, after] of recorded)
    test(`are judged as the proxy judges them: ${what}`, async () => {
      const found = await replay(entry)
      assert.deepEqual([found?.call.kind, found?.call.decision, found?.verdict.decision], ['method', before, after])
    })
})
