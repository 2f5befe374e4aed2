import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compileFilter } from '@sworn/dialects'
import { SwornError } from '@sworn/verify'
import fc from 'fast-check'

const denied = {
  event_type: 'authorization_decision',
  timestamp: '2026-03-03T16:32:00.000Z',
  decision: 'deny',
  tool: 'write_file',
  risk_level: 'high',
  duration_ms: 1500,
  arguments: { path: '/etc/config.yaml', tags: [{ names: ['a', 'b'] }, { names: ['c'] }] },
  team: 'red',
}

for (const text of [
  'decision == "deny" && tool.startsWith("write_")',
  'risk_level in ["high", "critical"]',
  'duration_ms > 1000 && duration_ms < 1500.5',
  'user == null && user != "alice"',
  'event.team == "red"',
  'has(arguments.path) && !has(event.squad)',
  'arguments.?mode.orValue("none") == "none"',
  'tool.matches("^(read|write)_[a-z]+$")',
  'timestamp >= "2026-03-03" && timestamp(timestamp) < timestamp("2026-03-04T00:00:00Z")',
  'arguments.tags.exists(t, t.names.exists(n, n == "c"))',
  'arguments.tags.filter(t, "a" in t.names).size() == 1',
  'type(tool) == string',
]) {
  test(`matches: ${text}`, () => assert.equal(compileFilter(text)(denied), true))
}

test('every filter of docs/reference/filters.md matches the event that its tests use', () => {
  const page = readFileSync(new URL('../../../docs/reference/filters.md', import.meta.url), 'utf8')
  const cells = [...page.matchAll(/^\| .+? \| (.+) \|$/gm)].slice(1).map((row) => row[1]!)
  const filters = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((code) => code[1]!.replaceAll('\\|', '|')))
  assert.ok(filters.length >= 12)
  for (const text of filters) assert.equal(compileFilter(text)(denied), true, text)
})

for (const text of [
  'arguments.mode == "none"',
  'user.startsWith("a")',
  'tool > 3',
  'arguments.path == 3',
  'server == "x"',
  'event.squad == 1',
]) {
  test(`does not match, and does not fail, where the event has no such thing: ${text}`, () => {
    assert.equal(compileFilter(text)(denied), false)
  })
}

const refused: [string, string, RegExp][] = [
  ['', '1:1', /./],
  ['tool ==', '1:8', /./],
  ['decision == "deny" &&\n  desicion == "ask"', '2:3', /did you mean "decision"/],
  ['team == "red"', '1:1', /event\.NAME/],
  ['decision == "denied"', '1:13', /allow, deny, ask/],
  ['risk_level in ["high", "severe"]', '1:24', /low, medium, high, critical/],
  ['1 + 1', '1:1', /not int/],
  ['tool.matches("(")', '1:14', /RE2/],
  ['tool.matches(user)', '1:1', /written out/],
  ['arguments.l.map(x, x).size() > 1', '1:1', /map is not part/],
  ['cel.bind(x, 1, x == 1)', '1:1', /bind is not part/],
  ['arguments.l.exists(x, arguments.l.exists(y, x == y))', '1:23', /linear/],
  ['arguments.l.exists(x, x in event.m)', '1:28', /linear/],
  ['arguments.l.exists(x, result.contains(x))', '1:23', /linear/],
  ['arguments.l.exists(x, x.?t.orValue(event.m).exists(y, y == 1))', '1:36', /linear/],
  ['arguments.l.exists(x, size(arguments.l.join()) > 1)', '1:28', /linear/],
  [`tool == "${'x'.repeat(4096)}"`, '', /4096/],
  [`${'('.repeat(40)}true${')'.repeat(40)}`, '1:33', /depth/i],
]
for (const [text, at, message] of refused) {
  test(`refused at ${at}: ${text.slice(0, 60)}`, () => {
    assert.throws(
      () => compileFilter(text),
      (e) => SwornError.is(e, 'FILTER_INVALID') && e.at === at && message.test(e.message),
    )
  })
}

test('a filter is total: no event makes it throw', () => {
  const filters = ['decision == "deny" || arguments.path.startsWith("/")', 'arguments.exists(k, k == "a")', 'metadata.n > 1'].map(
    compileFilter,
  )
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.constantFrom('decision', 'arguments', 'metadata', '__proto__'), fc.string()), fc.jsonValue()),
      (event) => filters.every((matches) => typeof matches(event) === 'boolean'),
    ),
  )
})

test('inherited names are no members', () => {
  assert.equal(compileFilter('has(event.constructor) || has(arguments.toString)')({ arguments: {} }), false)
  assert.equal(compileFilter('tool == null')(Object.create({ tool: 'x' })), true)
})

test('comparing with a word is the same as comparing in code', () => {
  const words = fc.constantFrom('allow', 'deny', 'ask', undefined)
  fc.assert(
    fc.property(words, fc.constantFrom('allow', 'deny', 'ask'), fc.double({ noNaN: true }), fc.integer(), (decision, wanted, ms, limit) => {
      const matches = compileFilter(`decision == "${wanted}" || duration_ms > ${limit}`)
      assert.equal(matches({ ...(decision && { decision }), duration_ms: ms }), decision === wanted || ms > limit)
    }),
  )
})

test('a pattern that backtracks elsewhere takes linear time', () => {
  const matches = compileFilter('tool.matches("^(a+)+$")')
  assert.equal(matches({ tool: `${'a'.repeat(50_000)}!` }), false)
})
