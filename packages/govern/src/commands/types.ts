/**
 * What the judgement of a shell command consists of, and what the parts that make it hand each other.
 *
 * Verdicts are ordered: safe < needs_review < dangerous. The whole has the worst verdict of its parts,
 * and only what is listed as harmless is safe.
 * @module
 */
import type { Rule } from './rules.ts'

/** safe: reads only, and nothing leaves the machine. dangerous: a person should refuse it by default. */
export type Verdict = 'safe' | 'needs_review' | 'dangerous'

/** Half-open range of UTF-16 units in the text that was judged. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Why the verdict is not `safe`. `part` is at most 200 characters of the command: redact it like the command itself. */
export interface Reason extends Span {
  readonly verdict: 'needs_review' | 'dangerous'
  readonly rule: Rule
  readonly part: string
}

export type Access = 'read' | 'write' | 'execute' | 'unknown'

/** A path as it was written, quotes removed and nothing expanded: path rules resolve it. */
export interface PathUse extends Span {
  readonly path: string
  readonly access: Access
}

export interface Judgement {
  readonly verdict: Verdict
  /** In the order of the text; at most 100. */
  readonly reasons: readonly Reason[]
  /** At most 1,000. Operands that are no paths (a search pattern) may be among them. */
  readonly paths: readonly PathUse[]
  /** Names without folder, each once, in the order of the text. */
  readonly programs: readonly string[]
}

/**
 * One word after quotes are removed. `exact` is false when the value is only known when the command runs;
 * then expansions stand in `value` as they were written.
 */
export interface Arg extends Span {
  readonly value: string
  readonly exact: boolean
  /** It may become several words, or none. */
  readonly splits: boolean
  /** It may turn out to begin with a dash. */
  readonly mayBeOption: boolean
  /** Programs whose output is part of it. */
  readonly runs: readonly string[]
  readonly text: string
}

/** What a program finds on its standard input, as far as the text says. */
export interface Stdin {
  /** Programs whose output it is. */
  readonly from: readonly string[]
  /** The text itself, where it stands in the command. */
  readonly text: Arg | undefined
}

/** Where in the text a program runs. `at` is set inside text that is no longer at its own offsets. */
export interface Scene {
  readonly stdin: Stdin | undefined
  readonly at: Span | undefined
  readonly depth: number
}

export type Part = Span & { readonly text: string }

/** What the readers of single programs report to. Every method is total. */
export interface Judge {
  add(verdict: 'needs_review' | 'dangerous', rule: Rule, part: Part): void
  path(arg: Arg, access: Access): void
  /** A file that is written: reviewed, dangerous where writing is. */
  write(arg: Arg): void
  /** Text that a shell will read. */
  text(arg: Arg, scene: Scene): void
  /** A program and its arguments. */
  call(words: readonly Arg[], scene: Scene): void
}
