/**
 * One line of the program table: which arguments make what of a program.
 *
 * What is not listed is never safe: a program without a line, an option or a subcommand that is not named, all
 * need review. `safe` with the option list `*` means that no option of the program writes, runs or sends anything.
 * @module
 */
import type { Rule } from '../rules.ts'
import type { Verdict } from '../types.ts'

/** What an option or an operand makes of the call. `runs`: its value is shell text; `executes`: a file that is run; `stops`: nothing is run after all. */
export type Effect = Verdict | 'reads' | 'writes' | 'runs' | 'executes' | 'config' | 'stops'

export type ReaderName =
  | 'assignments'
  | 'awk'
  | 'dd'
  | 'eval'
  | 'find'
  | 'interpreter'
  | 'parallel'
  | 'read'
  | 'sed'
  | 'set'
  | 'shell'
  | 'source'
  | 'tar'
  | 'test'
  | 'xargs'

export interface Program {
  /** Names, separated by spaces. */
  readonly names: string
  /** The verdict when nothing below says worse. */
  readonly is: Verdict
  /** Why, when it is not safe. */
  readonly rule?: Rule
  /** Harmless options, in the notation of `optionTable`. Without it every option of a program that is not safe is. */
  readonly options?: string
  /** Options that make it worse: option in the same notation → effect. */
  readonly raise?: Readonly<Record<string, Effect>>
  /** Why, for what `raise` and `words` make dangerous. */
  readonly raiseRule?: Rule
  /** Single operands that make it worse. */
  readonly words?: readonly (readonly [RegExp, Verdict])[]
  /** What operands are; `last`: all are read, the last is written. */
  readonly operands?: 'reads' | 'writes' | 'last' | 'executes'
  /** Operands before the first that is a path. */
  readonly after?: number
  /** The verdict with at least one operand. */
  readonly named?: Verdict
  /** Subcommands; one that is not listed has the verdict `needs_review`. */
  readonly sub?: readonly Program[]
  /** It runs the program that its operands name, after so many other operands. */
  readonly wraps?: number
  /** `NAME=value` may stand before the wrapped program. */
  readonly assigns?: boolean
  /** The verdict when it wraps nothing, or no subcommand is given. */
  readonly alone?: Verdict
  /** What it only prints something with, when it stands alone; `--version` and `--help` are so everywhere. */
  readonly tells?: string
  /** Options with which it only looks, whatever the operands. */
  readonly looks?: string
  /** Its output may be code from elsewhere, or code that the text does not show. */
  readonly feeds?: boolean
  /** It has a syntax of its own. */
  readonly reader?: ReaderName
}
