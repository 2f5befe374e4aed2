/**
 * Row 12: the MCP proxy over Streamable HTTP with policy, masking and batch-durable records.
 *
 * The server is the official SDK's, once with answers as events and once as JSON; the client's bodies are written by
 * hand. Both proxies stand before the same server at the same time and get blocks of calls in turns.
 * @module
 */
import { join } from 'node:path'
import { openHttpChild, openHttpClient } from '../harness/http-child.ts'
import { compare, type Measurement, type Row } from '../harness/measure.ts'
import { httpServer, ourHttp, rawHttp } from '../harness/proxies.ts'
import { type BlockPlan, proxyBlocks } from '../harness/proxy-blocks.ts'
import { withWorkdir } from '../harness/workdir.ts'

export const proxyHttp: Row = {
  row: 12,
  job: 'MCP proxy, Streamable HTTP, policy + DLP + batch-durable records',
  against: 'a raw stream proxy on node:http between the same client and server',
  target: 'p50 ≤ 1.2 ×',
  run: (quick) =>
    withWorkdir(async (dir) => {
      const plan = quick ? { warmUps: 1, rounds: 1, calls: 5 } : { warmUps: 5, rounds: 9, calls: 200 }
      return [...(await measure(join(dir, 'events'), 'events', plan)), ...(await measure(join(dir, 'json'), 'json', plan))]
    }),
}

async function measure(dir: string, form: 'json' | 'events', plan: BlockPlan): Promise<readonly Measurement[]> {
  const server = await openHttpChild(httpServer(form))
  const { ours, raw } = await proxyBlocks({ ours: ourHttp(dir, server.url), raw: rawHttp(server.url) }, plan, openHttpClient)
  await server.close()
  const against = 'raw node:http proxy'
  return [
    compare({
      what: `answers as ${form}, one call at a time, p50 ms`,
      against,
      ours: ours.oneMs,
      rival: raw.oneMs,
      bound: { atMost: 1.2 },
    }),
  ]
}
