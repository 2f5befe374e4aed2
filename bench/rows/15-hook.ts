/**
 * Row 15: what a coding agent waits for at a hook, as a process and over HTTP.
 *
 * The packages are staged as JavaScript, as users get them. The hook is a call that a policy judges: its decision is on disk
 * before the answer. The process form finds a recorder process of this user, as every hook does but the first. Over HTTP an
 * agent waits for both hooks of a call, so both are timed; once with a pause before each round trip, as an agent leaves its
 * tool and its model time, once one behind the other, where a hook meets what those before left to do. Beside them stands
 * the empty round trip with an fdatasync of a decision's bytes: what no decision can be faster than.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from '../harness/child.ts'
import { timeCommands } from '../harness/commands.ts'
import { openHttpChild } from '../harness/http-child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { stagePackages } from '../harness/staged.ts'
import { withWorkdir } from '../harness/workdir.ts'

const POLICY = 'apiVersion: aip.io/v1alpha1\nkind: AgentPolicy\nmetadata: {name: bench}\nspec: {allowed_tools: [Bash]}\n'
const SINK = fileURLToPath(new URL('../children/http-sink.ts', import.meta.url))
/** About as many as a decision has as a line. */
const DECISION_BYTES = 1024
/** Longer than a delayed sync waits, and than what follows the ledger rests. */
const PAUSE_MS = 100
const ROUNDS = { process: 25, paced: 100, rushed: 400 }
const QUICK: typeof ROUNDS = { process: 1, paced: 2, rushed: 3 }

export const hook: Row = {
  row: 15,
  job: 'hook of a coding agent, as a process; over HTTP',
  against: '`node -e 0`; an empty `node:http` round trip',
  target: '≤ 1.3 ×; ≤ 2 ×',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? QUICK : ROUNDS)),
}

interface Stage {
  readonly main: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

async function measure(dir: string, rounds: typeof ROUNDS): Promise<readonly Measurement[]> {
  const main = join(await stagePackages(dir), 'dist', 'bin.js')
  const home = join(dir, 'home')
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(dir, 'agent.yaml'), POLICY)
  const stage = { main, cwd: dir, env: { PATH: process.env.PATH, HOME: home, SWORN_HOME: home } }
  return [...(await measureProcess(stage, rounds.process)), ...(await measureHttp(stage, rounds))]
}

/** Both sides get the same payload. */
const payload = (tool_use_id: string = randomUUID()) =>
  JSON.stringify({ session_id: 's-1', tool_name: 'Bash', tool_input: { command: 'echo hi' }, tool_use_id, cwd: '/' })

async function measureProcess(stage: Stage, rounds: number): Promise<readonly Measurement[]> {
  const recorder = start(stage, ['recorder', 'audit'])
  while (!existsSync(join(stage.env.HOME ?? '', 'hooks.sock'))) await wait(20)
  const { cwd, env } = stage
  const flags = ['--audit-log', 'audit', '--policy', 'agent.yaml']
  const node = process.execPath
  const ours = { command: node, args: [stage.main, 'hook', 'claude-code', 'PreToolUse', ...flags], cwd, env, input: payload }
  timeCommands({ ours }, 1) // its room is open from then on, as after the first hook of a session
  const times = timeCommands({ ours, bare: { command: node, args: ['-e', '0'], input: payload } }, rounds)
  await end(recorder)
  return [compare({ what: 'process, ms', against: '`node -e 0`', ours: times.ours, rival: times.bare, bound: { atMost: 1.3 } })]
}

async function measureHttp(stage: Stage, { paced, rushed }: typeof ROUNDS): Promise<readonly Measurement[]> {
  const serve = start(stage, ['serve', 'served', '--listen', '127.0.0.1:0', '--policy', 'agent.yaml'])
  const url = await addressOf(serve)
  const token = readFileSync(join(stage.env.HOME ?? '', 'server', 'report.token'), 'utf8').trim()
  const sink = await openHttpChild({ command: process.execPath, args: [...NODE_FLAGS, SINK] })
  const agent = new Agent({ keepAlive: true, noDelay: true })
  const file = openSync(join(stage.cwd, 'synced'), 'a')
  const trip = (to: string, id: string) => timePost(agent, new URL(to, url).href, token, payload(id))
  const timeRounds = async (rounds: number, pauseMs: number): Promise<HttpTimes> => {
    const times: HttpTimes = { before: [], after: [], empty: [], synced: [] }
    const pause = () => (pauseMs === 0 ? undefined : wait(pauseMs))
    for (let n = 0; n < rounds; n++) {
      const id = randomUUID()
      for (const [name, to] of [...HOOKS, ['empty', sink.url]] as const) {
        times[name].push(await trip(to, id))
        await pause()
      }
      times.synced.push(times.empty[n]! + timeSync(file))
    }
    return times
  }
  await timeRounds(20, 0)
  const [slow, fast] = [await timeRounds(paced, PAUSE_MS), await timeRounds(rushed, 0)]
  closeSync(file)
  agent.destroy()
  await sink.close()
  await end(serve)
  return [
    ...compareTrips('HTTP', slow, `${PAUSE_MS} ms before each round trip, the empty one too`),
    ...compareTrips('HTTP, back to back', fast, 'each round trip as soon as the one before it has ended'),
  ]
}

/** Milliseconds, one figure a round: before a call, after it, and their rivals. */
interface HttpTimes {
  readonly before: number[]
  readonly after: number[]
  readonly empty: number[]
  readonly synced: number[]
}

const HOOKS = [
  ['before', '/v1/hooks/claude-code/PreToolUse'],
  ['after', '/v1/hooks/claude-code/PostToolUse'],
] as const

function compareTrips(how: string, { before, after, empty, synced }: HttpTimes, note: string): readonly Measurement[] {
  const rest = { against: 'an empty round trip', rival: empty, bound: { atMost: 2 }, note }
  return [
    compare({ ...rest, what: `${how}, before a call, ms`, ours: before }),
    compare({ ...rest, what: `${how}, before a call, ms`, ours: before, against: `${rest.against} and an fdatasync`, rival: synced }),
    compare({ ...rest, what: `${how}, after a call, ms`, ours: after }),
  ]
}

function timeSync(file: number): number {
  const line = Buffer.alloc(DECISION_BYTES, 97)
  const begin = performance.now()
  writeSync(file, line)
  fdatasyncSync(file)
  return performance.now() - begin
}

/** @throws Error for another answer than 200 */
async function timePost(agent: Agent, url: string, token: string, body: string): Promise<number> {
  const begin = performance.now()
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const asked = request(url, { method: 'POST', agent, headers }).end(body)
  const [reply] = await once(asked as unknown as NodeJS.EventEmitter, 'response') // once wants the plain kind
  for await (const _ of reply);
  if (reply.statusCode !== 200) throw new Error(`the hook was answered with ${reply.statusCode}`)
  return performance.now() - begin
}

function start({ main, cwd, env }: Stage, argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...argv], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** @throws Error when it ends before it listens */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  let url: string | undefined
  for await (const line of createInterface({ input: stderr! })) {
    url ??= /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined && line.includes('report.token')) break
  }
  if (url === undefined) throw new Error('the server ended before it listened')
  stderr!.resume()
  return url
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
