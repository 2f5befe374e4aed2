/**
 * A command is data plus one function.
 *
 * Help, completion and docs/reference/cli.md are printed from the same data that parses the arguments,
 * so a flag cannot be read under another name than it is declared.
 * @module
 */
import type { Io } from './io.ts'

export interface Flag {
  readonly type: 'boolean' | 'string'
  readonly about: string
  /** One letter. */
  readonly short?: string
  /** Name of the value in help: `--since TIME`. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** May be given more than once; each value may also be a comma-separated list. */
  readonly multiple?: true
}
export type Flags = Readonly<Record<string, Flag>>

/** What a command receives: booleans always, strings when given, lists always. */
export type Values<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends { type: 'boolean' }
    ? boolean
    : F[K] extends { multiple: true }
      ? readonly string[]
      : string | undefined
} & { readonly quiet: boolean; readonly verbose: boolean }

/** 0 holds or done, 1 does not hold, 2 usage or configuration, 3 could not look. */
export type ExitCode = number

export interface Command<F extends Flags = Flags> {
  /** Positional arguments as help prints them, e.g. `[PATH]`. */
  readonly args: string
  /** More positional arguments than this are an error; default 0. */
  readonly maxArgs?: number
  readonly flags: F
  readonly example: string
  /** Paragraphs after the flags. */
  readonly notes?: readonly string[]
  run(args: readonly string[], flags: Values<F>, io: Io): Promise<ExitCode> | ExitCode
}

/** Gives `run` its flag types; returns its argument. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command
}

/** A line of the command table: what `sworn --help` shows without loading the command. */
export interface CommandEntry {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly about: string
  /** Not shown in the overview. */
  readonly hidden?: true
  load(): Promise<Command>
}

/** Flags that every command has. */
export const COMMON_FLAGS = {
  help: { type: 'boolean', short: 'h', about: 'this text' },
  quiet: { type: 'boolean', short: 'q', about: 'errors only on stderr' },
  verbose: { type: 'boolean', short: 'v', about: 'more on stderr' },
} as const satisfies Flags
