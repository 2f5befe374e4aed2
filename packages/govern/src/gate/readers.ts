/**
 * Tools that only read, by the last word of their name: naming a protected path is refused, and is no tampering.
 * @module
 */

const READERS = /^(read|get|list|search|find|grep|glob|ls|view|open|cat|head|tail|stat|tree|directory_tree|describe|show|fetch)(_|-|$)/

/** @param tool the normalised name */
export function isReader(tool: string): boolean {
  return READERS.test(tool.split(/__|[.:/]/).at(-1) ?? tool)
}
