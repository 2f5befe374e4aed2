/**
 * One candidate under bursts: 64 events, then one turn of the event loop, and so on; then everything to disk.
 *
 * The call time is that of the bursts alone; CPU is that of the whole run, of the caller's thread and of the
 * process. The events are made before and used in turn, so that no generator is measured.
 * @module
 */
import { type AgentEvent, agentEvents } from '../../testkit/src/events.ts'
import type { Candidate } from '../candidates/candidate.ts'
import { type CandidateName, candidates } from '../candidates/index.ts'

export interface BurstTask {
  readonly candidate: CandidateName
  readonly dir: string
  readonly events: number
  readonly seed: number
  /** Different events that are used in turn. */
  readonly pool: number
}

export interface BurstAnswer {
  /** Per event, µs. */
  readonly callUs: number
  readonly mainCpuUs: number
  readonly cpuUs: number
  /** Events per second, to the last one on disk. */
  readonly rate: number
  readonly peakMb: number
  /** Resident memory after a fifth of the events, and at the end. */
  readonly earlyMb: number
  readonly lateMb: number
}

const BURST = 64
const MB = 2 ** 20

/** Opens the candidate, warms it up, measures it, and has it bring everything to disk. */
export async function runBurst(task: BurstTask): Promise<BurstAnswer> {
  const pool = agentEvents(task.seed, task.pool)
  const open = await candidates[task.candidate]()
  const candidate = await open(task.dir)
  await bursts(candidate, pool, Math.min(20_000, task.events / 10)) // warm-up: compiled code, grown buffers
  return measure(candidate, pool, task.events)
}

async function measure(warm: Candidate, pool: readonly AgentEvent[], events: number): Promise<BurstAnswer> {
  const thread = process.threadCpuUsage()
  const all = process.cpuUsage()
  const start = performance.now()
  const early = await bursts(warm, pool, events / 5)
  const earlyMb = process.memoryUsage.rss() / MB
  const late = await bursts(warm, pool, (events / 5) * 4)
  const lateMb = process.memoryUsage.rss() / MB
  await warm.finish()
  const wallMs = performance.now() - start
  return {
    callUs: ((early + late) * 1000) / events,
    mainCpuUs: microseconds(process.threadCpuUsage(thread)) / events,
    cpuUs: microseconds(process.cpuUsage(all)) / events,
    rate: (events * 1000) / wallMs,
    peakMb: process.resourceUsage().maxRSS / 1024,
    earlyMb,
    lateMb,
  }
}

/** Milliseconds spent inside `record` for `count` events. */
async function bursts(to: Candidate, pool: readonly AgentEvent[], count: number): Promise<number> {
  let insideMs = 0
  for (let done = 0; done < count; done += BURST) {
    const start = performance.now()
    const end = Math.min(done + BURST, count)
    for (let n = done; n < end; n++) to.record(pool[n % pool.length]!)
    insideMs += performance.now() - start
    await new Promise(setImmediate)
    await to.ready()
  }
  return insideMs
}

function microseconds({ user, system }: { user: number; system: number }): number {
  return user + system
}
