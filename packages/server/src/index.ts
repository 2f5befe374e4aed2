/** Mounts the rooms' routes: listener, authentication, limits. @module */
export { isLoopback } from './access.ts'
export type * from './options.ts'
export { openServer } from './server.ts'
export { openTokenFiles, type TokenFile } from './token-files.ts'
