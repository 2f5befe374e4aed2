/** `run(argv, world)`: the whole command line as one function. @module */
import { COMMANDS } from './commands/table.ts'
import type { ExitCode } from './frame/command.ts'
import type { World } from './frame/io.ts'
import { runWith } from './frame/run.ts'

/** Runs one command line; never throws. `argv` is what follows the program's name. */
export function run(argv: readonly string[], world: World): Promise<ExitCode> {
  return runWith(COMMANDS, argv, world)
}
