/**
 * Row 11: the proxy as it comes: every decision is on disk before its call is forwarded.
 *
 * The rival is the sum of two things measured beside it: a call through the raw pipe, and one append of a
 * decision's bytes with its fdatasync.
 * @module
 */
import { join } from 'node:path'
import { openBareDisk } from '../harness/disk.ts'
import { compare, type Measurement, median, type Row } from '../harness/measure.ts'
import { ourProxy, rawPipe } from '../harness/proxies.ts'
import { type BlockPlan, proxyBlocks } from '../harness/proxy-blocks.ts'
import { withWorkdir } from '../harness/workdir.ts'

const DECISION_BYTES = 1000

export const proxyDurable: Row = {
  row: 11,
  job: 'MCP proxy, stdio, decisions on disk before forwarding',
  against: 'the pipe plus one fdatasync; its own one-by-one rate',
  target: 'p50 ≤ 1.3 × of the sum; at 32 in flight ≥ 8 × the one-by-one rate',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? { warmUps: 1, rounds: 1, calls: 5 } : { warmUps: 5, rounds: 9, calls: 200 })),
}

async function measure(dir: string, plan: BlockPlan): Promise<readonly Measurement[]> {
  const before = diskMs(dir, plan.calls)
  const { ours, pipe } = await proxyBlocks({ ours: ourProxy(dir, 'before'), pipe: rawPipe() }, plan)
  const syncMs = median([before, diskMs(dir, plan.calls)])
  const sum = pipe.oneMs.map((ms) => ms + syncMs)
  const oneRate = ours.oneMs.map((ms) => 1000 / ms)
  const note = `of the sum, fdatasync is ${syncMs.toPrecision(3)} ms`
  return [
    compare({
      what: 'one call at a time, p50 ms',
      against: 'pipe + fdatasync',
      ours: ours.oneMs,
      rival: sum,
      bound: { atMost: 1.3 },
      note,
    }),
    compare({ what: '32 in flight, calls/s', against: 'one by one', ours: ours.rate, rival: oneRate, bound: { atLeast: 8 } }),
  ]
}

function diskMs(dir: string, appends: number): number {
  const disk = openBareDisk(join(dir, 'bare.bin'))
  const bytes = new Uint8Array(DECISION_BYTES).fill(0x78)
  const times = Array.from({ length: appends }, () => disk.append(bytes))
  disk.close()
  return median(times)
}
