/**
 * Everything a command asks of the world, so that a test runs a command without a process.
 *
 * Promise: no command touches `process`; files are reached through paths resolved against `cwd`.
 * @module
 */

import type { Readable, Writable } from 'node:stream'
import type { Terminal } from '@sworn/govern/approvals'
import type { Say } from './say.ts'

/** A child process as far as commands need one; `undefined` code: ended by a signal. */
export interface Spawned {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface World {
  /** Writes text and a line end to stdout; awaiting it waits until a slow reader has caught up. */
  out(line: string): Promise<void> | void
  /** Writes bytes to stdout as they are; once it is done, something else may be written over them. */
  outBytes(bytes: Uint8Array): Promise<void> | void
  /** Writes text and a line end to stderr. */
  err(line: string): void
  readonly stdin: Readable
  /** The stream itself. Whoever takes it answers for its errors: the process does not end with its reader any more. */
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The user's home directory. */
  readonly homeDirectory: string
  readonly platform: NodeJS.Platform
  /** stdout is a terminal. */
  readonly isTTY: boolean
  /** Both stdin and stderr are terminals: questions can be asked. */
  readonly canAsk: boolean
  /** Width of the terminal in cells. */
  readonly columns: number
  now(): number
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** From here on both end the process at once: for work that no code can look up from. */
  leaveSignals(): void
  confirm(question: string): Promise<boolean>
  /** Runs a program to its end, output captured. */
  spawn(command: string, args: readonly string[]): Promise<Spawned>
  /** Starts this program again with `args`, detached from everything of this process; undefined where nothing can outlive it. */
  readonly startDetached?: (args: readonly string[]) => void
  /** The terminal on which people are asked; absent: that of the process. */
  readonly openTerminal?: () => Terminal
  /** The arguments that start this program again: `[node, …flags, bin]`. */
  readonly self: readonly string[]
}

/** The world of one command: with messages at the level that its flags and SWORN_LOG ask for. */
export interface Io extends World {
  /** One line `sworn: …` on stderr, escaped. */
  readonly say: Say
}
