/**
 * Gemini CLI: no call ids, so before and after meet by session, tool and input. PreCompress is left out: it comes before
 * every request to the model, whether anything is compressed or not. Source: docs/hooks/reference.md; 0.61.0 measured.
 * @module
 */
import type { HookClient } from '../types.ts'

export const gemini: HookClient = {
  name: 'gemini',
  events: {
    SessionStart: 'session_start',
    SessionEnd: 'session_end',
    BeforeAgent: 'prompt',
    BeforeTool: 'before',
    AfterTool: 'after',
    AfterAgent: 'stop',
  },
  members: {
    session: ['session_id'],
    tool: ['tool_name'],
    input: ['tool_input'],
    output: ['tool_response.llmContent', 'tool_response'],
    error: ['tool_response.error'],
    prompt: ['prompt'],
    reason: ['reason', 'source', 'trigger'],
    cwd: ['cwd'],
    transcript: ['transcript_path'],
    time: ['timestamp'],
  },
  spawns: [],
  asks: false,
  status: ({ tool_response: response }) =>
    typeof response === 'object' && response !== null && 'error' in response && response.error ? 'error' : undefined,
  merges: true,
  rewrite: (input) => ({ hookSpecificOutput: { hookEventName: 'BeforeTool', tool_input: input } }),
  reply: ({ reason }) => ({ decision: 'deny', reason }),
  facts: {
    title: 'Gemini CLI',
    source: 'measured',
    version: '0.61.0',
    untrusted: 'hooks of a project run in a trusted folder only',
  },
}
