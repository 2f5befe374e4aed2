/** Reading a policy: what is refused, where, and what the hash names. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SwornError } from '@sworn/recorder'
import fc from 'fast-check'
import { blockingGate, createGate, explain, profileDifferences } from '../src/index.ts'
import { canonicalJson } from '../src/policy/canonical.ts'
import { explainPolicy, loadPolicy, policyJsonSchema } from '../src/policy/index.ts'
import { call, emptyDisk, policyOf, policyText, runs } from './support/make.ts'

const HEAD = 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata:\n  name: test\n'
const load = (text: string, profile?: 'strict' | 'aip-compat') => loadPolicy({ text, name: 'agent.yaml' }, profile ? { profile } : {})

function refusal(text: string, profile?: 'strict' | 'aip-compat'): SwornError {
  try {
    load(text, profile)
  } catch (e) {
    assert.ok(SwornError.is(e, 'POLICY_INVALID'), String(e))
    return e
  }
  throw new assert.AssertionError({ message: 'the policy was accepted' })
}

describe('a policy that cannot be obeyed is refused, with the place', () => {
  const refused: [what: string, text: string, at: string, message: RegExp][] = [
    ['an empty file', '', 'agent.yaml:1:1', /an AgentPolicy was expected/],
    ['a list', '- a', 'agent.yaml:1:1', /an AgentPolicy was expected/],
    ['broken YAML', `${HEAD}spec: {`, 'agent.yaml:5:8', /malformed/],
    ['two documents', `${HEAD}spec: {}\n---\na: 1`, 'agent.yaml:6:1', /malformed/],
    ['a key written twice', `${HEAD}spec:\n  mode: enforce\n  mode: monitor`, 'agent.yaml:7:3', /duplicate key/],
    ['an alias', `${HEAD}spec:\n  allowed_tools: &a [x]\n  denied_tools: *a`, 'agent.yaml:7:17', /aliases/],
    ['an unknown tag', `${HEAD}spec:\n  allowed_tools: !secret x`, 'agent.yaml:6:18', /malformed/],
    ['a number that JSON does not have', `${HEAD}spec:\n  mode: .nan`, 'agent.yaml:6:9', /JSON/],
    ['half a surrogate pair', `${HEAD}spec:\n  allowed_tools: ["\\ud800"]`, 'agent.yaml:6:19', /JSON/],
    ['half of one in a key', `${HEAD}spec:\n  "\\udc00": x`, 'agent.yaml:6:3', /JSON/],
    ['half of one as it stands in memory', `${HEAD}spec:\n  allowed_tools: [\ud800]`, 'agent.yaml:6:19', /JSON/],
    ['a key that is no text', `${HEAD}spec:\n  1: x`, 'agent.yaml:6:3', /text/],
    ['__proto__', policyText('tool_rules:\n- tool: a\n  allow_args: {__proto__: x}'), 'agent.yaml:8:18', /not used/],
    ['a misspelt key', policyText('alowed_tools: [x]'), 'agent.yaml:6:3 spec.alowed_tools', /did you mean "allowed_tools"/],
    [
      'a misspelt key in a rule',
      policyText('tool_rules:\n- tool: a\n  acton: block'),
      'agent.yaml:8:5 spec.tool_rules.0.acton',
      /did you mean "action"/,
    ],
    ['an unknown mode', policyText('mode: observe'), 'agent.yaml:6:3 spec.mode', /enforce or monitor was expected/],
    ['an unknown version (AW21)', policyText('{}').replace('v1alpha1', 'v999'), 'agent.yaml:1:1 apiVersion', /aip\.io\/v1alpha1 or/],
    ['a missing name', 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {}\nspec: {}', 'agent.yaml:3:1 metadata.name', /string/],
    ['null', policyText('allowed_tools:'), 'agent.yaml:6:3 spec.allowed_tools', /array was expected/],
    [
      'a rate without a unit',
      policyText('tool_rules:\n- tool: a\n  rate_limit: 5'),
      'agent.yaml:8:5 spec.tool_rules.0.rate_limit',
      /string/,
    ],
    [
      'a rate of nothing',
      policyText('tool_rules:\n- tool: a\n  rate_limit: 0/s'),
      'agent.yaml:8:5 spec.tool_rules.0.rate_limit',
      /N\/second/,
    ],
    [
      'a rate in days',
      policyText('tool_rules:\n- tool: a\n  rate_limit: 5/day'),
      'agent.yaml:8:5 spec.tool_rules.0.rate_limit',
      /N\/second/,
    ],
    [
      'two rules for one tool',
      policyText('tool_rules:\n- tool: a\n- tool: A'),
      'agent.yaml:8:5 spec.tool_rules.1.tool',
      /one rule per tool/,
    ],
    ['a glob', policyText('allowed_tools: ["delete_*"]'), 'agent.yaml:6:19 spec.allowed_tools.0', /exact name/],
    [
      'a hash that is none',
      policyText('tool_rules:\n- {tool: a, schema_hash: "sha256:00"}'),
      'agent.yaml:7:15 spec.tool_rules.0.schema_hash',
      /sha256:<hex>/,
    ],
    ['an invisible name', policyText('allowed_tools: ["\\u200b"]'), 'agent.yaml:6:19 spec.allowed_tools.0', /visible/],
    [
      'look-ahead',
      policyText('tool_rules:\n- tool: a\n  allow_args: {x: "(?=a)"}'),
      'agent.yaml:8:18 spec.tool_rules.0.allow_args.x',
      /RE2 syntax/,
    ],
    [
      'a long pattern',
      policyText(`tool_rules:\n- tool: a\n  allow_args: {x: "${'a'.repeat(1001)}"}`),
      'agent.yaml:8:18 spec.tool_rules.0.allow_args.x',
      /1000/,
    ],
    ['a size of nothing', policyText('dlp: {max_scan_size: 1 bit}'), 'agent.yaml:6:9 spec.dlp.max_scan_size', /NKB/],
    ['a pattern for empty text', dlp('x*'), 'agent.yaml:7:26 spec.dlp.patterns.0.regex', /empty text/],
    ['a pattern for the marker', dlp('[A-Z]+'), 'agent.yaml:7:26 spec.dlp.patterns.0.regex', /marker/],
  ]
  for (const [what, text, at, message] of refused) {
    test(what, () => {
      const error = refusal(text)
      assert.match(error.message, message)
      assert.equal(error.at, at)
    })
  }

  const absent: [string, string][] = [
    ['identity', policyText('identity: {enabled: true, require_token: true}')],
    ['server', policyText('server: {enabled: false}')],
    ['registry', policyText('registry: {}')],
    ['aat', policyText('aat: {}')],
    ['signature', policyText('{}').replace('name: test', 'name: test\n  signature: ed25519:AAAA')],
  ]
  for (const [section, text] of absent) {
    test(`AW21: ${section} is not there yet, so it is refused by name in both profiles`, () => {
      for (const profile of ['strict', 'aip-compat'] as const)
        assert.match(refusal(text, profile).message, new RegExp(`${section} is set, but`))
    })
  }

  test('what would be recorded or passed without redaction is refused', () => {
    assert.match(refusal(policyText('dlp: {log_original_on_failure: true}')).message, /false was expected/)
  })
})

function dlp(regex: string): string {
  return policyText(`dlp:\n  patterns: [{name: X, regex: '${regex}'}]`)
}

test('no message quotes a value of the policy', () => {
  const secret = 'hunter2hunter2'
  const texts = [
    `mode: ${secret}`,
    `tool_rules:\n- tool: a\n  allow_args: {x: "(${secret}"}`,
    `allowed_tools: ${secret}`,
    `dlp: {max_scan_size: ${secret}}`,
  ]
  for (const text of texts) assert.doesNotMatch(refusal(policyText(text)).message, /hunter2/)
})

test('aip-compat ignores unknown keys and nulls, and lists them; the last rule for a tool wins', () => {
  const policy = load(
    policyText('future: 1\nallowed_tools:\ntool_rules:\n- {tool: a, action: block}\n- {tool: A, action: allow, note: x}'),
    'aip-compat',
  )
  assert.equal(policy.warnings.length, 2)
  assert.ok(policy.warnings.some((warning) => warning.includes('agent.yaml:6:3 spec.future')))
  assert.equal(policy.rules.get('a')?.action, 'allow')
})

describe('AW22: the hash names what the policy says', () => {
  const hash = (text: string) => load(text).hash
  const text = policyText('allowed_tools: [a, b]\nmode: monitor')

  test('comments, order of members and layout do not change it', () => {
    assert.match(hash(text), /^sha256:[0-9a-f]{64}$/)
    assert.equal(hash(`# a comment\n${text}`), hash(text))
    assert.equal(hash(policyText('mode: "monitor"\nallowed_tools:\n- a\n- b')), hash(text))
  })

  test('any value changes it', () => {
    assert.notEqual(hash(text.replace('monitor', 'enforce')), hash(text))
    assert.notEqual(hash(text.replace('[a, b]', '[b, a]')), hash(text))
  })

  test('it is over the RFC 8785 bytes', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 1,
      '1': [1e21, -0, 0.000001],
      '\ud83d\ude00': null,
      '\ufb33': true,
      b: { z: '\u0007"', a: {} },
    }
    const bytes = '{"\\r":1,"1":[1e+21,0,0.000001],"b":{"a":{},"z":"\\u0007\\""},"\u20ac":"Euro Sign","\ud83d\ude00":null,"\ufb33":true}'
    assert.equal(canonicalJson(value), bytes)
    for (const none of [Number.NaN, [Number.POSITIVE_INFINITY], '\ud800', { '\udc00': 1 }]) assert.throws(() => canonicalJson(none))
  })
})

test('any text is a policy or POLICY_INVALID, never another error', () => {
  const line = fc.constantFrom(
    'spec:',
    ' mode: monitor',
    '  - tool: a',
    '- *x',
    '&x',
    '{',
    ']',
    '? a',
    '!!binary x',
    '<<: *a',
    '\t',
    '"\\ud800"',
    '--- ',
    '%YAML 9',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(line).map((lines) => `${HEAD}${lines.join('\n')}`),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('strict' as const, 'aip-compat' as const), (source, profile) => {
      try {
        load(source, profile)
      } catch (e) {
        assert.ok(SwornError.is(e, 'POLICY_INVALID'), String(e))
      }
    }),
    runs,
  )
})

test('a policy that is named but not valid blocks everything, and the client learns no more', async () => {
  const gate = blockingGate('policy_invalid', 'agent.yaml:3:1 is wrong')
  const verdicts = [gate.judgeMethod('initialize'), gate.judgeMethod('tools/list'), await gate.judge(call('a'))]
  for (const verdict of verdicts) {
    assert.equal(verdict.decision, 'deny')
    assert.equal(verdict.reasonCode, 'policy_invalid')
    assert.doesNotMatch(JSON.stringify(verdict.decision === 'deny' && verdict.rpcError), /agent\.yaml/)
  }
  assert.equal(gate.inspect('x', 'response').blocked, true)
})

test('while everything is blocked the log of the server is still read by people: secrets in it are masked, faults stay to be seen', () => {
  const { inspectLog } = blockingGate('policy_invalid', 'x')
  const key = `ghp_${'FAKE0fake1'.repeat(4)}`
  const inspected = inspectLog?.(`cannot start: token ${key}\n`)
  assert.deepEqual([inspected?.value, inspected?.blocked], ['cannot start: token [REDACTED:github_token]\n', false])
  assert.partialDeepStrictEqual(inspected?.matches, [{ pattern: 'github_token', matchCount: 1, dlpAction: 'mask', redacted: true }])
  assert.equal(inspectLog?.('no secret\n').value, 'no secret\n')
})

test('the explanation shows each check in order and ends with the verdict that the gate gives', async () => {
  const policy = policyOf('mode: monitor\ndenied_tools: [a]\ntool_rules:\n- {tool: a, rate_limit: 1/m, allow_args: {x: "[0-9]+"}}')
  const action = call('a', { x: 'no' })
  const options = { policy, platform: emptyDisk }
  const { reason, reasonCode } = await createGate(options).judge(action)
  assert.deepEqual(linesOf(await explain(action, options)), [
    'method passes',
    'rate_limit passes',
    'protected_path passes',
    'denied_tools violates Tool is in denied_tools list',
    'block_rule passes',
    'allowed_tools passes',
    'schema_hash passes',
    'allow_args violates an argument does not match its pattern',
    'strict_args passes',
    'approval passes',
    `verdict allows ${reasonCode}: ${reason}`,
  ])
  const denied = linesOf(await explain({ ...action, rpc: { method: 'x' } }, options))
  const refusal = 'Method not in allowed_methods list'
  assert.deepEqual(denied, [`method denies ${refusal}`, `verdict denies method_not_allowed: ${refusal}`])
})

function linesOf(steps: Awaited<ReturnType<typeof explain>>): string[] {
  return steps.map(({ step, outcome, detail }) => `${step} ${outcome} ${detail}`.trim())
}

test('a policy is told in words, in the order of evaluation', () => {
  const spec = 'allowed_methods: [tools/call]\ntool_rules: [{tool: a, rate_limit: 1/m, allow_args: {x: "[0-9]+"}, strict_args: true}]'
  const lines = explainPolicy(policyOf(`${spec}\ndlp: {scan_requests: true, patterns: [{name: Key, regex: k1}]}`))
  const expected = [
    'methods: tools/call; denied: none',
    'tool_rules.0: allow a; at most 1 per 60 s; x matches [0-9]+; no other argument',
    'data loss prevention: requests (block), responses (mask); patterns: Key',
    'every other tool: blocked',
  ]
  assert.deepEqual(
    lines.filter((line) => expected.includes(line)),
    expected,
  )
  const lenient = explainPolicy(loadPolicy({ text: policyText('future: 1'), name: 'p' }, { profile: 'aip-compat' }))
  assert.match(lenient.at(-1)!, /^warning: unknown key "future"/)
})

test('the JSON Schema for editors and the table of differences are there', () => {
  assert.equal(policyJsonSchema().type, 'object')
  assert.ok(profileDifferences.every(({ strict, compat }) => strict !== compat))
})
