/**
 * Connects the command line to this process: streams, signals, exit code.
 * @module
 */
import { Readable } from 'node:stream'
import type { Asked } from './answering/ask.ts'
import type { World } from './frame/io.ts'
import { createNodeIo } from './frame/node-io.ts'
import { runWith } from './frame/run.ts'
import { run } from './run.ts'

/**
 * Runs `argv` and sets the exit code; ends quietly when the reader of stdout went away.
 * @param asked of a hook that was handed over, and to nobody or not answered; its stdin is read
 */
export async function main(argv: readonly string[], asked?: Asked): Promise<void> {
  const world = createNodeIo()
  if (!asked) {
    process.exitCode = await run(argv, world)
    return
  }
  const again = Object.create(world, { stdin: { value: Readable.from([asked.stdin]) } }) as World // the world, with a stdin
  process.exitCode = await (asked.end === 'lost' ? runLost(argv, again) : run(argv, again))
}

async function runLost(argv: readonly string[], world: World): Promise<number> {
  const load = async () => (await import('./commands/hook.ts')).lostHook
  return runWith([{ name: 'hook', about: '', load }], argv, world)
}
