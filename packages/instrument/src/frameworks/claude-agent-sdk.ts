/**
 * The Claude Agent SDK, which runs Claude Code as a process of its own: from here it is only found.
 *
 * What it does is told to `claudeHooks` of `sworn/instrument`, which has a report of its own.
 * @module
 */
import type { Adapter } from '../adapter.ts'

const PKG = '@anthropic-ai/claude-agent-sdk'

export const claudeAgentSdk: Adapter = {
  id: 'claude-agent-sdk',
  layer: 'framework',
  facts: {
    sees: 'nothing by itself; with `claudeHooks` tools, prompts, permissions and subagents, as Claude Code tells its hooks',
    stops: 'nothing by itself; with `claudeHooks` every tool',
    misses:
      'models, the begin and the end of a session, a permission that `canUseTool` denies without `claudePermissions` (its call ends as unknown)',
  },
  canBlock: () => false,
  targets: [{ pkg: PKG, entries: [PKG], tested: [0, 0], isGlobal: true, files: [] }],
  patch: () => [],
}
