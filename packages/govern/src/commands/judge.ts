/**
 * `judgeCommand`: what a shell command would do, by its syntax tree and a table of programs.
 *
 * Pure, total and bounded: the text is hostile, never run, and looked up nowhere. What cannot be read, is not in the
 * table or is only known when the command runs is never `safe`. Paths are reported, not judged, except for writes
 * where the system or a tool reads its instructions. How each program is judged: docs/reference/commands.md.
 * @module
 */
import { createSession } from './session.ts'
import type { Judgement, Part } from './types.ts'

export { RULES, type Rule } from './rules.ts'
export type { Access, Judgement, PathUse, Reason, Verdict } from './types.ts'

export interface CommandOptions {
  /** Argument patterns of a role that lift `needs_review`; without a wildcard also `dangerous`. */
  readonly allowed?: readonly string[]
  /** Argument patterns of a role that are dangerous. They win over `allowed`. */
  readonly blocked?: readonly string[]
}

const MAX_CHARS = 32_768

/**
 * Judges `text` as a shell would read it.
 *
 * @param text at most 32,768 UTF-16 units are read; longer text needs review
 * @returns the worst verdict of its parts, the reasons in the order they were found (at most 100, a dangerous one
 * always among them), the paths and programs it names. Offsets are those of `text`; for what is nested in a quoted
 * text (`bash -c '…'`) they are those of the whole quoted word.
 * Never throws.
 */
export function judgeCommand(text: string, options: CommandOptions = {}): Judgement {
  const session = createSession({ allowed: options.allowed ?? [], blocked: options.blocked ?? [] })
  const whole: Part = { start: 0, end: text.length, text }
  if (text.length > MAX_CHARS) return session.refuse('too_large', whole)
  try {
    session.read(text, whole, { stdin: undefined, at: undefined, depth: 0 })
    return session.finish(whole)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // a defect of ours; running out of stack is the text's doing
    return session.refuse('too_large', whole)
  }
}
