/** Runs a command line without a process: captured output, own home, own clock. @module */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { World } from '../../src/frame/io.ts'
import { run } from '../../src/run.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly home?: string
  readonly stdin?: string
  readonly io?: Partial<World>
}

export function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'sworn-cli-'))
}

/** Output lines joined with LF, as a terminal would show them. */
export async function sworn(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const home = options.home ?? temporary()
  const io: World = {
    out: (line) => void out.push(`${line}\n`),
    outBytes: (bytes) => void out.push(Buffer.from(bytes).toString('utf8')),
    err: (line) => void err.push(`${line}\n`),
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: { SWORN_HOME: home },
    cwd: options.cwd ?? temporary(),
    homeDirectory: home,
    platform: 'linux',
    isTTY: false,
    canAsk: false,
    columns: 100,
    now: () => Date.parse('2026-11-21T12:00:00Z'),
    signal: new AbortController().signal,
    leaveSignals: () => {},
    confirm: async () => false,
    spawn: async () => ({ code: 0, stdout: '', stderr: '' }),
    self: ['/usr/bin/node', '/opt/sworn/bin.js'],
    ...options.io,
  }
  const code = await run(argv, io)
  return { code, out: out.join(''), err: err.join('') }
}
