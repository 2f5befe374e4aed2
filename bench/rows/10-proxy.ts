/**
 * Row 10: the MCP proxy over stdio with policy, masking and batch-durable records.
 *
 * The server is the official SDK's; the client's frames are written by hand so that it costs nothing. Pipe and
 * proxy stand at the same time and get blocks of calls in turns.
 * @module
 */
import { compare, type Row } from '../harness/measure.ts'
import { ourProxy, rawPipe } from '../harness/proxies.ts'
import { proxyBlocks } from '../harness/proxy-blocks.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const proxy: Row = {
  row: 10,
  job: 'MCP proxy, stdio, policy + DLP + batch-durable records',
  against: 'a raw byte pipe in Node between the same client and server',
  target: 'p50 ≤ 1.2 ×, calls/s at 32 in flight ≥ 0.8 ×; 50 KB results ≤ 1.25 ×',
  run: (quick) =>
    withWorkdir(async (dir) => {
      const plan = quick ? { warmUps: 1, rounds: 1, calls: 5 } : { warmUps: 4, rounds: 9, calls: 300 }
      const { ours, pipe } = await proxyBlocks({ ours: ourProxy(dir, 'batch'), pipe: rawPipe() }, plan)
      const against = 'raw Node pipe'
      return [
        compare({ what: 'one call at a time, p50 ms', against, ours: ours.oneMs, rival: pipe.oneMs, bound: { atMost: 1.2 } }),
        compare({ what: '32 in flight, calls/s', against, ours: ours.rate, rival: pipe.rate, bound: { atLeast: 0.8 } }),
        compare({ what: '50 KB result, p50 ms', against, ours: ours.largeMs, rival: pipe.largeMs, bound: { atMost: 1.25 } }),
      ]
    }),
}
