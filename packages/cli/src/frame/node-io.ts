/** The world as this process has it. @module */
import { once } from 'node:events'
import { homedir } from 'node:os'
import type { Spawned, World } from './io.ts'
import { startAgain } from './start-again.ts'

/**
 * The world over `process`. A reader of stdout that went away ends the process, unless the command took `stdout`: the
 * proxy still has calls to end and to record. Without a reader of stderr everything goes on.
 */
export function createNodeIo(): World {
  let taken: Taken | undefined
  process.stdout.on('error', endWithoutReader)
  process.stderr.on('error', () => {})
  return {
    out: (line) => writeLine(process.stdout, line),
    outBytes: (bytes) => writeBytes(process.stdout, bytes),
    err: (line) => void process.stderr.write(`${line}\n`),
    stdin: process.stdin,
    get stdout() {
      process.stdout.off('error', endWithoutReader).on('error', () => {}) // its taker listens too, while it is there
      return process.stdout
    },
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    homeDirectory: homedir(),
    platform: process.platform,
    isTTY: process.stdout.isTTY === true,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 120,
    now: Date.now,
    get signal() {
      return (taken ??= abortOnSignals()).signal
    },
    leaveSignals: () => taken?.leave(),
    confirm,
    spawn,
    startDetached: (args) => startAgain(process.argv[1]!, args),
    self: [process.execPath, ...process.execArgv, process.argv[1]!],
  }
}

function endWithoutReader(e: NodeJS.ErrnoException): void {
  if (e.code === 'EPIPE') process.exit(0)
  process.stderr.write(`error: IO_FAILED ${e.code} in write (at stdout)\nhint: Check what stdout is, and the free space.\n`)
  process.exit(3)
}

interface Taken {
  readonly signal: AbortSignal
  leave(): void
}

/** Only a command that asks for `signal` takes over SIGINT and SIGTERM; the second one ends the process as ever. */
function abortOnSignals(): Taken {
  const abort = new AbortController()
  const listener = (name: NodeJS.Signals): void => abort.abort(name)
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, listener)
  return { signal: abort.signal, leave: () => void process.off('SIGINT', listener).off('SIGTERM', listener) }
}

async function writeLine(stream: NodeJS.WritableStream, line: string): Promise<void> {
  if (!stream.write(`${line}\n`)) await once(stream, 'drain')
}

/** Ends when the stream has taken the bytes, and never where it fails: that is its own event, which ends the process. */
function writeBytes(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => void stream.write(bytes, (e) => (e ? undefined : resolve())))
}

async function confirm(question: string): Promise<boolean> {
  const { confirm: ask, isCancel } = await import('@clack/prompts')
  const answer = await ask({ message: question, initialValue: false, output: process.stderr })
  return !isCancel(answer) && answer
}

async function spawn(command: string, args: readonly string[]): Promise<Spawned> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { maxBuffer: 64 << 20 }, (e, stdout, stderr) => {
      if (e && child.exitCode === null && child.signalCode === null) reject(e)
      else resolve({ code: child.exitCode ?? undefined, stdout, stderr })
    })
  })
}
