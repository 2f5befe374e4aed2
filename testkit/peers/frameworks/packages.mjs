/** What the tests take of Mastra and Genkit: resolved from this folder, where it is installed. @module */
export * as mastraAgent from '@mastra/core/agent'
export * as mastraTools from '@mastra/core/tools'
export * as genkit from 'genkit'
export * as genkitRegistry from 'genkit/registry'
