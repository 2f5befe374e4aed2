/** Hooks of coding agents: payload to record and decision, decision to reply. @module */
export { findHookClient, HOOK_CLIENTS } from './clients.ts'
export type { HookRoom } from './context.ts'
export { answerHook } from './engine.ts'
export { heldCalls } from './held-calls.ts'
export { type OpenCalls, openCallsIn } from './open-calls.ts'
export { kindOf, MAX_HOOK_BYTES, readHook, unreadHook } from './read.ts'
export type { Answer, Hook, HookClient, HookKind } from './types.ts'
