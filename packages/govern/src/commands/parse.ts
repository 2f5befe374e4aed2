/**
 * The door to the parser: `unbash`, behind the few types that are used of it; for tools that are scripts, what variables do too.
 *
 * Hostile input: total. A tree with errors is still walked, because what is dangerous in it stays dangerous;
 * the errors alone keep it from being safe.
 * @module
 */
import { type Script as BareScript, type ParseError, parse } from 'unbash'

export type * from 'unbash'
export { forEachChild } from 'unbash'
export { choosesPrograms } from './variables.ts'

export interface ParsedScript extends BareScript {
  readonly errors?: readonly ParseError[] | undefined
}

/** Undefined when the parser gave up (it runs out of stack on what is nested too deeply). */
export function parseShell(text: string): ParsedScript | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
