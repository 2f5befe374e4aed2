/**
 * What a tool does with a path, by the last word of its name: only read it (naming a protected path is refused, and is no
 * tampering), take a folder with all that is in it, or fill it with what nobody can see beforehand.
 * @module
 */

const READERS = /^(read|get|list|search|find|grep|glob|ls|view|open|cat|head|tail|stat|tree|directory_tree|describe|show|fetch)(_|-|$)/

/** @param tool the normalised name */
export function isReader(tool: string): boolean {
  return READERS.test(tool.split(/__|[.:/]/).at(-1) ?? tool)
}

const TAKES = /move|mv|rename|delete|remove|unlink|rm|trash|erase|purge|copy|cp|sync|extract|unzip|unpack|restore/
const THINGS = /files?|director(?:y|ies)|dirs?|folders?|paths?|trees?|items?|entry|entries|fs|archive|recursive(?:ly)?|and|or|to/
const TAKER = new RegExp(`^(?:(?:${TAKES.source}|${THINGS.source})(?:[_-]|$|(?=[a-z])))+$`)

/** Tools that put another state of a repository into its folder. What it holds is not in the call. */
const CHECKS_OUT =
  /^git_?(?:checkout|switch|restore|reset|clean|stash|merge|pull|rebase|revert|cherry_?pick|apply|am|worktree|submodule)(?:_|-|$)/

/** @param tool the normalised name */
export function checksOut(tool: string): boolean {
  return CHECKS_OUT.test(tool.split(/__|[.:/]/).at(-1) ?? tool)
}

/**
 * Tools that move, delete or fill folders as a whole, and are about nothing but files.
 * BUG: one that does so under a name that tells nothing of it is not told. Way out: do not allow it above the policy.
 * @param tool the normalised name
 */
export function takesAll(tool: string): boolean {
  const word = tool.split(/__|[.:/]/).at(-1) ?? tool
  return word.length <= 64 && TAKER.test(word) && TAKES.test(word)
}
