/** The SDK as its application imports it: resolved from this folder, where it is installed. @module */
export * as agent from '@anthropic-ai/claude-agent-sdk'
