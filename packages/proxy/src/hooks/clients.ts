/** The coding agents whose hooks are understood. @module */
import { claudeCode } from './clients/claude-code.ts'
import { codex } from './clients/codex.ts'
import { copilot } from './clients/copilot.ts'
import { cursor } from './clients/cursor.ts'
import { gemini } from './clients/gemini.ts'
import { opencode, pi } from './clients/plugins.ts'
import type { HookClient } from './types.ts'

export const HOOK_CLIENTS: readonly HookClient[] = [claudeCode, codex, gemini, copilot, cursor, opencode, pi]

export function findHookClient(name: string): HookClient | undefined {
  return HOOK_CLIENTS.find((client) => client.name === name)
}
