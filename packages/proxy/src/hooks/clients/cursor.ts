/** Cursor. From its documentation and from programs that use its hooks, never run here. @module */
import type { HookClient } from '../types.ts'

export const cursor: HookClient = {
  name: 'cursor',
  events: {
    sessionStart: 'session_start',
    sessionEnd: 'session_end',
    beforeSubmitPrompt: 'prompt',
    preToolUse: 'before',
    postToolUse: 'after',
    postToolUseFailure: 'failed',
    subagentStart: 'subagent_start',
    subagentStop: 'subagent_end',
    preCompact: 'compaction',
    stop: 'stop',
  },
  members: {
    session: ['conversation_id', 'session_id'],
    turn: ['generation_id'],
    call: ['tool_use_id'],
    agent: ['subagent_id'],
    agentType: ['subagent_type'],
    tool: ['tool_name'],
    input: ['tool_input'],
    output: ['tool_output'],
    error: ['error_message'],
    durationMs: ['duration'],
    prompt: ['prompt'],
    model: ['model'],
    version: ['cursor_version'],
    reason: ['reason', 'status', 'trigger'],
    cwd: ['cwd'],
    transcript: ['transcript_path'],
    mode: ['composer_mode'],
  },
  spawns: ['Task'],
  asks: false,
  status({ failure_type: failure, is_interrupt: interrupted }, kind) {
    if (kind !== 'failed') return undefined
    if (failure === 'timeout') return 'timeout'
    if (failure === 'permission_denied') return 'denied'
    return interrupted === true ? 'cancelled' : undefined
  },
  reply: ({ reason }) => ({ permission: 'deny', user_message: reason, agent_message: reason }),
  facts: {
    title: 'Cursor',
    source: 'documented',
    untrusted: 'not known',
  },
}
