/**
 * How long until an event is on disk: at a steady rate, one `sync` decision alone, 64 of them at once.
 *
 * Bare appends of bytes of the same length, each with its fdatasync, take turns with the decisions.
 * @module
 */
import { join } from 'node:path'
import { agentEvents } from '../../testkit/src/events.ts'
import { openRecorder } from '../candidates/sworn.ts'
import { answer, childTask } from '../harness/child.ts'
import { openBareDisk } from '../harness/disk.ts'
import { paced } from '../harness/pace.ts'

export interface LatencyTask {
  readonly dir: string
  /** Events at 8,000 a second. */
  readonly paced: number
  /** Decisions one after the other, and groups of 64. */
  readonly single: number
  readonly groups: number
}

export interface LatencyAnswer {
  readonly durableMs: readonly number[]
  readonly syncMs: readonly number[]
  readonly bareMs: readonly number[]
  readonly groupMs: readonly number[]
}

const PER_MS = 8
const GROUP = 64
/** The integrity suffix of a line: a bare append writes what the ledger writes. */
const SUFFIX_BYTES = 200

const task = childTask<LatencyTask>()
const recorder = await openRecorder(task.dir)
const events = agentEvents(4, 1024)
const decisions = events.map((event) => ({ ...event, event_type: 'authorization_decision', decision: 'allow' }))
const disk = openBareDisk(join(task.dir, 'bare.bin'))

await paced(recorder, events, task.paced / 10, PER_MS) // warm-up
const durableMs = await paced(recorder, events, task.paced, PER_MS)
const { syncMs, bareMs } = await alternate()
const groupMs = await grouped()
await recorder.close()
disk.close()
answer({ durableMs, syncMs, bareMs, groupMs } satisfies LatencyAnswer)

/** One decision, then one bare append of the same bytes, and so on. */
async function alternate(): Promise<{ syncMs: number[]; bareMs: number[] }> {
  const syncMs: number[] = []
  const bareMs: number[] = []
  for (let n = 0; n < task.single; n++) {
    const decision = decisions[n % decisions.length]!
    const start = performance.now()
    await recorder.record(decision)
    syncMs.push(performance.now() - start)
    bareMs.push(disk.append(new Uint8Array(JSON.stringify(decision).length + SUFFIX_BYTES).fill(0x78)))
  }
  return { syncMs, bareMs }
}

async function grouped(): Promise<number[]> {
  const groupMs: number[] = []
  for (let n = 0; n < task.groups; n++) {
    const start = performance.now()
    await Promise.all(decisions.slice(0, GROUP).map((decision) => recorder.record(decision)))
    groupMs.push(performance.now() - start)
  }
  return groupMs
}
