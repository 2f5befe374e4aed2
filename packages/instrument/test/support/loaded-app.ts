/**
 * An application that loads one SDK after the other when sworn's hooks are there already, and has each do one thing.
 * Prints what was recorded, and by whom. Run by `nodes.test.ts` on every supported Node.
 * @module
 */
import { instrument } from '@sworn/instrument'
import { createRecorder } from '@sworn/recorder'
import { startFakeModel } from '../../../../testkit/src/fake-model.ts'
import { loadPeer } from '../../../../testkit/src/peer.ts'
import { memoryPort } from '../../../recorder/test/support/memory-port.ts'

const port = memoryPort()
const recorder = createRecorder({ port })
const { coverage } = await instrument(recorder, { find: 'as_loaded' })
const model = await startFakeModel(({ body }) => {
  const isAnswered = JSON.stringify(body.messages ?? []).includes('"tool_call_id"')
  return Array.isArray(body.tools) && !isAnswered ? { tools: [{ id: 'call_1', name: 'look', args: {} }] } : { text: 'done' }
})
const look = async () => 'seen'

async function useGenai(): Promise<void> {
  const { GoogleGenAI } = await import('@google/genai')
  await new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: model.url } }).models.generateContent({ model: 'm', contents: 'go' })
}

async function useLangchain(): Promise<void> {
  const { tools } = await loadPeer<{ tools: { tool(run: unknown, fields: object): { invoke(input: object): Promise<unknown> } } }>(
    'langchain',
  )
  await tools.tool(look, { name: 'look', description: 'looks', schema: { type: 'object', properties: {} } }).invoke({})
}

async function useOpenaiAgents(): Promise<void> {
  const { Agent, run, setTraceProcessors, tool, Usage } = await import('@openai/agents-core')
  setTraceProcessors([])
  const call = { type: 'function_call', callId: 'call_1', name: 'look', arguments: '{}', status: 'completed' } as const
  const scripted = { getResponse: async () => ({ usage: new Usage(), output: [call] }), getStreamedResponse: () => [] as never }
  const parameters = { type: 'object' as const, properties: {}, required: [], additionalProperties: true as const }
  const tools = [tool({ name: 'look', description: 'looks', parameters, strict: false, execute: look })]
  await run(new Agent({ name: 'Reader', model: scripted, tools, toolUseBehavior: 'stop_on_first_tool' }), 'go')
}

interface Frameworks {
  readonly mastraAgent: { Agent: new (config: object) => { generate(prompt: string): Promise<unknown> } }
  readonly mastraTools: { createTool(config: object): unknown }
  readonly genkit: {
    genkit(options: object): {
      defineModel(options: object, answer: () => Promise<object>): unknown
      defineTool(config: object, run: () => Promise<unknown>): unknown
      generate(options: object): Promise<unknown>
    }
    z: { object(shape: object): unknown }
  }
}

async function useFrameworks(): Promise<void> {
  const { mastraAgent, mastraTools, genkit } = await loadPeer<Frameworks>('frameworks')
  const inputSchema = genkit.z.object({})
  const tool = mastraTools.createTool({ id: 'look', description: 'looks', inputSchema, execute: look })
  const custom = { id: 'custom/m', url: `${model.url}/v1`, apiKey: 'none' }
  await new mastraAgent.Agent({ id: 'a', name: 'a', instructions: 'x', model: custom, tools: { look: tool } }).generate('go')
  const ai = genkit.genkit({})
  let turn = 0
  const fake = ai.defineModel({ name: 'fake', supports: { tools: true, multiturn: true } }, async () => ({
    finishReason: 'stop',
    message: { role: 'model', content: [turn++ === 0 ? { toolRequest: { name: 'look', ref: 'call_1', input: {} } } : { text: 'done' }] },
  }))
  await ai.generate({ model: fake, prompt: 'go', tools: [ai.defineTool({ name: 'look', description: 'looks', inputSchema }, look)] })
}

for (const use of [useGenai, useLangchain, useOpenaiAgents, useFrameworks]) await use()
await recorder.flush()
await model.close()
const ends = port.events().filter(({ event_type }) => event_type === 'tool_call_end' || event_type === 'model_response')
const seen = new Set(ends.map(({ event_type, source }) => `${(source as { name: string }).name} ${event_type}`))
const loaded = new Set(coverage.filter(({ format, can_block }) => format === 'esm' && can_block).map(({ package: name }) => name))
console.log(JSON.stringify({ node: process.versions.node, seen: [...seen].toSorted(), loaded: [...loaded].toSorted() }))
process.exit(0) // Genkit and Mastra keep the process
