/** What the tests take of an older OpenAI Agents SDK: resolved from this folder, where it is installed. @module */
export * as agents from '@openai/agents-core'
