/**
 * Row 3: a million events in one burst, until the last one is on disk.
 *
 * The slow rivals get fewer events: their rate does not depend on the count, and their minutes would.
 * @module
 */
import type { BurstAnswer } from '../harness/burst-loop.ts'
import { burstRounds } from '../harness/bursts.ts'
import { compare, type Row } from '../harness/measure.ts'

const RIVALS = [
  { name: 'pino-async', against: 'pino async', atLeast: 3 },
  { name: 'pino-worker', against: 'pino worker transport', atLeast: 1.3 },
  { name: 'governance-logger', against: 'pi-governance’s logger, written anew', atLeast: 4 },
  { name: 'audit-core', against: '@hexmon_tech/audit-core, hash chain', atLeast: 15 },
  { name: 'naive-chain', against: 'naive chain, Ed25519 per record', atLeast: 5 },
] as const

export const burst: Row = {
  row: 3,
  job: '1,000,000 events in one burst to durable storage',
  against:
    'pino async; pino worker transport; pi-governance’s logger; @hexmon_tech/audit-core with hash chain; naive chain with Ed25519 per record',
  target: 'rate ≥ 3 ×, ≥ 1.3 ×, ≥ 4 ×, ≥ 15 ×, ≥ 5 ×; peak memory ≤ 0.25 × of pino async',
  async run(quick) {
    const plan = quick ? { rounds: 1, events: 640, inProcess: true } : { rounds: 2, events: 1_000_000 }
    const fewer = quick ? {} : { 'governance-logger': 200_000, 'audit-core': 50_000, 'naive-chain': 100_000 }
    const answers = await burstRounds({ candidates: ['sworn', ...RIVALS.map((rival) => rival.name)], fewer, ...plan })
    const rates = (list: readonly BurstAnswer[]): number[] => list.map((answer) => answer.rate)
    const peaks = (list: readonly BurstAnswer[]): number[] => list.map((answer) => answer.peakMb)
    const compared = RIVALS.map(({ name, against, atLeast }) =>
      compare({ what: 'events/s', against, ours: rates(answers.sworn), rival: rates(answers[name]), bound: { atLeast } }),
    )
    const memory = { ours: peaks(answers.sworn), rival: peaks(answers['pino-async']) }
    const note = 'ours waits for acknowledgements once 2,048 events are unanswered; pino’s asynchronous destination keeps all in memory'
    return [...compared, compare({ what: 'peak memory, MB', against: 'pino async', ...memory, bound: { atMost: 0.25 }, note })]
  },
}
