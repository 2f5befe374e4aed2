/**
 * Connects the command line to this process: streams, signals, exit code.
 * @module
 */
import { createNodeIo } from './frame/node-io.ts'
import { run } from './run.ts'

/** Runs `argv` and sets the exit code; ends quietly when the reader of stdout went away. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv, createNodeIo())
}
