/**
 * How long until an event is on disk while the same process delivers, while it does not, and while another process
 * keeps a core busy instead: in turns, in one process and on one ledger, so that all meet the same disk and the same
 * neighbours. @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openDelivery, planSinks } from '@sworn/deliver'
import { agentEvents } from '../../testkit/src/events.ts'
import { openRecorder } from '../candidates/sworn.ts'
import { answer, childTask } from '../harness/child.ts'
import { quantile } from '../harness/measure.ts'
import { paced } from '../harness/pace.ts'

export interface BesideTask {
  readonly dir: string
  /** As `audit.sinks` has it. */
  readonly sink: object
  /** Of one turn. */
  readonly events: number
  readonly rounds: number
  readonly perMs: number
}

/** One figure a round. */
export interface BesideAnswer {
  readonly bare: readonly Turn[]
  readonly beside: readonly Turn[]
  readonly busy: readonly Turn[]
}

interface Turn {
  /** From `record` to on disk, 99 of 100, ms. */
  readonly p99Ms: number
  /** CPU of the thread that records, µs an event. */
  readonly mainCpuUs: number
}

/** Ends by itself too, should nobody be left to end it. */
const SPIN = 'for (const end = Date.now() + 60_000; Date.now() < end; );'

const task = childTask<BesideTask>()
const recorder = await openRecorder(task.dir)
const { path, origin } = recorder.info
const context = { origin, version: '0', stdout: process.stdout, logger: undefined, now: Date.now, ledgerPath: path }
const events = agentEvents(5, 1024)
await paced(recorder, events, task.events, task.perMs) // warm-up
const ways = { bare: turn, beside: besideDelivery, busy: besideBusy }
const found = { bare: [] as Turn[], beside: [] as Turn[], busy: [] as Turn[] }
const orders = [['bare', 'beside', 'busy'] as const, ['busy', 'beside', 'bare'] as const]
for (let round = 0; round < task.rounds; round++) for (const way of orders[round % 2]!) found[way].push(await ways[way](round))
await recorder.close()
answer(found satisfies BesideAnswer)

/** A sink of its own each time: none has what the ones before it did not deliver. */
async function besideDelivery(round: number): Promise<Turn> {
  const sinks = [{ ...task.sink, name: `round-${round}`, start: 'now' }]
  const plans = planSinks(sinks, [], context)
  const aside = { names: plans.map(({ name }) => name), sinks, destinations: [] }
  const delivery = openDelivery({ path, origin, version: '0', sinks: plans, aside })
  await delivery.idle(30_000) // a thread takes a moment to begin
  const measured = await turn()
  await delivery.close()
  return measured
}

async function besideBusy(): Promise<Turn> {
  const busy = spawn(process.execPath, ['-e', SPIN], { stdio: 'ignore' })
  const ended = once(busy, 'exit')
  await once(busy, 'spawn')
  const measured = await turn()
  busy.kill()
  await ended
  return measured
}

async function turn(): Promise<Turn> {
  const before = process.threadCpuUsage()
  const durableMs = await paced(recorder, events, task.events, task.perMs)
  const { user, system } = process.threadCpuUsage(before)
  return { p99Ms: quantile(durableMs, 0.99), mainCpuUs: (user + system) / task.events }
}
