/** The registry: what is found, said, given back; tools of one's own. @module */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { ADAPTERS, type Adapter, instrument, wrapTool } from '@sworn/instrument'
import { createRecorder, type Gate, SwornError } from '@sworn/recorder'
import OpenAI from 'openai'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

function setUp() {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const events = async () => {
    await recorder.flush()
    return port.events()
  }
  return { port, recorder, events }
}

const isOfNode = (name: string): boolean => name === 'fetch' || name === 'http'

test('every copy that the application can resolve is found, by import and by require, and reported', async () => {
  const { recorder, events } = setUp()
  const { coverage, undo } = await instrument(recorder)
  undo()
  const found = new Set(coverage.map((one) => `${one.package} ${one.format}`))
  for (const name of [
    '@modelcontextprotocol/sdk',
    '@modelcontextprotocol/client',
    '@modelcontextprotocol/server',
    'openai',
    '@anthropic-ai/sdk',
  ])
    for (const format of ['esm', 'cjs']) assert.ok(found.has(`${name} ${format}`), `${name} ${format}`)
  for (const { package: name, version, path, tested, can_block, patched } of coverage) {
    assert.match(version ?? '', /^\d+\.\d+\.\d+$/)
    assert.match(path ?? '', isOfNode(name) ? /^$/ : /node_modules/)
    assert.deepEqual([tested, can_block], [true, name !== 'http'])
    assert.ok(patched.length > 0)
  }
  const reports = (await events()).filter(({ event_type }) => event_type === 'instrumentation_report')
  assert.equal(reports.length, coverage.length)
  assert.deepEqual(
    reports.map(({ metadata }) => (metadata as { package: string }).package),
    coverage.map((one) => one.package),
  )
})

test('an ESM and a CJS copy are two classes, and each is replaced and given back', async () => {
  const { recorder } = setUp()
  const cjs: typeof OpenAI = createRequire(import.meta.url)('openai').OpenAI
  const methods = () => [OpenAI, cjs].map((one) => one.Chat.Completions.prototype.create)
  const before = methods()
  assert.notEqual(before[0], before[1])
  const { undo } = await instrument(recorder)
  for (const [n, method] of methods().entries()) assert.notEqual(method, before[n])
  undo()
  assert.deepEqual(methods(), before)
})

test('where nothing is found that is what the report says', async () => {
  const { recorder, events } = setUp()
  const { coverage } = await instrument(recorder, { modules: {} })
  assert.deepEqual(coverage, [])
  assert.deepEqual(
    (await events()).map(({ event_type, metadata }) => [event_type, (metadata as { package: string }).package]),
    [['instrumentation_report', 'none']],
  )
})

test('a module of an unknown version is tried, and nothing is said of its tests; what has nothing to replace cannot block', async () => {
  const { recorder } = setUp()
  class Completions {
    create() {}
  }
  const modules = { openai: { OpenAI: { Chat: { Completions } } }, '@anthropic-ai/sdk': { Anthropic: Object.freeze({}) } }
  const { coverage, undo } = await instrument(recorder, { modules })
  undo()
  const said = coverage.map((one) => [one.package, one.format, one.tested, one.can_block, one.patched])
  assert.deepEqual(said, [
    ['openai', 'given', undefined, true, ['Chat.Completions']],
    ['@anthropic-ai/sdk', 'given', undefined, false, []],
  ])
})

test('a version beyond those that the tests run with is tried, and said to be untested', async () => {
  const { recorder } = setUp()
  const adapters = ADAPTERS.filter(({ id }) => id === 'openai').map((adapter) => ({
    ...adapter,
    targets: adapter.targets.map((target) => ({ ...target, tested: [1, 6] as const })), // 7 is installed
  }))
  const { coverage, undo } = await instrument(recorder, { adapters })
  undo()
  assert.deepEqual(
    coverage.map(({ tested, can_block }) => [tested, can_block]),
    [
      [false, true],
      [false, true],
    ],
  )
})

test('who wrapped our method after us keeps their wrapper, and ours passes calls on', async () => {
  const { recorder, events } = setUp()
  class Completions {
    create(...args: unknown[]) {
      return args
    }
  }
  const { undo } = await instrument(recorder, { modules: { openai: { Chat: { Completions } } } })
  const ours = Completions.prototype.create
  Completions.prototype.create = function (...args) {
    return ['theirs', ...Reflect.apply(ours, this, args)]
  }
  undo()
  assert.deepEqual(new Completions().create(1, 2), ['theirs', 1, 2])
  assert.equal((await events()).length, 1)
})

test('an option that is misspelled is refused by name; a recorder that fails is not', async () => {
  const { recorder, port } = setUp()
  await assert.rejects(instrument(recorder, { module: {} } as object), new TypeError('unknown option "module"'))
  port.fail = new SwornError('APPEND_REFUSED', 'no space left')
  const { coverage } = await instrument(recorder, { modules: { openai: OpenAI } })
  assert.equal(coverage.length, 1)
})

test('every adapter says what it sees, stops and misses, and names its packages once', () => {
  const ids = ADAPTERS.map(({ id }: Adapter) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const { facts, targets } of ADAPTERS) {
    for (const fact of Object.values(facts)) assert.ok(fact.length > 5)
    assert.ok(targets.length > 0)
  }
})

const deny: Gate = {
  policy: { name: 'p' },
  judgeMethod: () => ({ decision: 'allow', reason: 'yes', reasonCode: 'default_allow' }),
  judge: async ({ name, input }) =>
    name === 'remove'
      ? { decision: 'deny', reason: 'no', reasonCode: 'tool_blocked' }
      : { decision: 'allow', reason: 'yes', reasonCode: 'matched_allowed_tools', input: { ...(input as object), limit: 1 } },
  inspect: (value) => ({ value, matches: [], blocked: false }),
}

test('a tool of the application is judged before it runs, with the input that the gate gives it, and keeps its this', async () => {
  const { recorder, events } = setUp()
  const search = wrapTool(
    recorder,
    'search',
    function search(this: { rows: string[] }, { limit }: { query: string; limit: number }) {
      return this.rows.slice(0, limit)
    },
    { gate: deny },
  )
  const remove = wrapTool(recorder, 'remove', async () => assert.fail('it ran'), { gate: deny })
  assert.deepEqual(await search.call({ rows: ['a', 'b'] }, { query: 'q', limit: 9 }), ['a'])
  await assert.rejects(remove(), (e) => SwornError.is(e, 'ACTION_DENIED') && e.message.includes('tool_blocked'))
  assert.deepEqual([search.name, search.length], ['search', 1])
  const recorded = (await events()).map(({ event_type, tool, decision }) => [event_type, tool, decision])
  assert.deepEqual(recorded, [
    ['authorization_decision', 'search', 'allow'],
    ['tool_call_start', 'search', undefined],
    ['tool_call_end', 'search', undefined],
    ['authorization_decision', 'remove', 'deny'],
  ])
})

test('a tool that throws does, with its own error, and several arguments arrive as they are', async () => {
  const { recorder, events } = setUp()
  const error = new RangeError('too far')
  const add = wrapTool(recorder, 'add', (a: number, b: number) => {
    if (b > 9) throw error
    return a + b
  })
  assert.equal(await add(1, 2), 3)
  await assert.rejects(add(1, 10), (e) => e === error)
  const last = (await events()).at(-1)
  assert.deepEqual([last?.event_type, last?.error_type], ['tool_call_error', 'RangeError'])
})

test('what happens when nothing can be recorded follows a reload, for what is installed already', async () => {
  const { recorder, port } = setUp()
  const tool = wrapTool(recorder, 'look', async () => 'the sea')
  port.fail = new SwornError('APPEND_REFUSED', 'no space left')
  await assert.rejects(tool(), { code: 'ACTION_DENIED' })
  recorder.prepare({ onAuditFailure: 'continue' })()
  assert.equal(await tool(), 'the sea')
  recorder.prepare({})()
  await assert.rejects(tool(), { code: 'ACTION_DENIED' })
})
