/**
 * opencode and pi: their hooks run in the client, in a plugin that `sworn install` writes, which tells them in this form.
 * Source: capture.md §4.8, opencode's plugin page, pi's docs/extensions.md; denial measured with both.
 * @module
 */
import type { HookClient } from '../types.ts'

const told: Pick<HookClient, 'members' | 'asks' | 'status' | 'rewrite' | 'reply'> = {
  members: {
    session: ['session_id'],
    call: ['tool_use_id'],
    tool: ['tool_name'],
    input: ['tool_input'],
    output: ['tool_response'],
    error: ['error'],
    prompt: ['prompt'],
    reason: ['reason'],
    cwd: ['cwd'],
  },
  asks: false,
  status: ({ is_error: failed }, kind) => (kind === 'after' && failed === true ? 'error' : undefined),
  rewrite: (input) => ({ decision: 'rewrite', input }),
  reply: ({ reason }) => ({ decision: 'deny', reason }),
}

export const opencode: HookClient = {
  name: 'opencode',
  events: {
    'session.created': 'session_start',
    'chat.message': 'prompt',
    'tool.execute.before': 'before',
    'tool.execute.after': 'after',
    'session.compacted': 'compaction',
    'session.idle': 'stop',
    'session.error': 'trouble',
    'session.deleted': 'session_end',
  },
  ...told,
  spawns: [],
  facts: {
    title: 'opencode',
    source: 'measured',
    version: '1.18.33',
    untrusted: 'where plugins are switched off',
  },
}

export const pi: HookClient = {
  name: 'pi',
  events: {
    session_start: 'session_start',
    before_agent_start: 'prompt',
    tool_call: 'before',
    tool_result: 'after',
    session_compact: 'compaction',
    agent_end: 'stop',
    session_shutdown: 'session_end',
  },
  ...told,
  spawns: [],
  facts: {
    title: 'pi',
    source: 'measured',
    version: '0.74.2',
    untrusted: 'extensions of a project that is not trusted',
  },
}
