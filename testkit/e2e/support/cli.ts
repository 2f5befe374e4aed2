/**
 * The command line in real processes, from source.
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../src/children.ts'

const BIN = fileURLToPath(new URL('../../../packages/cli/src/bin.ts', import.meta.url))
const FLAGS = ['--disable-warning=ExperimentalWarning', '--conditions=sworn-source']
/** What starts `sworn`, to be followed by its arguments. */
export const SWORN = [process.execPath, ...FLAGS, BIN] as const
/** What starts one of our own servers, to be followed by its file. */
export const NODE = [process.execPath, ...FLAGS] as const

export interface Place {
  readonly cwd: string
  /** SWORN_HOME. */
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs it: `unshare -m`, `setpriv …`. */
  readonly wrap?: readonly string[]
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams
  out(): string
  err(): string
  /** Resolves as soon as `test` holds for everything written so far, rejects when the process ends before. */
  until(test: (out: string, err: string) => boolean): Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Of this process's environment what every process here needs: where programs are, and what the compiler has made already. */
export function inherited(): { PATH: string; NODE_COMPILE_CACHE: string } {
  return { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }
}

/** Starts `sworn argv`. */
export function start(argv: readonly string[], { cwd, home, env = {}, wrap = [] }: Place): Running {
  const [command, ...args] = [...wrap, ...SWORN, ...argv]
  const child = spawn(command!, args, {
    cwd,
    env: { ...inherited(), HOME: home, SWORN_HOME: home, SWORN_RECORDER: 'off', ...env },
  })
  endWithTests(child)
  const written = { out: '', err: '' }
  const watchers = new Set<() => void>()
  const take = (name: 'out' | 'err') => (chunk: string) => {
    written[name] += chunk
    for (const watch of watchers) watch()
  }
  child.stdout.setEncoding('utf8').on('data', take('out'))
  child.stderr.setEncoding('utf8').on('data', take('err'))
  child.stdin.on('error', () => {}) // a process that ended no longer reads
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    process: child,
    out: () => written.out,
    err: () => written.err,
    until: (test) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          if (!test(written.out, written.err)) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
        void ended.then(() => reject(new Error(`ended before: ${written.err}`)))
      }),
    ended,
  }
}

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs `sworn argv` to its end. */
export async function sworn(argv: readonly string[], place: Place, stdin: string | Buffer = ''): Promise<Ran> {
  const running = start(argv, place)
  running.process.stdin.end(stdin)
  return { ...(await running.ended), out: running.out(), err: running.err() }
}

/** The entries of the ledger, as `sworn query` prints them. */
export async function queryAll(ledger: string, place: Place): Promise<Record<string, unknown>[]> {
  const { out } = await sworn(['query', ledger, '--format', 'jsonl'], place)
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}
