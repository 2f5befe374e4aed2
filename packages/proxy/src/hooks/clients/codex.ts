/**
 * Codex CLI: the hook JSON of Claude Code, without questions to the user, and without a word on whether a command failed.
 * Source: its hooks page; 0.169.0 measured.
 * @module
 */
import type { HookClient } from '../types.ts'
import { claudeCode } from './claude-code.ts'

const { PostToolUseFailure: _failure, PermissionDenied: _denied, StopFailure: _trouble, ...events } = claudeCode.events

export const codex: HookClient = {
  name: 'codex',
  events,
  members: { ...claudeCode.members, turn: ['turn_id'] },
  spawns: ['spawn_agent'],
  asks: false,
  /** It takes changed arguments with this word alone; its own approvals are asked all the same. */
  rewrite: (input) => ({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'allow', updatedInput: input } }),
  reply: claudeCode.reply,
  facts: {
    title: 'Codex CLI',
    source: 'measured',
    version: '0.169.0',
    untrusted:
      'new or changed hooks are skipped until they are trusted with `/hooks`; `codex exec` skips them without a word, `sworn doctor` says so',
  },
}
