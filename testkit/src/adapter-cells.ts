/**
 * What each run of the adapter contract asserts, with which real package: the tests expect what stands here, and
 * docs/reference/instrument.md shows it. A rule holds that each is run, and that every major that an adapter names is here.
 * @module
 */
export interface Cell {
  readonly adapter: string
  /** The dependency that it runs with, of the workspace or of `testkit/peers/FOLDER`. */
  readonly from: string
  /** How it gets hold of the package. */
  readonly by: 'instrument' | 'register'
  readonly acts: 'tools' | 'models'
  /** A policy is asked, and what it denies does not happen. */
  readonly isJudged: boolean
  /** What cannot be recorded does not happen. */
  readonly canStop: boolean
  /** What has to be masked in the arguments is masked before the other end has it, or the call is refused. */
  readonly given: 'masked' | 'refused' | 'passes'
  /** What has to be masked in the answer is, or passes and the record says that nothing was done. */
  readonly answered: 'masked' | 'passes'
  /** Runs the contract of streams too. */
  readonly streams?: true
}

const TOOLS = { by: 'instrument', acts: 'tools', isJudged: true, canStop: true, given: 'masked', answered: 'masked' } as const
const MODELS = { by: 'instrument', acts: 'models', isJudged: false, canStop: true, given: 'passes', answered: 'passes' } as const
const STREAMS = { ...MODELS, streams: true } as const

const sdk = { openai: { adapter: 'openai', ...STREAMS }, anthropic: { adapter: 'anthropic', ...STREAMS } } as const
const ai = { adapter: 'ai-sdk', ...TOOLS } as const
const mcp = { adapter: 'mcp', ...TOOLS } as const
const agents = { adapter: 'openai-agents', ...TOOLS } as const
const wire = { adapter: 'fetch', from: 'node', ...STREAMS } as const

export const CELLS = {
  'MCP 1.x, client': { ...mcp, from: '@modelcontextprotocol/sdk' },
  'MCP 1.x, server': { ...mcp, from: '@modelcontextprotocol/sdk' },
  'MCP 2.x, client': { ...mcp, from: '@modelcontextprotocol/client' },
  'MCP 2.x, server': { ...mcp, from: '@modelcontextprotocol/server' },
  'openai 5, chat completions': { ...sdk.openai, from: 'openai5' },
  'openai 5, responses': { ...sdk.openai, from: 'openai5' },
  'openai 6, chat completions': { ...sdk.openai, from: 'openai6' },
  'openai 6, responses': { ...sdk.openai, from: 'openai6' },
  'openai 7, chat completions': { ...sdk.openai, from: 'openai' },
  'openai 7, responses': { ...sdk.openai, from: 'openai' },
  'anthropic 0, messages': { ...sdk.anthropic, from: 'anthropic0' },
  'anthropic 0, beta messages': { ...sdk.anthropic, from: 'anthropic0' },
  'anthropic 1, messages': { ...sdk.anthropic, from: '@anthropic-ai/sdk' },
  'anthropic 1, beta messages': { ...sdk.anthropic, from: '@anthropic-ai/sdk' },
  'google-genai 2, models': { adapter: 'google-genai', from: 'genai2', ...STREAMS },
  'google-genai 2, tools': { adapter: 'google-genai', from: 'genai2', ...TOOLS },
  'google-genai 3, models': { adapter: 'google-genai', from: '@google/genai', ...STREAMS },
  'google-genai 3, tools': { adapter: 'google-genai', from: '@google/genai', ...TOOLS },
  'AI SDK 5, tools, loaded': { ...ai, from: 'ai5', by: 'register' },
  'AI SDK 5, models, loaded': { ...ai, ...MODELS, from: 'ai5', by: 'register' },
  'AI SDK 6, tools': { ...ai, from: 'ai6', isJudged: false, canStop: false, given: 'passes', answered: 'passes' },
  'AI SDK 6, tools, loaded': { ...ai, from: 'ai6', by: 'register' },
  'AI SDK 6, models, loaded': { ...ai, ...MODELS, from: 'ai6', by: 'register' },
  'AI SDK 7, tools': { ...ai, from: 'ai', given: 'refused', answered: 'passes' },
  'AI SDK 7, tools, loaded': { ...ai, from: 'ai', by: 'register' },
  'LangChain 0.3, tools': { adapter: 'langchain', from: 'langchain/langchain-core-0', ...TOOLS },
  'LangChain 0.3, models': { adapter: 'langchain', from: 'langchain/langchain-core-0', ...STREAMS },
  'LangChain 1, tools': { adapter: 'langchain', from: 'langchain/@langchain/core', ...TOOLS },
  'LangChain 1, models': { adapter: 'langchain', from: 'langchain/@langchain/core', ...STREAMS },
  'OpenAI Agents 0.2': { ...agents, from: 'openai-agents/@openai/agents-core' },
  'OpenAI Agents 0.20': { ...agents, from: '@openai/agents-core' },
  'OpenAI Agents 0.20, streamed': { ...agents, from: '@openai/agents-core' },
  'Mastra 1, tools': { adapter: 'mastra', from: 'frameworks/@mastra/core', ...TOOLS },
  'Mastra 1, models': { adapter: 'mastra', from: 'frameworks/@mastra/core', ...MODELS },
  'Genkit 1, tools': { adapter: 'genkit', from: 'frameworks/genkit', ...TOOLS },
  'Genkit 1, models': { adapter: 'genkit', from: 'frameworks/genkit', ...MODELS },
  'fetch, OpenAI chat completions': wire,
  'fetch, OpenAI Responses': wire,
  'fetch, Anthropic Messages': wire,
  'fetch, Gemini': wire,
} as const satisfies Readonly<Record<string, Cell>>

export type CellName = keyof typeof CELLS
