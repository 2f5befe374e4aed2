/** Makes records. @module */
export type * from './guard/types.ts'
export type * from './port/types.ts'
