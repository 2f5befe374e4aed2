/** Candidates by the name under which a bench child is asked for them. @module */
import type { OpenCandidate } from './candidate.ts'

/** Loaded one at a time, so that no candidate pays for another's modules. */
export const candidates = {
  nothing: async () => (await import('./stringify.ts')).openNothing,
  stringify: async () => (await import('./stringify.ts')).openStringify,
  'pino-async': async () => (await import('./pino.ts')).openPinoAsync,
  'pino-redacting': async () => (await import('./pino.ts')).openPinoRedacting,
  'pino-worker': async () => (await import('./pino.ts')).openPinoWorker,
  'governance-logger': async () => (await import('./governance-logger.ts')).openGovernanceLogger,
  'audit-core': async () => (await import('./audit-core.ts')).openAuditCore,
  'naive-chain': async () => (await import('./naive-chain.ts')).openNaiveChain,
  sworn: async () => (await import('./sworn.ts')).openSworn,
  'sworn-keys-only': async () => (await import('./sworn.ts')).openSwornKeysOnly,
} satisfies Record<string, () => Promise<OpenCandidate>>

export type CandidateName = keyof typeof candidates
