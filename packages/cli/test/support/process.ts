/** The command line in real processes, and waiting for what a detached one leaves. @module */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithTests } from '../../../../testkit/src/children.ts'
import type { Ran } from './io.ts'

const BIN = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))
export const SWORN = [process.execPath, '--disable-warning=ExperimentalWarning', '--conditions=sworn-source', BIN] as const

export interface Place {
  readonly cwd: string
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs `sworn argv` to its end. */
export async function runProcess(argv: readonly string[], place: Place, stdin = ''): Promise<Ran> {
  const child = open(argv, place)
  child.stdin.end(stdin)
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)])
  return { code: code ?? -1, out, err }
}

export interface Started {
  readonly process: ChildProcessWithoutNullStreams
  /** Resolves when stderr holds `message`; rejects when the process ends before. */
  until(message: string): Promise<void>
  /** What stderr has held so far. */
  said(): string
  readonly code: Promise<number | null>
}

/** Starts `sworn argv` and leaves it running. */
export function startProcess(argv: readonly string[], place: Place): Started {
  const child = open(argv, place)
  const code = ended(child)
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  return {
    process: child,
    code,
    until: (message) =>
      new Promise((resolve, reject) => {
        const look = () => void (err.includes(message) && resolve())
        child.stderr.on('data', look)
        void code.then(() => reject(new Error(`ended before it said ${message}: ${err}`)))
        look()
      }),
    said: () => err,
  }
}

function open(argv: readonly string[], { cwd, home, env = {} }: Place): ChildProcessWithoutNullStreams {
  const [node, ...flags] = SWORN
  const inherited = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }
  const child = endWithTests(spawn(node, [...flags, ...argv], { cwd, env: { ...inherited, HOME: home, SWORN_HOME: home, ...env } }))
  child.stdin.on('error', () => {}) // a process that ended no longer reads
  return child
}

function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve))
}

/** The process that `log.lock` names, or undefined when nobody records. */
export function recorderOf(ledger: string): number | undefined {
  const lock = join(ledger, 'log.lock')
  return existsSync(lock) ? JSON.parse(readFileSync(lock, 'utf8')).pid : undefined
}

/** Resolves when no process runs with all of `words` in its command line; those that do are not our children. */
export async function gone(words: readonly string[]): Promise<void> {
  while (processesWith(words).length > 0) await wait(20)
}

/** Ends every process with all of `words` in its command line, those included that start meanwhile. */
export async function end(words: readonly string[]): Promise<void> {
  for (let found = processesWith(words); found.length > 0; found = processesWith(words)) {
    for (const pid of found) terminate(Number(pid))
    await wait(20)
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // it ended while we looked
  }
}

function processesWith(words: readonly string[]): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.filter((pid) => {
    try {
      const line = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
      return words.every((word) => line.includes(word))
    } catch {
      return false // it ended while we looked
    }
  })
}
