/**
 * Row 16: what a tool call costs that is recorded from inside its process.
 *
 * The rival is the same call with its records written by hand: the start on disk before the call, the end handed over
 * after it. Both sides share one ledger and take turns call by call, or group by group.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { auditTransport, wrapTool } from '@sworn/instrument'
import { createRecorder, openPort, type Recorder } from '@sworn/recorder'
import { compare, type Measurement, median, type Row } from '../harness/measure.ts'
import { withWorkdir } from '../harness/workdir.ts'

type Input = Readonly<Record<string, unknown>>
type Tool = (input: Input) => Promise<unknown>

/** About 1 KB, as the events of the other rows have it. */
const INPUT: Input = { path: '/srv/data/report.md', mode: 'append', content: 'All quiet on the western line. '.repeat(26) }
const GROUP = 64

export const instrument: Row = {
  row: 16,
  job: 'in-process instrumentation, per tool call',
  against: 'the same call bare, with its start and its end recorded by hand',
  target: '≤ 1.2 × of the sum',
  run: (quick) => withWorkdir((dir) => measure(dir, quick ? { rounds: 1, calls: 2, groups: 1 } : { rounds: 9, calls: 60, groups: 10 })),
}

interface Plan {
  readonly rounds: number
  /** Of each side, one after the other, in a round. */
  readonly calls: number
  /** Of 64 at once, in a round. */
  readonly groups: number
}

async function measure(dir: string, plan: Plan): Promise<readonly Measurement[]> {
  const recorder = createRecorder({ port: await openPort({ path: join(dir, 'ledger'), home: join(dir, 'home') }), user: 'bench' })
  const echo: Tool = async (input) => ({ read: String(input.content).length })
  const [bare, audited] = [await connect((transport) => transport), await connect((transport) => auditTransport(recorder, transport))]
  const sides = [
    { what: 'a function', ours: wrapTool(recorder, 'read_file', echo), rival: byHand(recorder, echo) },
    { what: 'an MCP call in memory', ours: audited, rival: byHand(recorder, bare) },
  ]
  const measured: Measurement[] = []
  for (const side of sides) measured.push(...(await measureSide(side, plan)))
  await recorder.close()
  return measured
}

function byHand(recorder: Recorder, tool: Tool): Tool {
  return async (input) => {
    const members = { tool: 'read_file', correlation_id: randomUUID(), source: { kind: 'sdk', name: 'bench', vantage: 'inline' } }
    await recorder.record({ ...members, event_type: 'tool_call_start', arguments: input }, { level: 'sync' })
    const begun = performance.now()
    const result = await tool(input)
    const duration_ms = Math.round((performance.now() - begun) * 1000) / 1000 // the same bytes as ours
    void recorder.record({ ...members, event_type: 'tool_call_end', result, duration_ms, is_error: false })
    return result
  }
}

async function connect(wrap: (transport: InMemoryTransport) => InMemoryTransport): Promise<Tool> {
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = new Server({ name: 'bench', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
    content: [{ type: 'text', text: String(String(params.arguments?.content).length) }],
  }))
  const client = new Client({ name: 'bench', version: '1' })
  await Promise.all([server.connect(far), client.connect(wrap(near))])
  return (input) => client.callTool({ name: 'read_file', arguments: input })
}

interface Side {
  readonly what: string
  readonly ours: Tool
  readonly rival: Tool
}

async function measureSide({ what, ours, rival }: Side, { rounds, calls, groups }: Plan): Promise<readonly Measurement[]> {
  const alone = { ours: [] as number[], rival: [] as number[] }
  const grouped = { ours: [] as number[], rival: [] as number[] }
  const group = (tool: Tool) => timeMs(() => Promise.all(Array.from({ length: GROUP }, () => tool(INPUT))))
  for (let round = -1; round < rounds; round++) {
    const one = await takeTurns(calls, (tool) => timeMs(() => tool(INPUT)), { ours, rival })
    const many = await takeTurns(groups, group, { ours, rival })
    if (round < 0) continue // warm
    for (const name of ['ours', 'rival'] as const) {
      alone[name].push(median(one[name]) * 1000)
      grouped[name].push((median(many[name]) * 1000) / GROUP)
    }
  }
  const against = 'bare, recorded by hand'
  const bound = { atMost: 1.2 }
  return [
    compare({ what: `${what}, one at a time, µs`, against, ...alone, bound }),
    compare({ what: `${what}, ${GROUP} at once, µs a call`, against, ...grouped, bound, note: 'without most of the wait for the disk' }),
  ]
}

async function takeTurns(times: number, run: (tool: Tool) => Promise<number>, { ours, rival }: Omit<Side, 'what'>) {
  const taken = { ours: [] as number[], rival: [] as number[] }
  for (let n = 0; n < times; n++) {
    const first = n % 2 === 0 ? (['ours', 'rival'] as const) : (['rival', 'ours'] as const)
    for (const name of first) taken[name].push(await run(name === 'ours' ? ours : rival))
  }
  return taken
}

async function timeMs(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await run()
  return performance.now() - begin
}
