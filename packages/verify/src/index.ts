/** Checks logs. Pure: no Node, no DOM, no dependency. @module */
export { ERRORS, type ErrorCode, SwornError } from './errors.ts'
