/** Tools declared in YAML: read, checked, run. Gantz's `tools:`. @module */
export { readTools } from './read.ts'
export { type Ran, type RunOptions, runTool } from './run.ts'
export type * from './types.ts'
