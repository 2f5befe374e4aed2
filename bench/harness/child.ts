/**
 * Candidates in processes of their own: one heap, one CPU account, one peak of memory each.
 *
 * A child gets its task as one JSON argument and answers with one JSON line on stdout.
 * @module
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How every bench process is started: TypeScript from source, nothing built. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source'] as const
/** How one is started that loads packages as they are published, by path. */
export const PUBLISHED_FLAGS = ['--disable-warning=ExperimentalWarning'] as const

const TIMEOUT_MS = 5 * 60_000

/** For a task over so many entries: five minutes, and one more for each 200,000. */
export function timeoutFor(entries: number): number {
  return TIMEOUT_MS + (entries / 200_000) * 60_000
}

/**
 * Runs `bench/children/<name>.ts` with `task` and gives back what it answers.
 *
 * @typeParam Answer the shape that the child writes; it is our own file, so it is not checked again
 * @throws Error with the child's stderr when it fails or takes longer than `timeoutMs`, five minutes
 */
export function runChild<Answer>(
  name: string,
  task: unknown,
  timeoutMs = TIMEOUT_MS,
  flags: readonly string[] = NODE_FLAGS,
): Promise<Answer> {
  const file = fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url))
  const args = [...flags, file, JSON.stringify(task)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: timeoutMs, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`bench child ${name} failed: ${stderr.slice(-2000)}`, { cause: error }))
      else resolve(JSON.parse(stdout) as Answer) // the child's own shape, see above
    })
  })
}

/** In a child: the task that `runChild` gave it. */
export function childTask<Task>(): Task {
  return JSON.parse(process.argv[2]!) as Task // written by runChild's caller, of the same type
}

/** In a child: the answer, on a line of its own. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
