/**
 * Row 4: from record to disk.
 * @module
 */
import type { LatencyAnswer, LatencyTask } from '../children/latency.ts'
import { runChild } from '../harness/child.ts'
import { compare, type Measurement, median, quantile, type Row } from '../harness/measure.ts'
import { withWorkdir } from '../harness/workdir.ts'

const ALLOWED_P99_MS = 10
const GROUP = 64

export const durable: Row = {
  row: 4,
  job: 'record → durable at 8,000 events/s; one sync decision alone; 64 at once',
  against: 'the allowed 10 ms; bare fdatasync of the same bytes; the one-by-one rate',
  target: 'p99 ≤ 10 ms; ≤ 2 × p50; ≥ 40 × the one-by-one rate',
  async run(quick) {
    const counts = quick ? { paced: 80, single: 5, groups: 2 } : { paced: 24_000, single: 400, groups: 100 }
    const answers: LatencyAnswer[] = []
    for (let round = 0; round < (quick ? 1 : 3); round++) answers.push(await oneRound(counts))
    return compared(answers)
  },
}

function oneRound(counts: Omit<LatencyTask, 'dir'>): Promise<LatencyAnswer> {
  return withWorkdir((dir) => runChild<LatencyAnswer>('latency', { dir, ...counts } satisfies LatencyTask))
}

function compared(answers: readonly LatencyAnswer[]): readonly Measurement[] {
  const p99 = answers.map(({ durableMs }) => quantile(durableMs, 0.99))
  const one = answers.map(({ syncMs }) => median(syncMs))
  const bare = answers.map(({ bareMs }) => median(bareMs))
  const groupRate = answers.map(({ groupMs }) => (GROUP * 1000) / median(groupMs))
  const oneRate = one.map((ms) => 1000 / ms)
  const toBare = groupRate.map((rate, round) => (rate * bare[round]!) / 1000)
  const note = `against the rate of bare appends one by one: ${median(toBare).toPrecision(3)} ×`
  return [
    compare({ what: 'p99 at 8,000/s, ms', against: 'allowed', ours: p99, rival: p99.map(() => ALLOWED_P99_MS), bound: { atMost: 1 } }),
    compare({ what: 'one sync decision, p50 ms', against: 'bare append and fdatasync', ours: one, rival: bare, bound: { atMost: 2 } }),
    compare({ what: '64 at once, decisions/s', against: 'one by one', ours: groupRate, rival: oneRate, bound: { atLeast: 40 }, note }),
  ]
}
