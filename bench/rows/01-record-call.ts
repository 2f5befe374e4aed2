/**
 * Row 1: what `record()` costs its caller, redaction by key, the full chain, tree, checkpoints and fdatasync on.
 * @module
 */
import type { BurstAnswer } from '../harness/burst-loop.ts'
import { burstRounds } from '../harness/bursts.ts'
import { compare, type Row } from '../harness/measure.ts'

export const recordCall: Row = {
  row: 1,
  job: 'record() on the caller’s thread, redacted by key, durable at most 5 ms behind',
  against: 'pino 10 with an asynchronous destination, same objects; JSON.stringify alone',
  target: '≤ 0.7 × its call time, ≤ 0.45 × its main-thread CPU; ≤ 1.4 × of JSON.stringify alone',
  async run(quick) {
    const plan = quick ? { rounds: 1, events: 640, inProcess: true } : { rounds: 5, events: 60_000 }
    const answers = await burstRounds({ candidates: ['sworn-keys-only', 'pino-async', 'stringify'], ...plan })
    const ours = answers['sworn-keys-only']
    const pino = answers['pino-async']
    const call = (answer: BurstAnswer): number => answer.callUs
    const cpu = (answer: BurstAnswer): number => answer.mainCpuUs
    const note = 'bursts of 64, then one turn of the event loop; a process for each candidate and round'
    return [
      compare({ what: 'call, µs', against: 'pino async', ours: ours.map(call), rival: pino.map(call), bound: { atMost: 0.7 }, note }),
      compare({ what: 'main-thread CPU, µs', against: 'pino async', ours: ours.map(cpu), rival: pino.map(cpu), bound: { atMost: 0.45 } }),
      compare({
        what: 'call, µs',
        against: 'JSON.stringify',
        ours: ours.map(call),
        rival: answers.stringify.map(call),
        bound: { atMost: 1.4 },
      }),
    ]
  },
}
