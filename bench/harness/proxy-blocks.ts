/**
 * Blocks of calls through each candidate in turns, all of them up at the same time.
 * @module
 */
import type { Command } from './commands.ts'
import { type McpClient, openMcpClient } from './mcp-client.ts'
import { median } from './measure.ts'

/** One figure a round. */
export interface BlockFigures {
  /** p50 of calls one at a time with a 300-character answer, ms. */
  readonly oneMs: number[]
  /** Calls per second at 32 in flight. */
  readonly rate: number[]
  /** p50 of calls one at a time with a 50,000-character answer, ms. */
  readonly largeMs: number[]
}

export interface BlockPlan {
  /** Blocks before the first that counts: a session that has run for some thousand calls is measured, not the compiler. */
  readonly warmUps: number
  readonly rounds: number
  readonly calls: number
}

const IN_FLIGHT = 32
const SMALL_CHARS = 300
const LARGE_CHARS = 50_000

export async function proxyBlocks<Name extends string>(
  commands: Record<Name, Command>,
  plan: BlockPlan,
  open: (command: Command) => Promise<McpClient> = openMcpClient,
): Promise<Record<Name, BlockFigures>> {
  const names = Object.keys(commands) as Name[] // a record's keys are its names
  const clients = new Map<Name, McpClient>()
  for (const name of names) clients.set(name, await open(commands[name]))
  const figures = Object.fromEntries(names.map((name) => [name, { oneMs: [], rate: [], largeMs: [] }])) as unknown as Record<
    Name,
    BlockFigures
  > // one a name
  for (let n = 0; n < plan.warmUps; n++) {
    for (const client of clients.values()) await block(client, plan.calls, { oneMs: [], rate: [], largeMs: [] })
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) await block(clients.get(name)!, plan.calls, figures[name])
  }
  for (const client of clients.values()) await client.close()
  return figures
}

async function block(client: McpClient, calls: number, into: BlockFigures): Promise<void> {
  into.oneMs.push(median(await oneByOne(client, calls, SMALL_CHARS)))
  into.rate.push(await ratePerSecond(client, calls * 4))
  into.largeMs.push(median(await oneByOne(client, Math.ceil(calls / 3), LARGE_CHARS)))
}

async function oneByOne(client: McpClient, calls: number, characters: number): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < calls; n++) times.push(await client.call(characters))
  return times
}

async function ratePerSecond(client: McpClient, calls: number): Promise<number> {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left-- > 0) await client.call(SMALL_CHARS)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return (calls * 1000) / (performance.now() - start)
}
