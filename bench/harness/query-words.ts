/** What `query-log.ts` writes into its ledger for questions to find. @module */

export const RARE_WORD = 'zyzzyvas'
export const SOME_SESSION = 'session-3'
