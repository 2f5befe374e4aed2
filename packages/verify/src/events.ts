/**
 * The vocabulary of events: members and words. What the ledger's own records hold stands in `records.ts`.
 * @module
 */
export * from './members.ts'
export * from './vocabulary.ts'
