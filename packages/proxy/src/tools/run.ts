/**
 * One run of a tool's script: values in the environment or as words, never in a script's text.
 *
 * The script gets an empty input, the variables that the file names and no others, and a process group of its own:
 * when it has ended, when its time is over, when it says too much or nobody waits any more, the whole group is ended.
 * What leaves its group (`setsid`) is not reached.
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { checkArguments } from './arguments.ts'
import { VARIABLE } from './shell.ts'
import type { Script, Template, Tool } from './types.ts'

/** Between SIGTERM and SIGKILL. */
const TERM_MS = 1000
/** After the exit: how long a pipe may stay open in hands that are not ours. */
const PIPE_MS = 500
/** What every tool sees, where it is set. */
const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z_]+|TZ|TMPDIR|TERM|SystemRoot|PATHEXT|TEMP)$/

export interface RunOptions {
  /** Of this process; little of it is handed on. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when nobody waits for the result. */
  readonly signal?: AbortSignal
}

/** How a run ended, as the client is told. */
export interface Ran {
  readonly text: string
  readonly isError: boolean
}

/** Runs the script to its end. Never rejects: what is wrong is said in the result. @param input hostile */
export async function runTool(tool: Tool, input: unknown, options: RunOptions): Promise<Ran> {
  const checked = checkArguments(tool, input)
  if ('fault' in checked) return { text: checked.fault, isError: true }
  if (options.signal?.aborted) return { text: 'the call was cancelled', isError: true }
  const { values } = checked
  const { command, args } = toWords(tool.script, values)
  const env = toEnvironment(tool, values, options.env)
  const child = start(command, args, { ...spawning, cwd: tool.directory, env })
  if (!child) return { text: '[the script could not be started: its words together are too long]', isError: true }
  return new Promise((resolve) => follow(child, tool, options.signal, resolve))
}

/** Undefined where the operating system does not take so much; other failures are events of the process. */
function start(command: string, args: readonly string[], spawned: SpawnOptions): ChildProcess | undefined {
  try {
    return spawn(command, args, spawned)
  } catch {
    return undefined
  }
}

const spawning: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true }

function toWords(script: Script, values: ReadonlyMap<string, string>): { readonly command: string; readonly args: string[] } {
  if (script.form === 'shell') return { command: '/bin/sh', args: ['-c', script.text] }
  const fill = (template: Template) => template.map((part, i) => (i % 2 === 0 ? part : values.get(part))).join('')
  return { command: script.command, args: script.args.map(fill) }
}

function toEnvironment({ variables }: Tool, values: ReadonlyMap<string, string>, env: RunOptions['env']): NodeJS.ProcessEnv {
  const named = new Set(variables)
  const inherited = Object.entries(env).filter(([name]) => INHERITED.test(name) || named.has(name))
  return { ...Object.fromEntries(inherited), ...Object.fromEntries([...values].map(([name, text]) => [VARIABLE + name, text])) }
}

function follow(child: ChildProcess, tool: Tool, signal: AbortSignal | undefined, resolve: (ran: Ran) => void): void {
  const parts: Buffer[] = []
  let bytes = 0
  let why: string | undefined
  let killing: NodeJS.Timeout | undefined

  function end(reason: string): void {
    if (why !== undefined) return
    why = reason
    killGroup(child, 'SIGTERM')
    killing = setTimeout(killGroup, TERM_MS, child, 'SIGKILL')
  }

  function take(chunk: Buffer): void {
    const room = tool.outputBytes - bytes
    parts.push(chunk.subarray(0, Math.max(0, room)))
    bytes += chunk.length
    if (bytes > tool.outputBytes) end(`the output was cut at ${tool.outputBytes} bytes and the script ended`)
  }

  const timer = setTimeout(end, tool.timeoutMs, `the script was ended after ${tool.timeoutMs} ms`)
  const cancel = () => end('the call was cancelled')
  signal?.addEventListener('abort', cancel)
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)
  child.on('error', () => finish(undefined, null)) // it could not be started
  child.on('exit', () => {
    killGroup(child, 'SIGKILL') // what it left in the background
    setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, PIPE_MS).unref()
  })
  child.on('close', finish)

  function finish(code: number | null | undefined, killedBy: string | null): void {
    clearTimeout(timer)
    clearTimeout(killing)
    signal?.removeEventListener('abort', cancel)
    const started = code !== undefined
    const ended = code === 0 ? undefined : killedBy ? `the script was ended by ${killedBy}` : `the script ended with exit code ${code}`
    const note = why ?? (started ? ended : 'the script could not be started')
    const said = Buffer.concat(parts).toString('utf8')
    resolve({
      text: [said, ...(note === undefined ? [] : [`[${note}]`])].filter((part) => part !== '').join('\n'),
      isError: note !== undefined,
    })
  }
}

/** The process and all that it started; on Windows the process alone. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // nobody is left
  }
}
