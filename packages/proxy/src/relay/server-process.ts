/**
 * The server's process: started without a shell, never left behind.
 *
 * It ends by itself, by a signal of ours, or by the ladder of MCP's stdio transport: closed stdin,
 * SIGTERM, SIGKILL, each after a bounded time. Its end is reported once, after its output was read.
 * @module
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { SwornError } from '@sworn/recorder'
import type { ProxyExit, ProxyOptions } from './options.ts'

/** After the exit: how long a grandchild may hold the pipes open. */
const PIPE_GRACE_MS = 500

export interface ServerProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once, when the process has ended and its output was read. */
  readonly ended: Promise<ProxyExit>
  kill(signal: NodeJS.Signals): void
  /** SIGTERM unless it ends within `graceMs`, SIGKILL unless it ends within `termMs` more. */
  stop(graceMs: number, termMs: number): void
}

/** Opens what is spoken to in lines. `isWaiting` is true while the reader holds its output back. */
export type ServerOpener = (options: ProxyOptions, isWaiting: () => boolean) => Promise<ServerProcess>

type Child = ChildProcessByStdio<Writable, Readable, Readable>

async function started(child: Child, command: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new SwornError('IO_FAILED', 'the server could not be started', command, { cause })))
  })
  child.on('error', () => {}) // a failed kill; the end is reported by 'exit'
}

/** Waits for the output after the exit; `isWaiting` is true while the reader holds the output back. */
function endOf(child: Child, isWaiting: () => boolean): Promise<ProxyExit> {
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
    child.once('exit', () => {
      const timer = setInterval(() => {
        if (isWaiting()) return
        clearInterval(timer)
        child.stdout.destroy()
        child.stderr.destroy()
        child.stdin.destroy()
      }, PIPE_GRACE_MS)
      child.once('close', () => clearInterval(timer))
    })
  })
}

/**
 * Starts the server.
 *
 * @throws SwornError IO_FAILED when the command cannot be started
 */
export async function openServer(options: ProxyOptions, isWaiting: () => boolean): Promise<ServerProcess> {
  const { command, args = [], env = process.env, cwd } = options
  const child = spawn(command, [...args], {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const ended = endOf(child, isWaiting)
  await started(child, command)
  const timers: NodeJS.Timeout[] = []
  void ended.then(() => timers.forEach(clearTimeout))
  const kill = (signal: NodeJS.Signals) => void child.kill(signal)
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    kill,
    stop(graceMs, termMs) {
      timers.push(setTimeout(kill, graceMs, 'SIGTERM'), setTimeout(kill, graceMs + termMs, 'SIGKILL'))
    },
  }
}
