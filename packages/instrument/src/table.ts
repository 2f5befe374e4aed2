/** Every adapter. A new one is a line here, its test one call of `testkit/src/adapter-contract.ts`. @module */
import type { Adapter } from './adapter.ts'
import { aiSdk } from './frameworks/ai-sdk.ts'
import { claudeAgentSdk } from './frameworks/claude-agent-sdk.ts'
import { genkit } from './frameworks/genkit.ts'
import { langchain } from './frameworks/langchain.ts'
import { mastra } from './frameworks/mastra.ts'
import { openaiAgents } from './frameworks/openai-agents.ts'
import { mcp } from './mcp/adapter.ts'
import { anthropic } from './models/anthropic.ts'
import { googleGenai } from './models/google-genai.ts'
import { openai } from './models/openai.ts'
import { wireFetch } from './wire/fetch.ts'
import { unseen } from './wire/unseen.ts'

export const ADAPTERS: readonly Adapter[] = [
  mcp,
  openai,
  anthropic,
  googleGenai,
  aiSdk,
  langchain,
  openaiAgents,
  claudeAgentSdk,
  mastra,
  genkit,
  wireFetch,
  unseen,
]
