/** Patterns written by users, on RE2; apart from the main export, because nothing else of it needs the engine. @module */
export { createUserScanner, type UserPattern } from './redact/user-scanner.ts'
