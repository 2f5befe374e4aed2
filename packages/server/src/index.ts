/** Mounts the rooms' routes: listener, authentication, limits. @module */
export type * from './options.ts'
export { openServer } from './server.ts'
export { openTokenFiles, type TokenFile } from './token-files.ts'
