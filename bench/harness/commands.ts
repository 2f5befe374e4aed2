/** Whole processes against the clock. @module */
import { spawnSync } from 'node:child_process'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What it reads on stdin; asked for each time. */
  readonly input?: () => string
}

/**
 * Milliseconds from start to end of each command, one figure a round, the commands in turns.
 * @throws Error when one of them fails: a rival that did not do the job is no rival
 */
export function timeCommands<Name extends string>(commands: Record<Name, Command>, rounds: number): Record<Name, number[]> {
  const names = Object.keys(commands) as Name[] // a record's keys are its names
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]> // one list a name
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < names.length; n++) {
      const name = names[(n + round) % names.length]!
      times[name].push(timeCommand(commands[name]))
    }
  }
  return times
}

function timeCommand({ command, args, cwd, env, input }: Command): number {
  const given = input?.()
  const stdin = given === undefined ? 'ignore' : 'pipe'
  const options = { cwd, ...(env && { env }), ...(given !== undefined && { input: given }) }
  const start = performance.now()
  const { status, error, stderr } = spawnSync(command, args, { ...options, stdio: [stdin, 'ignore', 'pipe'] })
  const ms = performance.now() - start
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? String(stderr).slice(-500)}`)
  return ms
}

/**
 * Loaded before anything else: says at the end how much was resident at most, on a line of its own. By `/proc` where there
 * is one: `maxRSS` counts what the starting process had when it started this one.
 */
const SAY_PEAK = `import { existsSync, readFileSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
const STATUS = '/proc/self/status'
const peak = () => (existsSync(STATUS) ? /VmHWM:\\s+(\\d+)/.exec(readFileSync(STATUS, 'utf8'))[1] : process.resourceUsage().maxRSS)
if (isMainThread) process.on('exit', () => writeSync(2, '\\n' + peak()))`

/**
 * The most memory that a process of this Node had resident, in MB, with its threads and with what it shares with others.
 * @throws Error when it fails: what did not do the job has no peak
 */
export function peakOfNode({ args, env }: Pick<Command, 'args' | 'env'>): number {
  const all = ['--import', `data:text/javascript,${encodeURIComponent(SAY_PEAK)}`, ...args]
  const { status, stderr } = spawnSync(process.execPath, all, { ...(env && { env }), stdio: ['ignore', 'ignore', 'pipe'] })
  const said = String(stderr)
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${said.slice(-500)}`)
  return Number(said.slice(said.lastIndexOf('\n') + 1)) / 1024
}
