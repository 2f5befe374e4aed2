/**
 * Globs over the names of tools: `*` is any run of characters, slashes too, `?` one character.
 *
 * Compared in time proportional to the product of the lengths. Names are normalised before.
 * @module
 */
import { type Glob, literalGlob, mayMeet, parseGlob } from './paths/globs.ts'

/** Everything but `*` and `?` stands for itself; undefined when the pattern is beyond the bounds of `parseGlob`. */
export function parseToolGlob(name: string): Glob | undefined {
  return parseGlob(name.replaceAll(/\*+/g, '**').replaceAll(/[[{\\]/g, '\\$&'))
}

export const isToolGlob = (name: string): boolean => /[*?]/.test(name)

/** Whether a list names a tool; wildcards are read once. */
export function createToolList(names: readonly string[]): (tool: string) => boolean {
  const exact = new Set(names.filter((name) => !isToolGlob(name)))
  const globs = names.filter(isToolGlob).map(parseToolGlob)
  return (tool) => exact.has(tool) || globs.some((glob) => glob !== undefined && matchesTool(glob, tool))
}

export function matchesTool(glob: Glob, tool: string): boolean {
  return mayMeet(glob, literalGlob(tool))
}
