/**
 * The Claude Agent SDK with the agent that it runs, against a fake model: what every adapter must do, by `claudeHooks`.
 *
 * Its tools are functions of this process, so that what ran can be counted. There is nothing to give back: hooks are options
 * of a call. Arguments come from another process as JSON, so nothing else can be in them.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createRecorder, type Recorder, SwornError } from '@sworn/recorder'
import { openRecorder } from 'sworn'
import { claudeHooks, claudePermissions } from 'sworn/instrument'
import { z } from 'zod'
import { type FakeModel, startFakeModel } from '../../../testkit/src/fake-model.ts'
import type { ToolUse } from '../../../testkit/src/fake-model-dialects.ts'
import { loadPeer, missing } from '../../../testkit/src/peer.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'
import { temporary } from './support/io.ts'

const CLAUDE = fileURLToPath(
  new URL('../../../testkit/peers/claude-code/node_modules/@anthropic-ai/claude-code-linux-x64/claude', import.meta.url),
)
const notRun =
  process.env.SWORN_TESTS !== 'full'
    ? 'runs with SWORN_TESTS=full'
    : missing('claude-agent-sdk') || (!existsSync(CLAUDE) && 'NOT RUN: npm ci --ignore-scripts --prefix testkit/peers/claude-code')

type Handler = (input: { text: string }) => Promise<{ content: readonly { type: 'text'; text: string }[] }>

interface AgentSdk {
  query(call: { prompt: string; options: object }): AsyncIterable<{ readonly type: string }>
  tool(name: string, description: string, schema: object, handler: Handler): object
  createSdkMcpServer(server: { name: string; tools: readonly object[] }): object
}

type Entry = Readonly<Record<string, unknown>>

const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata: {name: inside}
spec:
  allowed_tools: [mcp__app__echo, mcp__app__fail]
  dlp:
    scan_requests: true
    patterns: [{name: AWS Key, regex: "AKIA[A-Z0-9]{16}"}]
`

async function openWithPolicy() {
  const folder = temporary()
  writeFileSync(join(folder, 'agent.yaml'), POLICY)
  const path = join(folder, 'audit')
  const recorder = await openRecorder({ path, policy: join(folder, 'agent.yaml') })
  return {
    recorder,
    async entries(): Promise<readonly Entry[]> {
      await recorder.close()
      const files = globSync('**/*.jsonl', { cwd: path }).toSorted()
      return files.flatMap((file) => readFileSync(join(path, file), 'utf8').trim().split('\n')).map((line) => JSON.parse(line))
    },
  }
}

const call = (id: string, text: string, tool = 'echo'): ToolUse => ({ id, name: `mcp__app__${tool}`, args: { text } })
const textOf = (entry: Entry | undefined): string => String((entry?.arguments as { text?: string } | undefined)?.text)
const isCall = ({ event_type }: Entry) => /^(authorization_decision|tool_call_)/.test(String(event_type))
const wordsOf = (entries: readonly Entry[]) =>
  entries
    .filter(isCall)
    .map(({ event_type, decision, reason_code, error_type }) =>
      [event_type, decision, decision === 'deny' ? reason_code : error_type].filter(Boolean).join(' '),
    )

test('every event that has a hook of ours is one that the SDK tells', { skip: missing('claude-agent-sdk') }, async () => {
  const { agent } = await loadPeer<{ agent: { HOOK_EVENTS: readonly string[] } }>('claude-agent-sdk')
  const events = Object.keys(claudeHooks(createRecorder({ port: memoryPort() })))
  assert.deepEqual(
    events.filter((event) => !agent.HOOK_EVENTS.includes(event)),
    [],
  )
  assert.ok(['PreToolUse', 'PostToolUse', 'PostToolUseFailure', 'Stop'].every((event) => events.includes(event)))
})

describe('the Claude Agent SDK with its agent', { skip: notRun, timeout: 180_000 }, () => {
  let model: FakeModel
  let agent: AgentSdk
  let asks: readonly ToolUse[] = []
  let ran: string[] = []
  let isFirst = true
  before(async () => {
    model = await startFakeModel(({ body }) => {
      if (!Array.isArray(body.tools) || body.tools.length === 0) return { text: 'ok' }
      const turn = isFirst ? { tools: asks } : { text: 'done' }
      isFirst = false
      return turn
    })
    ;({ agent } = await loadPeer<{ agent: AgentSdk }>('claude-agent-sdk'))
  })
  after(() => model.close())

  /** One run in which the model asks for `calls` at once. @returns what the model was told of them */
  async function run(calls: readonly ToolUse[], options: object): Promise<string> {
    ;[asks, ran, isFirst] = [calls, [], true]
    const saying: Handler = async ({ text }) => {
      ran.push(text)
      return { content: [{ type: 'text', text }] }
    }
    const tools = [
      agent.tool('echo', 'says it again', { text: z.string() }, saying),
      agent.tool('unlisted', 'says it again', { text: z.string() }, saying),
      agent.tool('fail', 'fails', { text: z.string() }, async () => {
        throw new RangeError('the tool broke')
      }),
    ]
    const home = temporary()
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: 'fake',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ENABLE_TOOL_SEARCH: 'false', // tools are there from the first turn
    }
    const mcpServers = { app: agent.createSdkMcpServer({ name: 'app', tools }) }
    const allowedTools = ['mcp__app__echo', 'mcp__app__fail', 'mcp__app__unlisted']
    const given = { env, cwd: home, pathToClaudeCodeExecutable: CLAUDE, mcpServers, allowedTools, ...options }
    const types = new Set<string>()
    for await (const { type } of agent.query({ prompt: 'do it', options: given })) types.add(type)
    assert.ok(types.has('result'))
    return told()
  }

  /** What the model was told of its calls. */
  function told(): string {
    const messages = model.requests.flatMap(({ body }) => (body.messages ?? []) as readonly { content: unknown }[])
    const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
    return JSON.stringify(parts.filter(({ type, tool_use_id: id }) => type === 'tool_result' && asks.some((one) => one.id === id)))
  }

  test('nothing runs before its decision is on disk; parallel calls are told apart', async () => {
    const { recorder, entries } = await openWithPolicy()
    const answered = await run(
      ['a', 'b', 'c'].map((text) => call(`toolu_${text}`, text)),
      { hooks: claudeHooks(recorder) },
    )
    assert.deepEqual(ran.toSorted(), ['a', 'b', 'c'])
    assert.match(answered, /toolu_a.*toolu_b.*toolu_c/)
    const calls = Map.groupBy((await entries()).filter(isCall), ({ correlation_id }) => correlation_id)
    assert.equal(calls.size, 3)
    for (const [decision, start, end] of calls.values()) {
      assert.deepEqual(wordsOf([decision!, start!, end!]), ['authorization_decision allow', 'tool_call_start', 'tool_call_end'])
      assert.match(JSON.stringify(end?.result), RegExp(textOf(start)))
    }
  })

  test('an error is the tool’s, and recorded', async () => {
    const { recorder, entries } = await openWithPolicy()
    const answered = await run([call('toolu_1', 'x', 'fail')], { hooks: claudeHooks(recorder) })
    assert.match(answered, /the tool broke/)
    assert.deepEqual(wordsOf(await entries()), ['authorization_decision allow', 'tool_call_start', 'tool_call_error'])
  })

  test('what a policy denies, or finds a secret in, does not run; the others go on', async () => {
    const { recorder, entries } = await openWithPolicy()
    const calls = [call('toolu_1', 'unlisted', 'unlisted'), call('toolu_2', 'AKIAQYLPMN5HHHFPZAM2'), call('toolu_3', 'welcome')]
    const answered = await run(calls, { hooks: claudeHooks(recorder) })
    assert.deepEqual(ran, ['welcome'])
    assert.match(answered, /tool_not_allowed.*dlp_blocked/)
    assert.equal(wordsOf(await entries()).filter((word) => word.startsWith('authorization_decision deny')).length, 2)
  })

  test('given twice it records once', async () => {
    const { recorder, entries } = await openWithPolicy()
    const [first, second] = [claudeHooks(recorder), claudeHooks(recorder)]
    const hooks = Object.fromEntries(Object.entries(first).map(([event, matchers]) => [event, [...matchers, ...second[event]!]]))
    await run([call('toolu_1', 'once')], { hooks })
    assert.deepEqual(wordsOf(await entries()), ['authorization_decision allow', 'tool_call_start', 'tool_call_end'])
  })

  for (const [onAuditFailure, runs] of [['block', []] as const, ['continue', ['hello']] as const])
    test(`without a recorder and with on_audit_failure ${onAuditFailure}, ${runs.length} of 1 call runs`, async () => {
      const port = memoryPort()
      const recorder: Recorder = createRecorder({ port, onAuditFailure })
      const hooks = claudeHooks(recorder)
      port.fail = new SwornError('APPEND_REFUSED', 'no space left')
      await run([call('toolu_1', 'hello')], { hooks })
      assert.deepEqual(ran, runs)
    })

  test('a large input goes over whole; its record is bounded', async () => {
    const { recorder, entries } = await openWithPolicy()
    const text = 'é'.repeat(300_000)
    await run([call('toolu_1', text)], { hooks: claudeHooks(recorder) })
    assert.deepEqual(
      ran.map(({ length }) => length),
      [text.length],
    )
    const recorded = (await entries()).filter(isCall)
    assert.deepEqual(wordsOf(recorded), ['authorization_decision allow', 'tool_call_start', 'tool_call_end'])
    assert.ok(recorded.every((entry) => JSON.stringify(entry).length < 2_000_000))
  })

  test('an agent that is stopped during a call leaves its start without an end', async () => {
    const { recorder, entries } = await openWithPolicy()
    const abortController = new AbortController()
    const slow = agent.tool('echo', 'says it again', { text: z.string() }, async () => {
      abortController.abort()
      return new Promise(() => {})
    })
    const mcpServers = { app: agent.createSdkMcpServer({ name: 'app', tools: [slow] }) }
    await assert.rejects(run([call('toolu_1', 'hello')], { hooks: claudeHooks(recorder), abortController, mcpServers }))
    assert.deepEqual(wordsOf(await entries()), ['authorization_decision allow', 'tool_call_start'])
  })

  test('what canUseTool denies ends as denied; what it allows runs', async () => {
    const { recorder, entries } = await openWithPolicy()
    const asked: string[] = []
    const canUseTool = claudePermissions(recorder, async (_tool: string, input: Record<string, unknown>, _: { toolUseID: string }) => {
      asked.push(String(input.text))
      return input.text === 'no' ? { behavior: 'deny', message: 'not today' } : { behavior: 'allow', updatedInput: input }
    })
    const hooks = claudeHooks(recorder)
    const answered = await run([call('toolu_1', 'no'), call('toolu_2', 'yes')], { hooks, canUseTool, allowedTools: [] })
    assert.deepEqual([asked.toSorted(), ran], [['no', 'yes'], ['yes']])
    assert.match(answered, /not today/)
    const ends = (await entries()).filter(({ event_type }) => /tool_call_(end|error)/.test(String(event_type)))
    assert.deepEqual(wordsOf(ends).toSorted(), ['tool_call_end', 'tool_call_error denied'])
  })
})
