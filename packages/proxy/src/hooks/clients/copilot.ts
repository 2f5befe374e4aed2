/**
 * GitHub Copilot CLI: no call ids, and no event name in the payload, so the command line carries it.
 * Source: its CLI hooks reference (camelCase form); 1.0.102 measured.
 * @module
 */
import type { HookClient } from '../types.ts'

const STATUS = { success: 'ok', failure: 'error', error: 'error', denied: 'denied' } as const

export const copilot: HookClient = {
  name: 'copilot',
  events: {
    sessionStart: 'session_start',
    sessionEnd: 'session_end',
    userPromptSubmitted: 'prompt',
    preToolUse: 'before',
    postToolUse: 'after',
    postToolUseFailure: 'failed',
    subagentStart: 'subagent_start',
    subagentStop: 'subagent_end',
    preCompact: 'compaction',
    agentStop: 'stop',
    errorOccurred: 'trouble',
  },
  members: {
    session: ['sessionId'],
    agentType: ['agentName'],
    tool: ['toolName'],
    input: ['toolArgs'],
    output: ['toolResult.textResultForLlm', 'toolResult'],
    error: ['error'],
    prompt: ['prompt'],
    reason: ['reason', 'source', 'trigger', 'stopReason', 'errorContext'],
    cwd: ['cwd'],
    transcript: ['transcriptPath'],
  },
  spawns: ['task'],
  asks: true,
  status({ toolResult: result }) {
    const type = typeof result === 'object' && result !== null && 'resultType' in result ? result.resultType : undefined
    return typeof type === 'string' && Object.hasOwn(STATUS, type) ? STATUS[type as keyof typeof STATUS] : undefined // an own key
  },
  rewrite: (input) => ({ modifiedArgs: input }),
  reply: ({ decision, reason }) => ({ permissionDecision: decision, permissionDecisionReason: reason }),
  facts: {
    title: 'GitHub Copilot CLI',
    source: 'measured',
    version: '1.0.102',
    untrusted: 'not known',
  },
}
