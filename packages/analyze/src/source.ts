/**
 * What answers the queries of a ledger, and what proves its lines.
 *
 * Apart from the main export, because what reads every line anyway loads nothing of the index.
 * @module
 */
export { type OpenSource, openSource } from './open-source.ts'
export { type LineCheck, openLineCheck } from './verified.ts'
