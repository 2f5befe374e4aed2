/** The OpenAI Agents SDK, the newest and an older one, through the contract; handoffs, agents as tools, the shell. @module */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import * as newest from '@openai/agents-core'
import { ADAPTERS, instrument } from '@sworn/instrument'
import { createRecorder, type Gate } from '@sworn/recorder'
import { type AdapterPeer, adapterContract } from '../../../testkit/src/adapter-contract.ts'
import { loadPeer, missing } from '../../../testkit/src/peer.ts'
import { memoryPort } from '../../recorder/test/support/memory-port.ts'

type Sdk = typeof newest
type Item = newest.AgentOutputItem

const adapters = ADAPTERS.filter(({ id }) => id === 'openai-agents')
const PKG = '@openai/agents-core'
const SCHEMA = { type: 'object' as const, properties: {}, required: [], additionalProperties: true as const }

const call = (name: string, args: unknown, callId = 'call_1'): Item => ({
  type: 'function_call',
  callId,
  name,
  status: 'completed',
  arguments: JSON.stringify(args),
})
const say = (text: string): Item => ({
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text }],
})

/** A model that says what the script says, a turn at a time. */
function scripted(sdk: Sdk, turns: readonly (() => Item[])[]): newest.Model {
  let turn = 0
  const respond = () => ({
    usage: new sdk.Usage({ inputTokens: 7, outputTokens: 5, totalTokens: 12 }),
    output: turns[turn++]?.() ?? [say('done')],
  })
  return {
    getResponse: async () => respond(),
    async *getStreamedResponse() {
      const { usage, output } = respond()
      yield { type: 'response_done', response: { id: 'r', usage, output } } as unknown as newest.StreamEvent // members that both versions read
    },
  }
}

function peerOf(sdk: Sdk, isStreamed: boolean): () => Promise<AdapterPeer> {
  return async () => {
    let effects = 0
    const echo = sdk.tool({
      name: 'echo',
      description: 'says it again',
      parameters: SCHEMA,
      strict: false,
      execute: async (input: unknown) => {
        effects++
        return JSON.stringify(input)
      },
    })
    const failing = sdk.tool({
      name: 'fail',
      description: 'fails',
      parameters: SCHEMA,
      strict: false,
      errorFunction: null,
      execute: async () => {
        throw new RangeError('the tool broke')
      },
    })
    const run = async (name: string, said: unknown): Promise<string> => {
      const model = scripted(sdk, [() => [call(name, { said })]])
      const agent = new sdk.Agent({ name: 'Reader', model, tools: [echo, failing], toolUseBehavior: 'stop_on_first_tool' })
      if (!isStreamed) return String((await sdk.run(agent, 'go')).finalOutput)
      const streamed = await sdk.run(agent, 'go', { stream: true })
      for await (const _ of streamed);
      return String(streamed.finalOutput)
    }
    return {
      install: (recorder, deciding) => instrument(recorder, { ...deciding, modules: { [PKG]: sdk }, adapters }),
      act: (input) => run('echo', input),
      fail: () => run('fail', 'x'),
      effects: () => effects,
      method: () => sdk.Agent.prototype.getAllTools,
      close: async () => undefined,
    }
  }
}

newest.setTraceProcessors([]) // spans are made, and go nowhere

adapterContract('OpenAI Agents 0.20', peerOf(newest, false))
adapterContract('OpenAI Agents 0.20, streamed', peerOf(newest, true))

describe('OpenAI Agents 0.2', { skip: missing('openai-agents') }, async () => {
  if (missing('openai-agents')) return
  const { agents } = await loadPeer<{ agents: Sdk }>('openai-agents')
  agents.setTraceProcessors([])
  agents.setDefaultModelProvider({ getModel: () => Promise.reject(new Error('every agent has a model')) })
  adapterContract('OpenAI Agents 0.2', peerOf(agents, false))
})

const GATE: Gate = {
  policy: { name: 'test' },
  judgeMethod: () => ({ decision: 'allow', reason: 'x', reasonCode: 'default_allow' }),
  judge: async ({ name, input }) => ({
    decision: name === 'look' || JSON.stringify(input).includes('rm') ? 'deny' : 'allow',
    reason: 'x',
    reasonCode: 'tool_not_allowed',
  }),
  inspect: (value) => ({ value, matches: [], blocked: false }),
}

type Event = Readonly<Record<string, unknown>>

const LEFT = ['instrumentation_report', 'authorization_decision']

/** What is recorded of `act`, but what was found and what was decided. */
async function eventsOf(act: () => Promise<unknown>, gate?: Gate, left = LEFT): Promise<readonly Event[]> {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { undo } = await instrument(recorder, { modules: { [PKG]: newest }, adapters, ...(gate && { gate }) })
  try {
    await act()
    await recorder.flush()
    return port.events().filter(({ event_type }) => !left.includes(String(event_type)))
  } finally {
    undo()
  }
}

const look = () => newest.tool({ name: 'look', description: 'looks', parameters: SCHEMA, strict: false, execute: async () => 'the sea' })
const typesOf = (events: readonly Event[]) => events.map(({ event_type, agent_id }) => `${event_type} ${agent_id}`)

test('a handoff is recorded, and what follows is the subagent’s, below the call that handed over', async () => {
  const pilot = new newest.Agent({ name: 'Pilot', model: scripted(newest, [() => [call('look', {}, 'call_2')]]), tools: [look()] })
  const captain = newest.Agent.create({
    name: 'Captain',
    model: scripted(newest, [() => [call('look', {})], () => [call('transfer_to_Pilot', {}, 'call_h')]]),
    tools: [look()],
    handoffs: [pilot],
  })
  const events = await eventsOf(() => newest.run(captain, 'go'))
  assert.deepEqual(typesOf(events), [
    'tool_call_start Captain',
    'tool_call_end Captain',
    'tool_call_start Captain',
    'subagent_start Pilot',
    'tool_call_end Captain',
    'tool_call_start Pilot',
    'tool_call_end Pilot',
  ])
  const [, , handoff, begun, , start] = events
  assert.deepEqual([handoff?.tool, (handoff?.metadata as { kind?: string } | undefined)?.kind], ['transfer_to_Pilot', 'handoff'])
  for (const event of [begun, start]) {
    assert.equal((event?.agent as { parent_agent_id?: string } | undefined)?.parent_agent_id, 'Captain')
    assert.equal(event?.parent_id, handoff?.correlation_id)
  }
})

test('a handoff that a policy denies ends the run, and nobody takes over', async () => {
  const pilot = new newest.Agent({ name: 'Pilot', model: scripted(newest, [() => [call('listen', {}, 'call_2')]]) })
  const captain = newest.Agent.create({
    name: 'Captain',
    model: scripted(newest, [() => [call('transfer_to_Pilot', {}, 'call_h')]]),
    handoffs: [pilot],
  })
  const denying: Gate = {
    ...GATE,
    judge: async (action) => GATE.judge({ ...action, name: action.kind === 'handoff' ? 'look' : action.name }),
  }
  const events = await eventsOf(() => assert.rejects(newest.run(captain, 'go'), /tool_not_allowed/), denying, ['instrumentation_report'])
  assert.deepEqual(
    events.map(({ event_type, tool, decision }) => [event_type, tool, decision]),
    [['authorization_decision', 'transfer_to_Pilot', 'deny']],
  )
})

test('a tool of an MCP server is judged and recorded as a tool of the agent', async () => {
  const called: string[] = []
  const tools = ['look', 'listen'].map((name) => ({ name, inputSchema: SCHEMA }))
  const server = {
    name: 'sea',
    cacheToolsList: false,
    connect: async () => undefined,
    close: async () => undefined,
    invalidateToolsCache: async () => undefined,
    listTools: async () => tools,
    async callTool(name: string) {
      called.push(name)
      return [{ type: 'text', text: 'waves' }]
    },
  }
  const model = scripted(newest, [() => [call('look', {}, 'call_a'), call('listen', {}, 'call_b')]])
  const agent = new newest.Agent({ name: 'A', model, mcpServers: [server as never] })
  const events = await eventsOf(() => newest.run(agent, 'go'), GATE)
  assert.deepEqual(called, ['listen'])
  assert.deepEqual(
    events.map(({ event_type, tool }) => [event_type, tool]),
    [
      ['tool_call_start', 'listen'],
      ['tool_call_end', 'listen'],
    ],
  )
})

test('a patch is judged before the editor has it: what is refused changes nothing, and the model reads why', async () => {
  const edited: string[] = []
  const edit = async ({ path }: { path: string }) => {
    edited.push(path)
    return { status: 'completed' as const, output: 'done' }
  }
  const editor = { createFile: edit, updateFile: edit, deleteFile: edit }
  const patch = (path: string): Item => ({
    type: 'apply_patch_call',
    callId: path,
    status: 'completed',
    operation: { type: 'create_file', path, diff: '+x' },
  })
  const model = scripted(newest, [() => [patch('notes.txt')], () => [patch('rm.txt')]])
  let last = ''
  const events = await eventsOf(async () => {
    const { newItems } = await newest.run(new newest.Agent({ name: 'A', model, tools: [newest.applyPatchTool({ editor })] }), 'go')
    last = JSON.stringify(newItems.filter(({ type }) => type === 'tool_call_output_item').at(-1)?.rawItem)
  }, GATE)
  assert.deepEqual(edited, ['notes.txt'])
  assert.match(last, /tool_not_allowed/)
  assert.deepEqual([events[0]?.tool, (events[0]?.arguments as { path?: string } | undefined)?.path], ['apply_patch', 'notes.txt'])
})

test('an agent that is another agent’s tool is its subagent', async () => {
  const pilot = new newest.Agent({ name: 'Pilot', model: scripted(newest, [() => [call('look', {}, 'call_2')]]), tools: [look()] })
  const asTool = pilot.asTool({ toolName: 'ask_pilot', toolDescription: 'asks' })
  const captain = new newest.Agent({
    name: 'Captain',
    model: scripted(newest, [() => [call('ask_pilot', { input: 'go' })]]),
    tools: [asTool],
  })
  const events = await eventsOf(() => newest.run(captain, 'go'))
  assert.deepEqual(typesOf(events), ['tool_call_start Captain', 'tool_call_start Pilot', 'tool_call_end Pilot', 'tool_call_end Captain'])
  assert.equal(events[1]?.parent_id, events[0]?.correlation_id)
  assert.equal((events[1]?.agent as { parent_agent_id?: string } | undefined)?.parent_agent_id, 'Captain')
})

test('parallel calls: one is refused, the other one is done, and the model reads why', async () => {
  const listen = newest.tool({ name: 'listen', description: 'listens', parameters: SCHEMA, strict: false, execute: async () => 'waves' })
  const model = scripted(newest, [() => [call('look', {}, 'call_a'), call('listen', {}, 'call_b')]])
  let outputs: unknown[] = []
  const events = await eventsOf(async () => {
    const { newItems } = await newest.run(new newest.Agent({ name: 'A', model, tools: [look(), listen] }), 'go')
    outputs = newItems.filter(({ type }) => type === 'tool_call_output_item').map((item) => (item as { output?: unknown }).output)
  }, GATE)
  assert.deepEqual(outputs, ['Forbidden (tool_not_allowed)', 'waves'])
  assert.deepEqual(typesOf(events), ['tool_call_start A', 'tool_call_end A'])
})

test('a local shell is judged: what is refused is not run, and the model reads why', async () => {
  const ran: unknown[] = []
  const shell = newest.shellTool({
    shell: {
      run: async ({ commands }) => {
        ran.push(...commands)
        return { output: [{ stdout: 'ok', stderr: '', outcome: { type: 'exit', exitCode: 0 } }] }
      },
    },
  })
  const shellCall = (command: string): Item => ({
    type: 'shell_call',
    callId: command,
    status: 'completed',
    action: { commands: [command] },
  })
  const model = scripted(newest, [() => [shellCall('ls')], () => [shellCall('rm -r /')]])
  let last = ''
  const events = await eventsOf(async () => {
    const { newItems } = await newest.run(new newest.Agent({ name: 'A', model, tools: [shell] }), 'go')
    last = JSON.stringify(newItems.filter(({ type }) => type === 'tool_call_output_item').at(-1)?.rawItem)
  }, GATE)
  assert.deepEqual(ran, ['ls'])
  assert.match(last, /tool_not_allowed/)
  assert.deepEqual([events[0]?.tool, events[0]?.arguments], ['shell', { commands: ['ls'] }])
})

test('an error that a tool tells the model is an error in the record', async () => {
  const broken = newest.tool({
    name: 'broken',
    description: 'breaks',
    parameters: SCHEMA,
    strict: false,
    execute: async () => {
      throw new RangeError('no')
    },
  })
  const model = scripted(newest, [() => [call('broken', {})]])
  const events = await eventsOf(() => newest.run(new newest.Agent({ name: 'A', model, tools: [broken] }), 'go'))
  assert.deepEqual([events.at(-1)?.event_type, events.at(-1)?.error_type], ['tool_call_error', 'tool_error'])
})

test('seen when it is loaded, in a file of its own', async () => {
  const port = memoryPort()
  const recorder = createRecorder({ port })
  const { coverage, undo } = await instrument(recorder, { find: 'as_loaded', adapters })
  const sdk = createRequire(import.meta.url)(PKG) as Sdk // the other form: this one was loaded before
  sdk.setTraceProcessors([])
  const tool = sdk.tool({ name: 'look', description: 'looks', parameters: SCHEMA, strict: false, execute: async () => 'the sea' })
  await sdk.run(new sdk.Agent({ name: 'A', model: scripted(sdk, [() => [call('look', {})]]), tools: [tool] }), 'go', {})
  undo()
  await recorder.flush()
  const loaded = coverage.filter(({ format }) => format === 'cjs').map(({ patched, can_block }) => [patched.join(), can_block])
  assert.deepEqual(loaded.toSorted(), [
    ['Agent.tools,Agent.handoffs', true],
    ['spans', false],
  ])
  assert.equal(port.events().filter(({ event_type }) => event_type === 'tool_call_start').length, 1)
})
